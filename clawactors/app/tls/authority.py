"""The certificate authority of one cluster, in a folder of its own: made at the first start, kept from then on.

1. Who joins trusts this authority and no other; so it is never replaced without a word.
2. A server's certificate is short-lived and made again by itself, long before it expires.
3. A new key of the authority is also signed by the old one: who trusts the old one goes on until that expires.
"""

import base64
import secrets
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization

from clawactors.app.datafolder import explained, write_private
from clawactors.app.tls.certificates import (
    PrivateKey,
    Signer,
    Subject,
    common_name,
    names_of,
    new_key,
    pem_of_key,
    read_pem,
    sign,
)
from clawactors.eventlog import Misconfigured

__all__ = ["AUTHORITY", "AUTHORITY_LIFE", "RENEWED_BEFORE", "SERVER", "SERVER_LIFE", "CertificateAuthority"]

AUTHORITY: Final = "authority.pem"
SERVER: Final = "server.pem"
"""Files of the folder; each holds a key and its certificates, so that the two never come apart."""

AUTHORITY_LIFE: Final = timedelta(days=3650)
SERVER_LIFE: Final = timedelta(days=90)
RENEWED_BEFORE: Final = 1 / 3
"""Which part of its life a certificate has left when a new one takes its place."""

_CLOCKS_APART: Final = timedelta(days=1)
"""The clock of a machine that joins may be behind ours by so much."""


def _now() -> datetime:
    return datetime.now(UTC)


class CertificateAuthority:
    """Signs the certificates of a cluster's servers. `bridges` lead from the keys that it had before to this one."""

    def __init__(
        self,
        path: Path,
        key: PrivateKey,
        certificate: x509.Certificate,
        bridges: tuple[x509.Certificate, ...] = (),
        now: Callable[[], datetime] = _now,
    ) -> None:
        self._path, self._key, self._certificate, self._bridges, self._now = path, key, certificate, bridges, now

    @classmethod
    def load_or_make(cls, folder: Path, now: Callable[[], datetime] = _now) -> Self:
        """That of the folder, which is made where it is missing; one that is about to expire gets a new key.

        Raises: `Misconfigured` for one that can't be read or is not valid yet, and for a folder that can't be written.
        """
        path = folder / AUTHORITY
        with explained(folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                text = path.read_bytes()
            except FileNotFoundError:
                made = cls._new(path, now)
                made._save()
                return made
        try:
            key, (certificate, *bridges) = read_pem(text)
        except ValueError as error:
            raise Misconfigured(
                f"the authority in {path} can't be read ({error}): restore the file, or remove it and invite every "
                "machine again"
            ) from None
        if certificate.not_valid_before_utc > now():
            raise Misconfigured(
                f"the authority in {path} is valid from {certificate.not_valid_before_utc:%Y-%m-%d} on: set the clock "
                "of this machine, or remove the file and invite every machine again"
            )
        known = cls(path, key, certificate, tuple(bridges), now)
        return known.rotated() if _is_due(certificate, now()) else known

    @classmethod
    def _new(cls, path: Path, now: Callable[[], datetime]) -> Self:
        key, name, at = new_key(), f"claw {secrets.token_hex(4)}", now()
        certificate = sign(Subject(name, key.public_key()), Signer(name, key), at - _CLOCKS_APART, at + AUTHORITY_LIFE)
        return cls(path, key, certificate, (), now)

    @property
    def pem(self) -> str:
        """The certificate that others trust, as text."""
        return _pem(self._certificate).decode()

    @property
    def code(self) -> str:
        """The same for a line to paste: about 500 characters without blanks; see `pem_of_code`."""
        encoded = self._certificate.public_bytes(serialization.Encoding.DER)
        return base64.urlsafe_b64encode(encoded).rstrip(b"=").decode()

    @property
    def fingerprint(self) -> str:
        """Its SHA-256, in hexadecimal: for people who compare."""
        return self._certificate.fingerprint(hashes.SHA256()).hex()

    @property
    def expires_at(self) -> datetime:
        """When who trusts it has to be told of another one."""
        return self._certificate.not_valid_after_utc

    def rotated(self) -> Self:
        """The same authority with a new key, which is saved; servers get new certificates at the next `renew`.

        Who trusts the old key goes on without a change. Where that key was stolen, invite every machine again.
        """
        new = self._new(self._path, self._now)
        subject = Subject(common_name(new._certificate), new._key.public_key())
        start, end = self._now() - _CLOCKS_APART, self._certificate.not_valid_after_utc
        if start < end:
            bridge = sign(subject, Signer(common_name(self._certificate), self._key), start, end)
            valid = (each for each in self._bridges if each.not_valid_after_utc > self._now())
            new._bridges = (bridge, *valid)
        new._save()
        return new

    def issue(self, names: Iterable[str], start: datetime | None = None, end: datetime | None = None) -> bytes:
        """A new key and a certificate for these host names and addresses, with the bridges, as PEM."""
        key, at, wanted = new_key(), self._now(), tuple(names)
        end = min(end or at + SERVER_LIFE, self._certificate.not_valid_after_utc)
        signer = Signer(common_name(self._certificate), self._key)
        certificate = sign(Subject(wanted[0], key.public_key(), wanted), signer, start or at - _CLOCKS_APART, end)
        return b"".join((pem_of_key(key), _pem(certificate), *map(_pem, self._bridges)))

    @property
    def server_file(self) -> Path:
        """The file with the key and the certificates of this machine's server; see `renew`."""
        return self._path.with_name(SERVER)

    def renew(self, names: Iterable[str]) -> bool:
        """Replaces the server's file if it is not for all of these names or soon expires; True if it did.

        Raises: `Misconfigured` where the folder can't be written.
        """
        wanted = tuple(dict.fromkeys(names))
        if self._still_serves(wanted):
            return False
        with explained(self._path.parent):
            write_private(self.server_file, self.issue(wanted))
        return True

    def _still_serves(self, names: Iterable[str]) -> bool:
        try:
            _, (certificate, *bridges) = read_pem(self.server_file.read_bytes())
            certificate.verify_directly_issued_by(self._certificate)
            known = names_of(certificate)
        except (OSError, ValueError, TypeError, InvalidSignature):  # whatever is there, a new one does
            return False
        at = self._now()
        return (
            known.issuperset(names)
            and certificate.not_valid_before_utc <= at
            and not _is_due(certificate, at)
            and tuple(bridges) == self._bridges
        )

    def _save(self) -> None:
        with explained(self._path.parent):
            content = b"".join((pem_of_key(self._key), _pem(self._certificate), *map(_pem, self._bridges)))
            write_private(self._path, content)


def _is_due(certificate: x509.Certificate, now: datetime) -> bool:
    """True for one that should be replaced by now."""
    life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    return now > certificate.not_valid_after_utc - RENEWED_BEFORE * life


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
