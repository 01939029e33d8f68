"""Appends what orders lead to: decided on what the rows say, and again where somebody was first."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from itertools import batched
from typing import Final

import msgspec

from clawactors.eventlog import TooLarge, Unavailable
from clawactors.kernel.errors import Refused
from clawactors.kernel.fold import Snapshot
from clawactors.memory.consolidation import Order
from clawactors.runtime.actor import Actor, ActorContext
from clawactors.systems.memories import Memory
from clawactors.systems.memories.commands import MemoryCommand
from clawactors.systems.memories.kind import MEMORIES

__all__ = ["OrderWriter", "Written"]

_TOGETHER: Final = 500
_PAUSE_S: Final = 0.2

_log = logging.getLogger(__name__)

type Known = Callable[[list[str]], Mapping[str, Snapshot[Memory]]]


class Written(msgspec.Struct, frozen=True):
    """How many memories changed, how many orders were refused, and the last sequence that it took."""

    changed: int = 0
    refused: int = 0
    last_seq: int = 0


class OrderWriter:
    """Appends from one process. Orders for one memory keep their order, those for different ones are independent."""

    def __init__(self, context: ActorContext, known: Known) -> None:
        self._context, self._known = context, known

    async def write(self, orders: Iterable[Order]) -> Written:
        """Returns when all of it is durable, however long the log is away; a refusal changes nothing and is counted."""
        named: dict[str, list[MemoryCommand]] = {}
        for order in orders:
            named.setdefault(order.id, []).append(order.command)
        total = Written()
        for ids in batched(named, _TOGETHER):
            known = await asyncio.to_thread(self._known, list(ids))
            outcomes = await asyncio.gather(*(self._write(id, known[id], named[id]) for id in ids))
            total = Written(
                total.changed + sum(outcome > 0 for outcome in outcomes),
                total.refused + sum(outcome < 0 for outcome in outcomes),
                max(total.last_seq, *outcomes),
            )
        return total

    async def _write(self, id: str, known: Snapshot[Memory], commands: list[MemoryCommand]) -> int:
        """The memory's new version, 0 where nothing had to change, -1 where it was refused."""
        actor = Actor(self._context, MEMORIES, id, known)
        while True:
            try:
                return actor.version if await actor.handle(*commands) else 0
            except (Refused, TooLarge) as error:
                _log.info("memory %s: %s", id, error)
                return -1
            except Unavailable:
                await asyncio.sleep(_PAUSE_S)
