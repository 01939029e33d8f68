"""What a joined machine keeps: where its cluster is, who it is there, and the key that proves it."""

from pathlib import Path
from typing import Final

import msgspec

from clawactors.app.datafolder import write_private
from clawactors.app.folderlock import JOINED
from clawactors.eventlog import Misconfigured
from clawactors.eventlog.jetstream import Address
from clawactors.kernel.principals import node_principal

__all__ = ["JOIN", "Admission", "JoinAsk", "JoinedCluster", "read_membership", "save_membership"]

_NAME: Final = "cluster.json"
_CREDENTIALS: Final = "user.creds"
_AUTHORITY: Final = "ca.pem"


JOIN: Final = "claw.join"
"""Where a joined machine asks for credentials, `claw.join.<principal>`, and who was invited: `claw.join.join`."""


class JoinAsk(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a machine asks that was invited under this name, or a joined one that wants a new key.

    That one names itself by the subject on which it asks: `name` and `secret` are '' then.
    """

    public_key: str
    host: str = ""
    name: str = ""
    secret: str = ""


class Admission(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer: the signed claims for the key, or why there are none."""

    name: str = ""
    role: str = ""
    claims: str = ""
    skills: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    error: str = ""


class JoinedCluster(msgspec.Struct, frozen=True, kw_only=True):
    """Who this machine is in a cluster of others, and by which invitation; its key stands in a file beside it."""

    name: str
    role: str
    urls: tuple[str, ...]
    invitation: str = ""
    line: str = ""
    """The digest of the secret by which it joined."""
    skills: tuple[str, ...] = ()
    has_authority: bool = False
    """The servers' certificates are signed by an authority of the cluster's own, which is kept here."""

    @property
    def principal(self) -> str:
        """As whom this machine asks."""
        return node_principal(self.name) if self.role == "node" else self.name

    def address(self, data: Path) -> Address:
        """Where this machine connects, as whom; a key that is drawn later counts at the next connection."""
        folder = data / JOINED
        return Address(
            self.urls,
            creds=str(folder / _CREDENTIALS),
            ca=str(folder / _AUTHORITY) if self.has_authority else "",
            inbox_prefix=f"_INBOX.{self.principal}",
        )


def save_membership(data: Path, membership: JoinedCluster, credentials: str, authority: str = "") -> None:
    """Keeps it in the data folder, readable by its owner alone; with its key and, where that is new, the authority.

    Raises: `Misconfigured` where it can't be written.
    """
    folder = data / JOINED
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(folder / _CREDENTIALS, credentials.encode())
        if authority:
            write_private(folder / _AUTHORITY, authority.encode())
        write_private(folder / _NAME, msgspec.json.encode(membership))
    except OSError as error:
        raise Misconfigured(f"can't keep the membership in {folder}: {error.strerror or error}") from None


def read_membership(data: Path) -> JoinedCluster | None:
    """What the data folder keeps, None where this machine has joined nothing.

    Raises: `Misconfigured` for one that is damaged.
    """
    try:
        return msgspec.json.decode((data / JOINED / _NAME).read_bytes(), type=JoinedCluster)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        raise Misconfigured(
            f"the membership in {data / JOINED} can't be read ({error}): remove that folder, and join by a new line"
        ) from None
