"""Appends what commands lead to: decided on the state in the rows, and again after a conflict."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from itertools import batched
from typing import Final

import msgspec

from clawactors.eventlog import TooLarge, Unavailable
from clawactors.kernel.errors import Refused
from clawactors.kernel.fold import Snapshot
from clawactors.memory.item import ItemCommand
from clawactors.runtime.actor import Actor, ActorContext
from clawactors.systems.memories import Memory
from clawactors.systems.memories.commands import MemoryCommand
from clawactors.systems.memories.kind import MEMORIES

__all__ = ["CommandWriter", "WriteResult"]

_BATCH: Final = 500
_PAUSE_S: Final = 0.2

_log = logging.getLogger(__name__)

type Snapshots = Callable[[list[str]], Mapping[str, Snapshot[Memory]]]


class WriteResult(msgspec.Struct, frozen=True):
    """How many memories changed, how many were refused, and the log sequence of the last change."""

    changed: int = 0
    refused: int = 0
    last_seq: int = 0


class CommandWriter:
    """Writes commands. Commands for one memory keep their order; those for different memories are independent."""

    def __init__(self, context: ActorContext, snapshots: Snapshots) -> None:
        self._context, self._snapshots = context, snapshots

    async def write(self, commands: Iterable[ItemCommand]) -> WriteResult:
        """Returns when all changes are durable; waits while the log is unavailable. Refusals are counted."""
        by_id: dict[str, list[MemoryCommand]] = {}
        for each in commands:
            by_id.setdefault(each.id, []).append(each.command)
        total = WriteResult()
        for ids in batched(by_id, _BATCH):
            snapshots = await asyncio.to_thread(self._snapshots, list(ids))
            outcomes = await asyncio.gather(*(self._write(id, snapshots[id], by_id[id]) for id in ids))
            total = WriteResult(
                total.changed + sum(outcome > 0 for outcome in outcomes),
                total.refused + sum(outcome < 0 for outcome in outcomes),
                max(total.last_seq, *outcomes),
            )
        return total

    async def _write(self, id: str, snapshot: Snapshot[Memory], commands: list[MemoryCommand]) -> int:
        """The memory's new version, 0 if nothing changed, -1 if the commands were refused."""
        actor = Actor(self._context, MEMORIES, id, snapshot)
        while True:
            try:
                return actor.version if await actor.handle(*commands) else 0
            except (Refused, TooLarge) as error:
                _log.info("memory %s: %s", id, error)
                return -1
            except Unavailable:
                await asyncio.sleep(_PAUSE_S)
