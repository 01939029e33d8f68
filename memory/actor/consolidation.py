"""When consolidation runs: soon after something new was remembered, once a day, and whenever somebody asks.

1. One run at a time here; runs elsewhere do no harm, since the same memories lead to the same orders.
2. A run goes over so many memories at once that searches never wait long, and waits for its own rows before it goes on.
3. Nothing is looked at while nothing has changed.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import batched
from typing import Final

import msgspec

from clawactors.eventlog import Unavailable
from clawactors.memory.actor.stock import MemoryStore
from clawactors.memory.actor.writer import OrderWriter
from clawactors.memory.consolidation import Order, consolidated, faded
from clawactors.memory.index.item import Item
from clawactors.memory.index.rows import find
from clawactors.memory.index.writer import Change
from clawactors.memory.known import KnownIndex
from clawactors.systems.memories import commands as c

__all__ = ["DAY_S", "Consolidation", "Report"]

DAY_S: Final = 86_400.0
_SETTLE_S: Final = 1.0
_TOGETHER: Final = 256
_REACH_S: Final = 60.0

_log = logging.getLogger(__name__)


class Report(msgspec.Struct, frozen=True):
    """What a run looked at and what came of it; `orders` by sort, `refused` those that a race had made pointless."""

    items: int = 0
    changed: int = 0
    refused: int = 0
    orders: dict[str, int] = {}

    def plus(self, other: "Report") -> "Report":
        """Both together."""
        orders = Counter(self.orders) + Counter(other.orders)
        return Report(
            self.items + other.items, self.changed + other.changed, self.refused + other.refused, dict(orders)
        )


class Consolidation:
    """`serve` runs it by itself; `upto` is the version up to which memories were condensed."""

    def __init__(
        self,
        stock: MemoryStore,
        writer: OrderWriter,
        now_ns: Callable[[], int],
        upto: int,
        daily_ns: int,
        every_s: float,
    ) -> None:
        self._stock, self._writer, self._now_ns, self._every_s = stock, writer, now_ns, every_s
        self.upto, self.daily_ns = upto, daily_ns
        self._fresh: dict[str, int] = {}
        self._wake = asyncio.Event()
        self._running = asyncio.Lock()

    def notice(self, changes: Iterable[Change]) -> None:
        """Takes note of what has changed."""
        for change in changes:
            memory = change.after.memory
            if memory.searched and memory.content and memory.content.kind != "knowledge":
                self._fresh[change.after.id] = change.after.version
        if self._fresh:
            self._wake.set()

    async def serve(self) -> None:
        """Runs what is due, until cancelled."""
        missed = await asyncio.to_thread(self._since, self.upto, 0)
        self._fresh = {item.id: item.version for item in missed} | self._fresh
        async with asyncio.TaskGroup() as group:
            group.create_task(self._soon())
            group.create_task(self._daily())
            if self._fresh:
                self._wake.set()

    async def _soon(self) -> None:
        while True:
            await self._wake.wait()
            await asyncio.sleep(_SETTLE_S)  # what comes together is condensed together
            self._wake.clear()
            try:
                await self._run_fresh()
            except Exception:
                _log.exception("consolidation goes on with what comes next")

    async def _run_fresh(self) -> None:
        async with self._running:
            fresh, self._fresh = self._fresh, {}
            for ids in batched(fresh, _TOGETHER):
                await self._condense(list(ids), everything=False)
            self.upto = max(self.upto, *fresh.values())

    async def _daily(self) -> None:
        if not self.daily_ns:
            self.daily_ns = self._now_ns()
        while True:
            due_ns = self.daily_ns + int(self._every_s * 1e9)
            await asyncio.sleep(max(0.0, (due_ns - self._now_ns()) / 1e9))
            since_ns = self._now_ns() - int(self._every_s * 1e9)
            try:
                report = await self.run(since_ns)
            except Unavailable as error:
                _log.info("daily consolidation has to wait: %s", error)
                await asyncio.sleep(_SETTLE_S)
                continue
            self.daily_ns = self._now_ns()
            _log.info("daily consolidation: %s", report)
            await self._writer.write(await asyncio.to_thread(self._faded))

    def _faded(self) -> list[Order]:
        return faded(self._stock.items(), self._now_ns())

    async def run(self, since_ns: int = 0, *, everything: bool = False) -> Report:
        """Condenses what was recorded since then; with `everything` also episodes that may still go on.

        What comes of that is condensed too, so that a second run finds nothing to do.
        """
        async with self._running:
            report, items = Report(), await asyncio.to_thread(self._since, 0, since_ns)
            while items:
                position = self._stock.views.position
                for part in batched([item.id for item in items], _TOGETHER):
                    report = report.plus(await self._condense(list(part), everything=everything))
                items = await asyncio.to_thread(self._since, position, 0)
            return report

    def _since(self, version: int, recorded_ns: int) -> list[Item]:
        return [
            item
            for item in self._stock.items()
            if item.version > version
            and item.memory.recorded_ns >= recorded_ns
            and item.memory.searched
            and item.content.kind != "knowledge"
        ]

    async def _condense(self, ids: list[str], *, everything: bool) -> Report:
        orders = await asyncio.to_thread(self._orders, ids, everything)
        written = await self._writer.write(orders)
        if written.last_seq > 0:
            await self._stock.reached(written.last_seq, _REACH_S)
        sorts = Counter(_sort(order) for order in orders)
        return Report(len(ids), written.changed, written.refused, dict(sorts))

    def _orders(self, ids: list[str], everything: bool) -> list[Order]:
        stock = self._stock
        with stock.views.store.snapshot() as reading:
            found = (find(reading, id) for id in ids)
            items = [item for item in found if item is not None and item.memory.searched]
            known = KnownIndex(stock.index, reading, stock.precedence.suspend)
            return consolidated(items, known, stock.lexicon, self._now_ns(), everything=everything)


def _sort(order: Order) -> str:
    match order.command:
        case c.RecordMemory(content=content):
            return content.kind
        case command:
            return type(command).__name__.lower()
