"""What a data folder's server is called, who may connect and where it listens.

Names, keys, passwords and ports stay the same for the life of the data folder: clients that are away while the server
restarts find it again.
"""

import random
import secrets
import socket
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from clawactors.app.datafolder import write_private
from clawactors.app.identity.authority import AuthorityKeys
from clawactors.eventlog import Misconfigured

__all__ = ["HOST", "ServerIdentity", "User", "choose_ports", "free_port", "is_free", "load_identity", "save_identity"]

HOST: Final = "127.0.0.1"
# Below the range that systems take for outgoing connections: there, a client that dials the port of a server that
# is just restarting can be given that very port, connect to itself, and keep the server out.
_PORTS: Final = range(15000, 32000)


class User(msgspec.Struct, frozen=True):
    """Who connects, in an account of the same purpose."""

    name: str
    password: str


class ServerIdentity(msgspec.Struct, frozen=True, omit_defaults=True):
    """A server as its clients know it; `standby` is who may mirror a cluster there, `keys` sign all others."""

    name: str
    claw: User
    sys: User
    port: int
    http_port: int
    standby: User = User("", "")
    keys: AuthorityKeys = msgspec.field(default_factory=AuthorityKeys.new)


def load_identity(path: Path) -> ServerIdentity:
    """What was saved there, with new names, passwords and ports where nothing readable is."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=ServerIdentity)
    except (FileNotFoundError, msgspec.MsgspecError):
        port = free_port()
        return ServerIdentity(
            name=f"claw-{secrets.token_hex(4)}",
            claw=User("claw", secrets.token_urlsafe(24)),
            sys=User("sys", secrets.token_urlsafe(24)),
            port=port,
            http_port=free_port(other_than=port),
        )


def save_identity(path: Path, identity: ServerIdentity) -> None:
    """Keeps it for the next start, readable by its owner alone."""
    write_private(path, msgspec.json.encode(identity))


def choose_ports(known: ServerIdentity, wanted: int | None) -> ServerIdentity:
    """The same ports where they are free still, others where not; one that was asked for is kept to.

    Raises: `Misconfigured` where the port that was asked for is taken.
    """
    port = wanted or known.port
    if not is_free(port):
        if wanted:
            raise Misconfigured(f"port {port} is taken: choose another one with --port")
        port = free_port()
    http_port = known.http_port
    if http_port == port or not is_free(http_port):
        http_port = free_port(other_than=port)
    return replace(known, port=port, http_port=http_port)


def is_free(port: int) -> bool:
    """True where a server could listen on this port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port(other_than: int = 0) -> int:
    """A port of loopback that nobody listens on, different at every call."""
    while True:
        port = random.choice(_PORTS)  # noqa: S311 - a port is no secret
        if port != other_than and is_free(port):
            return port
