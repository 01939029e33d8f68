"""Whether the server has room for more: what it answers, and what its health says where it does not answer.

A server whose disk is full stores nothing and says nothing to who appends; only its health names the cause.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from clawactors.eventlog.errors import EventLogError
from clawactors.eventlog.jetstream.wire.api import ApiError, Refusal
from clawactors.eventlog.jetstream.wire.codes import FULL
from clawactors.eventlog.jetstream.wire.connection import Connection

__all__ = ["NO_ROOM", "AskHealth", "RoomWatch", "health_of", "is_full"]

type AskHealth = Callable[[], Awaitable[str]]
"""'' for a server that is well, else what it says is wrong."""

_HEALTH: Final = "$SYS.REQ.SERVER.PING.HEALTHZ"
_ASK_S: Final = 1.0
_DISK_FULL: Final = "no space left on device"
_STORE_FULL: Final = ("maximum bytes exceeded", "maximum messages exceeded", _DISK_FULL)
NO_ROOM: Final = "the server has no room"


class _ServerHealth(msgspec.Struct, frozen=True):
    status: str = ""
    error: str = ""


class _ServerHealthAnswer(msgspec.Struct):
    data: _ServerHealth = _ServerHealth()


def health_of(system: Connection) -> AskHealth:
    """The health of the one server that the connection, one of the system account, is to."""

    async def ask() -> str:
        try:
            _, body = await system.ask(_HEALTH, timeout_s=_ASK_S)
            answer = msgspec.json.decode(body, type=_ServerHealthAnswer).data
        except (EventLogError, msgspec.MsgspecError):
            return ""
        return "" if answer.status == "ok" else answer.error or answer.status

    return ask


def is_full(error: ApiError | Refusal) -> bool:
    """True where a limit of the server, the account or the stream is reached."""
    return error.err_code in FULL or any(words in error.description for words in _STORE_FULL)


class RoomWatch:
    """Asks for the `health` of a server that does not answer; `on_full` gets the reason where it has no room."""

    def __init__(self, on_full: Callable[[str], None]) -> None:
        self.health: AskHealth | None = None
        self._on_full = on_full
        self._asking: asyncio.Task[None] | None = None

    def ask(self) -> None:
        """Asks, unless it is asking already."""
        if self.health is not None and (self._asking is None or self._asking.done()):
            self._asking = asyncio.get_running_loop().create_task(self._learn(self.health))

    async def _learn(self, ask: AskHealth) -> None:
        said = await ask()
        if _DISK_FULL in said:
            self._on_full(f"{NO_ROOM}: {_DISK_FULL}")
