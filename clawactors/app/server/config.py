"""What a data folder's server is called, who may connect and where it listens; and the configuration made of it.

Names, passwords and ports stay the same for the life of the data folder: clients that are away while the server
restarts find it again.
"""

import json
import random
import secrets
import socket
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from clawactors.app.datafolder import write_private
from clawactors.app.logpipe import LOG_BYTES, LOG_FILES
from clawactors.eventlog import Misconfigured

__all__ = [
    "HOST",
    "NOWHERE",
    "PRIMARY",
    "STANDBY",
    "Identity",
    "ServerLink",
    "User",
    "choose_ports",
    "free_port",
    "is_free",
    "load_identity",
    "render",
    "save_identity",
]

HOST: Final = "127.0.0.1"
PRIMARY: Final = "claw"
STANDBY: Final = "claw-standby"
"""JetStream domains: a cluster that has a mirror, and the server that holds it."""
_WITHIN: Final = ["claw.>", "live.>", "$KV.>", "$O.>", "$SRV.>"]
# Below the range that systems take for outgoing connections: there, a client that dials the port of a server that
# is just restarting can be given that very port, connect to itself, and keep the server out.
_PORTS: Final = range(15000, 32000)


class User(msgspec.Struct, frozen=True):
    """Who connects, in an account of the same purpose."""

    name: str
    password: str


class Identity(msgspec.Struct, frozen=True, omit_defaults=True):
    """A server as its clients know it; `standby` is who may mirror a cluster there."""

    name: str
    claw: User
    sys: User
    port: int
    http_port: int
    standby: User = User("", "")


def load_identity(path: Path) -> Identity:
    """What was saved there, with new names, passwords and ports where nothing readable is."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Identity)
    except (FileNotFoundError, msgspec.MsgspecError):
        port = free_port()
        return Identity(
            name=f"claw-{secrets.token_hex(4)}",
            claw=User("claw", secrets.token_urlsafe(24)),
            sys=User("sys", secrets.token_urlsafe(24)),
            port=port,
            http_port=free_port(other_than=port),
        )


def save_identity(path: Path, identity: Identity) -> None:
    """Keeps it for the next start, readable by its owner alone."""
    write_private(path, msgspec.json.encode(identity))


def choose_ports(known: Identity, wanted: int | None) -> Identity:
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


class ServerLink(msgspec.Struct, frozen=True):
    """How a server is connected to one of another place.

    `mirror` is the address that it dials, with user and password; `standby` is where it is dialled.
    """

    mirror: str = ""
    standby: str = ""


NOWHERE: Final = ServerLink()


def render(identity: Identity, folder: Path, *, max_file_store: int, link: ServerLink = NOWHERE) -> str:
    """The configuration file of a server that keeps everything in `folder`.

    `sync_interval: always` makes an acknowledged append survive a power cut; the server's default loses minutes.
    `max_file_store` (bytes) is less than the disk holds, so that appends are refused with an error while there still
    is space; on a full disk they would only time out.
    """
    text = json.dumps
    return f"""\
# Written at every start; changes are lost.
server_name: {text(identity.name)}
listen: "{HOST}:{identity.port}"
http: "{HOST}:{identity.http_port}"

jetstream {{
  store_dir: {text(str(folder), ensure_ascii=False)}
  sync_interval: always
  max_memory_store: {256 << 20}
  max_file_store: {max_file_store}
{_domain(link)}}}
{_leaf(link, identity.standby)}

accounts {{
  CLAW {{
    jetstream: enabled
    users: [{{ user: {text(identity.claw.name)}, password: {text(identity.claw.password)} }}]
  }}
  SYS {{ users: [{{ user: {text(identity.sys.name)}, password: {text(identity.sys.password)} }}] }}
}}
system_account: SYS

# A reader that falls behind, and a writer that bursts, are given room before they are cut off.
max_pending: {256 << 20}
write_deadline: "10s"

log_file: {text(str(folder / "nats.log"), ensure_ascii=False)}
log_size_limit: {LOG_BYTES}
log_max_num: {LOG_FILES}
"""


def _domain(link: ServerLink) -> str:
    """The name under which the other side knows this JetStream."""
    domain = PRIMARY if link.mirror else STANDBY if link.standby else ""
    return f"  domain: {domain}\n" if domain else ""


def _leaf(link: ServerLink, user: User) -> str:
    """The connection of two places: of what a cluster says within itself nothing passes."""
    text = json.dumps
    if link.standby:
        login = f"user: {text(user.name)}, password: {text(user.password)}, account: CLAW"
        return f"\nleafnodes {{\n  listen: {text(link.standby)}\n  authorization {{ {login} }}\n}}\n"
    if not link.mirror:
        return ""
    exports, imports = text([*_WITHIN, "_INBOX.>"]), text(_WITHIN)
    remote = f"url: {text(link.mirror)}, account: CLAW, deny_imports: {imports}, deny_exports: {exports}"
    return f"\nleafnodes {{\n  reconnect: 2\n  remotes: [{{ {remote} }}]\n}}\n"
