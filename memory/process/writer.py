"""Writes commands for memories through the dispatcher, and counts what becomes of them."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from itertools import batched
from typing import Final

import msgspec

from clawactors.eventlog import TooLarge, Unavailable
from clawactors.kernel.errors import Refused
from clawactors.memory.item import ItemCommand
from clawactors.runtime.call import Answer, Call
from clawactors.runtime.dispatcher import Dispatcher
from clawactors.systems.memories.commands import MemoryCommand
from clawactors.systems.memories.kind import MEMORIES

__all__ = ["CommandWriter", "WriteResult"]

_BATCH: Final = 500
_PAUSE_S: Final = 0.2

_log = logging.getLogger(__name__)


class WriteResult(msgspec.Struct, frozen=True):
    """How many memories changed, how many were refused, and the log sequence of the last change."""

    changed: int = 0
    refused: int = 0
    last_seq: int = 0


class CommandWriter:
    """Writes commands as `by`. Commands for one memory keep their order and are one commit."""

    def __init__(self, dispatcher: Dispatcher, by: str) -> None:
        self._dispatcher, self._by = dispatcher, by

    async def write(self, commands: Iterable[ItemCommand]) -> WriteResult:
        """Returns when all changes are durable; waits while the log is unavailable. Refusals are counted."""
        by_id: dict[str, list[MemoryCommand]] = {}
        for each in commands:
            by_id.setdefault(each.id, []).append(each.command)
        versions: list[int] = []
        for items in batched(by_id.items(), _BATCH):
            versions += await self._write([Call(MEMORIES, id, tuple(own), principal=self._by) for id, own in items])
        return WriteResult(
            sum(version > 0 for version in versions), sum(version < 0 for version in versions), max([0, *versions])
        )

    async def _write(self, calls: Sequence[Call]) -> list[int]:
        """For each call the memory's new version, 0 if nothing changed, -1 if it was refused."""
        versions = dict.fromkeys((call.id for call in calls), 0)
        while calls:
            outcomes = await self._dispatcher.send_many(calls)
            again: list[Call] = []
            for call, outcome in zip(calls, outcomes, strict=True):
                match outcome:
                    case Answer():
                        versions[call.id] = outcome.version if outcome.events else 0
                    case Refused() | TooLarge():
                        _log.info("memory %s: %s", call.id, outcome)
                        versions[call.id] = -1
                    case Unavailable():
                        again.append(call)
                    case _:
                        raise outcome
            calls = again
            if calls:
                await asyncio.sleep(_PAUSE_S)
        return list(versions.values())
