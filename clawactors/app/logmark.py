"""How far the log of a data folder has come, noted in the folder: control starts on no other log, and on none that ends
before.

Otherwise ids and sequences would be given a second time, to something else. To begin anew, remove `log.json`.
"""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from clawactors.eventlog import EventLog, EventLogError, Misconfigured
from clawactors.projections.engine import durable

__all__ = ["LogMark"]

NAME: Final = "log.json"
_EVERY_S: Final = 5.0
_SETTLE_S: Final = 10.0
_AGAIN_S: Final = 0.2


class _Mark(msgspec.Struct, frozen=True):
    identity: str
    last_seq: int


class LogMark:
    """The mark in that folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME

    def _read(self) -> _Mark | None:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=_Mark)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return None

    async def check(self, log: EventLog) -> None:
        """Raises: `Misconfigured` where the log is another one or has lost its end; `Unavailable`."""
        mark = self._read()
        if mark is None:
            return
        head = await log.head()
        anew = f"restore a backup (claw restore), or remove {self._path} to begin anew"
        if head.identity != mark.identity:
            raise Misconfigured(
                f"the log of {self._path.parent}, {mark.last_seq} records long, is not on this server, which has "
                f"another one: use the data folder of that one, {anew}"
            )
        clock = asyncio.get_running_loop().time
        end_s = clock() + _SETTLE_S
        while head.last_seq < mark.last_seq and clock() < end_s:  # a new leader of a cluster may still apply its tail
            await asyncio.sleep(_AGAIN_S)
            head = await log.head()
        if head.last_seq < mark.last_seq:
            short = f"the log ends at {head.last_seq} and had come to {mark.last_seq}"
            raise Misconfigured(f"{short}: its end is lost; {anew}")

    async def serve(self, log: EventLog) -> None:
        """Keeps it up to date until cancelled."""
        known = _Mark("", 0)
        while True:
            with suppress(EventLogError, OSError):  # the next one will do
                head = await log.head()
                if head.identity != known.identity or head.last_seq > known.last_seq:
                    mark = _Mark(head.identity, head.last_seq)
                    await asyncio.to_thread(durable.replace, self._path, msgspec.json.encode(mark))
                    known = mark
            await asyncio.sleep(_EVERY_S)
