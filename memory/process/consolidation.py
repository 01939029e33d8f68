"""When consolidation runs: soon after new memories, once a day, and on request.

1. One run at a time in this process; concurrent runs elsewhere are harmless, because the same memories lead to the same
   commands.
2. A run handles memories in batches, so that searches never wait long; each batch waits for the rows of the last one.
3. Without changes it does nothing.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import batched
from typing import Final

import msgspec

from clawactors.eventlog import Unavailable
from clawactors.memory.consolidation import consolidate, expire, outdated
from clawactors.memory.consolidation.condense import is_note
from clawactors.memory.index.forgotten import owner_in
from clawactors.memory.index.rows import find
from clawactors.memory.index.writer import Change
from clawactors.memory.item import Item, ItemCommand
from clawactors.memory.process.forgetting import forget_ids
from clawactors.memory.process.plan import MemoryPlan
from clawactors.memory.process.proposing import Proposing
from clawactors.memory.process.store import MemoryStore
from clawactors.memory.process.writer import CommandWriter
from clawactors.memory.recall.known import KnownIndex
from clawactors.memory.text.date import DateReader, zone_named
from clawactors.systems.memories import Fact
from clawactors.systems.memories import commands as c

__all__ = ["ConsolidationReport", "ConsolidationRunner"]

_DAY_NS: Final = 86_400_000_000_000
_SETTLE_S: Final = 1.0
_BATCH: Final = 256
_ROWS_WITHIN_S: Final = 60.0

_log = logging.getLogger(__name__)


class ConsolidationReport(msgspec.Struct, frozen=True):
    """The outcome of a run: memories read, changed and refused (after a race), and the number of commands by type."""

    items: int = 0
    changed: int = 0
    refused: int = 0
    commands: dict[str, int] = {}

    def plus(self, other: "ConsolidationReport") -> "ConsolidationReport":
        """The sum of both reports."""
        commands = Counter(self.commands) + Counter(other.commands)
        return ConsolidationReport(
            self.items + other.items, self.changed + other.changed, self.refused + other.refused, dict(commands)
        )


class ConsolidationRunner:
    """`serve` runs consolidation as needed, `run` runs it now; `upto` is the version up to which it has run."""

    def __init__(
        self,
        store: MemoryStore,
        writer: CommandWriter,
        now_ns: Callable[[], int],
        upto: int,
        daily_ns: int,
        plan: MemoryPlan,
    ) -> None:
        self._store, self._writer, self._now_ns, self._plan = store, writer, now_ns, plan
        self.upto, self.daily_ns = upto, daily_ns
        self.proposing = Proposing(store, store.parts.proposer, store.parts.summarizer)
        self._new: dict[str, int] = {}
        self._wake, self._replanned = asyncio.Event(), asyncio.Event()
        self._looks_back = True
        self._running = asyncio.Lock()

    def replan(self, plan: MemoryPlan) -> None:
        """Goes by this plan from now on; what came while it did not consolidate as memories come is made up for."""
        before, self._plan = self._plan, plan
        self._replanned.set()
        if plan.incremental and not before.incremental:
            self._looks_back = True
            self._wake.set()

    def on_changes(self, changes: Iterable[Change]) -> None:
        """Schedules a run for these changes."""
        if not self._plan.incremental:
            return
        for change in changes:
            memory, before = change.after.memory, change.before.memory if change.before else None
            if before and (before.content, before.searched) == (memory.content, memory.searched):
                continue  # used, or met again
            if _is_new(change.after):
                self._new[change.after.id] = change.after.version
        if self._new:
            self._wake.set()

    def reconsider(self, ids: Iterable[str]) -> None:
        """Schedules a run for these memories, though they have not changed."""
        self._new |= dict.fromkeys(ids, self.upto)
        if self._new and self._plan.incremental:
            self._wake.set()

    async def serve(self) -> None:
        """Runs what is due, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._run_soon())
            group.create_task(self._run_daily())

    async def _run_soon(self) -> None:
        while True:
            if self._looks_back and self._plan.incremental:
                self._looks_back = False
                missed = await asyncio.to_thread(self._since, self.upto, 0)
                self._new = {item.id: item.version for item in missed} | self._new
            if not (self._new and self._plan.incremental):
                self._wake.clear()
                await self._wake.wait()
                continue
            await asyncio.sleep(_SETTLE_S)  # collects memories that arrive together
            self._wake.clear()
            try:
                await self._run_new()
            except Exception:
                _log.exception("consolidation failed; it continues with the next memories")

    async def _run_new(self) -> None:
        async with self._running:
            new, self._new = self._new, {}
            for ids in batched(new, _BATCH):
                await self._consolidate(list(ids), everything=False)
            self.upto = max(self.upto, *new.values())

    async def _run_daily(self) -> None:
        while True:
            since_ns = await self._daily_due()
            try:
                report = await self.run(since_ns)
            except Unavailable as error:
                _log.info("daily consolidation waits for the event log: %s", error)
                await asyncio.sleep(_SETTLE_S)
                continue
            self.daily_ns = self._now_ns()
            _log.info("daily consolidation: %s", report)
            await self._writer.write(await asyncio.to_thread(self._expired))
            old, upto = await asyncio.to_thread(self._outlived), self._store.views.position
            await forget_ids(self._store, self._writer, old, "kept for as long as its owner wants", upto)

    async def _daily_due(self) -> int:
        """Waits until the daily run is due by the plan; returns since when memories are new to it, ns since 1970."""
        never = not self.daily_ns
        while True:
            self._replanned.clear()
            wait_s = None
            if self._plan.daily_s:
                self.daily_ns = self.daily_ns or self._now_ns()
                wait_s = max(0.0, (self.daily_ns - self._now_ns()) / 1e9 + self._plan.daily_s)
            try:
                async with asyncio.timeout(wait_s):
                    await self._replanned.wait()
            except TimeoutError:
                if never and not self._plan.incremental:
                    return 0  # nothing has looked at them
                # The last run may be longer ago than the plan has it: it may have been another plan.
                return min(self.daily_ns, self._now_ns() - int(self._plan.daily_s * 1e9))

    def _outlived(self) -> list[str]:
        """The memories that are older than their owner wants them to be."""
        days = {owner.name: owner.settings.retention_days for owner in self._store.owners()}
        return [
            item.id
            for item in self._store.items()
            if item.memory.content
            and (kept := days.get(item.content.owner, 0))
            and self._now_ns() - item.content.happened_ns > kept * _DAY_NS
        ]

    def _expired(self) -> list[ItemCommand]:
        return expire(self._store.items(), self._now_ns())

    async def run(self, since_ns: int = 0, *, everything: bool = False) -> ConsolidationReport:
        """Consolidates the memories recorded since then; `everything` includes episodes that are still open.

        It also consolidates its own results, so that a second run finds nothing to do.
        """
        async with self._running:
            report, items = ConsolidationReport(), await asyncio.to_thread(self._since, 0, since_ns)
            while items:
                position = self._store.views.position
                for part in batched([item.id for item in items], _BATCH):
                    report = report.plus(await self._consolidate(list(part), everything=everything, after=self.upto))
                items = await asyncio.to_thread(self._since, position, 0)
            return report

    def _since(self, version: int, recorded_ns: int) -> list[Item]:
        return [
            item
            for item in self._store.items()
            if item.version > version and item.memory.recorded_ns >= recorded_ns and _is_new(item)
        ]

    async def _consolidate(self, ids: list[str], *, everything: bool, after: int = 0) -> ConsolidationReport:
        ids = self.proposing.due(ids)
        proposed = await asyncio.to_thread(self.proposing.facts, ids, after)
        commands = await asyncio.to_thread(self._commands, ids, everything, proposed)
        commands = await asyncio.to_thread(self.proposing.summarized, commands)
        written = await self._writer.write(commands)
        if written.last_seq > 0:
            await self._store.reached(written.last_seq, _ROWS_WITHIN_S)
        types = Counter(_type_of(command) for command in commands)
        return ConsolidationReport(len(ids), written.changed, written.refused, dict(types))

    def _commands(self, ids: list[str], everything: bool, proposed: dict[str, list[Fact]]) -> list[ItemCommand]:
        store = self._store
        with store.views.store.snapshot() as reading:
            found = (find(reading, id) for id in ids)
            items = [item for item in found if item is not None and item.memory.searched]

            def dates_of(owner: str) -> DateReader:
                settings = owner_in(reading, owner).settings
                return DateReader(zone_named(settings.zone), settings.language)

            known = KnownIndex(store.index, reading, store.precedence.suspend, dates_of)
            updated = [item for item in items if item.memory.revision]
            ended = outdated(updated, store.items()) if updated else []
            return [
                *ended,
                *consolidate(items, known, store.lexicon, self._now_ns(), everything=everything, proposed=proposed),
            ]


def _is_new(item: Item) -> bool:
    """True for what consolidation has to look at: what it has concluded itself is no evidence."""
    memory = item.memory
    if not memory.searched or memory.content is None:
        return False
    return memory.content.kind != "knowledge" or is_note(memory.content)


def _type_of(command: ItemCommand) -> str:
    match command.command:
        case c.RecordMemory(content=content):
            return content.kind
        case other:
            return type(other).__name__.lower()
