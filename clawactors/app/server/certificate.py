"""The certificate of a server that other machines reach: made at the start, renewed while it runs."""

from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

from clawactors.app.datafolder import explained, write_private
from clawactors.app.listening import Listening, this_machine
from clawactors.app.tls.authority import CertificateAuthority
from clawactors.app.tls.renewing import renew_always

__all__ = ["ServerCertificate"]

_FOLDER: Final = "tls"
_PUBLIC: Final = "ca.pem"


class ServerCertificate:
    """Signed by the authority of a data folder, for all that this machine is called where it listens."""

    def __init__(self, authority: CertificateAuthority, listening: Listening) -> None:
        self._authority, self._listening = authority, listening

    @classmethod
    def of(cls, data: Path, listening: Listening) -> Self:
        """That of a data folder, which also gets a file for other NATS clients to trust. Raises: `Misconfigured`."""
        authority = CertificateAuthority.load_or_make(data / _FOLDER)
        with explained(data):
            write_private(data / _FOLDER / _PUBLIC, authority.pem.encode())
        return cls(authority, listening)

    @property
    def ca_pem(self) -> str:
        """What others trust."""
        return self._authority.pem

    def file(self) -> Path:
        """The certificate and its key, as they have to be now."""
        self._authority.renew(self._names())
        return self._authority.server_file

    async def renew_always(self, reload: Callable[[], None]) -> None:
        """Keeps it valid until cancelled; `reload` has the server read it."""
        await renew_always(self._authority, self._names, reload)

    def _names(self) -> tuple[str, ...]:
        return self._listening.names(this_machine())
