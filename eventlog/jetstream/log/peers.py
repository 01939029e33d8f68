"""Which server of a cluster leads which stream, who is behind or away, and which of them may be stopped now.

Asked of the streams themselves, so no right on the system account is needed. A stream without a leader answers nobody.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from clawactors.eventlog.errors import Unavailable
from clawactors.eventlog.jetstream.log.streams import EVENTS, stores_beside
from clawactors.eventlog.jetstream.wire.api import Refusal, call
from clawactors.eventlog.jetstream.wire.codes import NO_STREAM
from clawactors.eventlog.jetstream.wire.connection import Connection

__all__ = ["ServerPeer", "ServersReport", "StreamCopies", "ask_servers", "copies_of", "report_of"]

_ASK_S: Final = 2.0
_SILENT_NS: Final = 3_000_000_000
"""Servers hear of each other every second."""


class StreamCopies(msgspec.Struct, frozen=True):
    """Where a stream is stored. `leader` is None while none leads: it can't be written. `behind` is in messages.

    `behind` and `away` name the servers whose copy is not whole; those that are away are in `away` alone.
    """

    stream: str
    leader: str | None
    servers: tuple[str, ...] = ()
    behind: dict[str, int] = {}
    away: tuple[str, ...] = ()

    @property
    def is_written(self) -> bool:
        """True while somebody leads and a majority is there. A leader that was left alone takes a while to notice."""
        return self.leader is not None and 2 * len(self.away) < len(self.servers)

    def can_lose(self, server: str) -> bool:
        """True where a majority of whole copies is left when that server stops."""
        if not self.is_written:
            return False
        if server not in self.servers:
            return True
        whole = [name for name in self.servers if name not in (server, *self.away) and name not in self.behind]
        return len(whole) > len(self.servers) // 2


class ServerPeer(msgspec.Struct, frozen=True):
    """One server: what it leads, how many messages it is behind at most, and what `keeps` it from being stopped now."""

    name: str
    is_away: bool
    leads: tuple[str, ...]
    behind: int
    keeps: str


class ServersReport(msgspec.Struct, frozen=True):
    """The servers of a cluster as its streams see them; `problem` says what can't be written, and why."""

    servers: tuple[ServerPeer, ...]
    streams: tuple[StreamCopies, ...]
    safe_to_stop: tuple[str, ...]
    problem: str = ""

    @property
    def text(self) -> str:
        """One sentence for people."""
        if self.problem:
            return self.problem
        kept = [f"not {peer.name}: {peer.keeps}" for peer in self.servers if peer.keeps]
        return "; ".join([f"safe to stop, one at a time: {', '.join(self.safe_to_stop) or 'none'}", *kept])


async def ask_servers(connection: Connection) -> ServersReport:
    """Asks each stream, for two seconds at most.

    Raises: `Unavailable` (no connection), `PermissionDenied` (no right to ask for `$JS.API.STREAM.INFO`).
    """
    names = [EVENTS, *(store["name"] for store in stores_beside())]
    copies = await asyncio.gather(*(_ask(connection, name) for name in names))
    return report_of([each for each in copies if each is not None], connection.server_name)


async def _ask(connection: Connection, name: str) -> StreamCopies | None:
    """None for a stream that does not exist."""
    try:
        info = await call(connection, f"STREAM.INFO.{name}", timeout_s=_ASK_S)
    except Unavailable:
        if not connection.online:
            raise
        return StreamCopies(name, None)
    except Refusal as refusal:
        if refusal.err_code != NO_STREAM:
            raise
        return None
    return copies_of(name, info.get("cluster") or {"leader": connection.server_name})


def copies_of(name: str, cluster: Mapping[str, Any]) -> StreamCopies:
    """What the server's description of a stream says of its copies."""
    leader = cluster.get("leader") or None
    others = cluster.get("replicas") or ()
    away = tuple(sorted(each["name"] for each in others if _is_away(each)))
    behind = {
        each["name"]: each.get("lag", 0) for each in others if not each.get("current") and each["name"] not in away
    }
    names = sorted({*(each["name"] for each in others), *([leader] if leader else ())})
    return StreamCopies(name, leader, tuple(names), behind, away)


def _is_away(replica: Mapping[str, Any]) -> bool:
    """True for one that the leader does not hear: the server calls it offline only much later."""
    return bool(replica.get("offline")) or (not replica.get("current") and replica.get("active", 0) > _SILENT_NS)


def report_of(streams: Sequence[StreamCopies], own: str = "") -> ServersReport:
    """The servers that these streams name; `own`, which answered, is one of them in any case."""
    names = sorted({name for stream in streams for name in stream.servers} | ({own} - {""}))
    peers = []
    for name in names:
        kept = [stream for stream in streams if not stream.can_lose(name)]
        peers.append(
            ServerPeer(
                name,
                any(name in stream.away for stream in streams),
                tuple(stream.stream for stream in streams if stream.leader == name),
                max((stream.behind.get(name, 0) for stream in streams), default=0),
                _why(kept, name),
            )
        )
    safe = tuple(peer.name for peer in peers if not peer.keeps and not peer.is_away)
    dead = [stream.stream for stream in streams if not stream.is_written]
    why = "most of the servers that store it are away, or they elect just now"
    problem = f"nothing can be written to {', '.join(dead)}: {why}" if dead else ""
    return ServersReport(tuple(peers), tuple(streams), safe, problem)


def _why(kept: Sequence[StreamCopies], name: str) -> str:
    """Why a server must not stop; the first reason will do."""
    for stream in kept:
        if not stream.is_written:
            return f"nothing can be written to {stream.stream}"
        if stream.servers == (name,):
            return f"{stream.stream} is stored there alone"
        role = "it leads" if stream.leader == name else "it stores"
        late = [f"{other} is behind by {lag}" for other, lag in stream.behind.items() if other != name]
        gone = [f"{other} is away" for other in stream.away if other != name]
        return f"{role} {stream.stream}, and {' and '.join([*late, *gone])}"
    return ""
