"""Whether the live rows are sound: read in the background and on request, made again where they are not."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from clawactors.eventlog import UNREADABLE, Corrupt, EventLogError
from clawactors.projections.engine.pages import InvalidQuery
from clawactors.projections.engine.questions import error_reply
from clawactors.projections.engine.revisions import Healed, Revisions
from clawactors.projections.engine.scrub import scrub, scrub_slice
from clawactors.projections.engine.store import Store

__all__ = ["Health", "HealthQuestion", "HealthReport"]

_FIRST_S: Final = 5.0
_EVERY_S: Final = 6 * 3600.0
_SHARE: Final = 0.05
"""The share of one processor that reading in the background may take."""
_PAUSE_S: Final = 1.0
_PATIENCE_S: Final = 2.0
_SHARED_S: Final = 5.0
_LONGEST_PAUSE_S: Final = 60.0

_log = logging.getLogger(__name__)


class HealthQuestion(msgspec.Struct, forbid_unknown_fields=True):
    """Are the rows sound? `check`: they are read before the answer."""

    check: bool = False


class HealthReport(msgspec.Struct, frozen=True):
    """`damage` is why the rows are being made again now, `healed` what was made again last.

    So many `rows` were read `checked_s` ago, None for never; `checking` while they are being read.
    """

    damage: str
    healed: Healed | None
    rows: int
    checked_s: float | None
    checking: bool


class Health:
    """`serve` until cancelled. `store` gives the live store."""

    def __init__(self, revisions: Revisions, store: Callable[[], Store]) -> None:
        self._revisions, self._store = revisions, store
        self._loop, self._damaged = asyncio.get_running_loop(), asyncio.Event()
        self.rebuilding = ""
        """Why the rows are being made again, '' while they are not."""
        self._checking: asyncio.Task[None] | None = None
        self._rows, self._checked_at = 0, 0.0

    def watch(self, store: Store) -> None:
        """This is the live store now: what is met in it counts."""
        store.on_damage = self._on_damage
        if store.damage:
            self._damaged.set()

    def _on_damage(self) -> None:
        self._loop.call_soon_threadsafe(self._damaged.set)

    async def serve(self, rebuild: Callable[[], Awaitable[None]]) -> None:
        """Reads all rows every few hours, slowly; calls `rebuild` where damage was met, by whomever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._read())
            group.create_task(self._heal(rebuild))

    async def answer(self, body: bytes) -> bytes:
        """The encoded `HealthReport`; with `check` all rows are read first, in so far as that does not take long."""
        try:
            question = msgspec.json.decode(body or b"{}", type=HealthQuestion)
        except UNREADABLE as error:
            return error_reply(InvalidQuery(f"not a question: {error}"))
        return msgspec.json.encode(await self.report(check=question.check))

    async def report(self, *, check: bool = False) -> HealthReport:
        """What is known now, `check`ed or not."""
        if check:
            await self._check()
        return HealthReport(
            damage=self._store().damage or self.rebuilding,
            healed=self._revisions.healed(),
            rows=self._rows,
            checked_s=round(self._loop.time() - self._checked_at, 1) if self._checked_at else None,
            checking=self._checking is not None and not self._checking.done(),
        )

    async def _check(self) -> None:
        """All who ask at about the same time share one check, and look again while it runs."""
        if self._checking is None or (self._checking.done() and self._loop.time() > self._checked_at + _SHARED_S):
            self._checking = self._loop.create_task(self._read_at_once())
        await asyncio.wait([self._checking], timeout=_PATIENCE_S)

    async def _read_at_once(self) -> None:
        try:
            self._rows = await asyncio.to_thread(scrub, self._store())
        except EventLogError as error:
            _log.info("the views were not read: %s", error)  # damage is noted by the store
        self._checked_at = self._loop.time()

    async def _heal(self, rebuild: Callable[[], Awaitable[None]]) -> None:
        while True:
            await self._damaged.wait()
            self._damaged.clear()
            pause_s = _PAUSE_S
            while reason := self._store().damage:
                self.rebuilding = reason
                try:
                    await rebuild()
                except EventLogError as error:
                    _log.error("the views can't be built again yet: %s", error)
                    await asyncio.sleep(pause_s)
                    pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
                else:
                    _log.warning("the views were built again, because they were damaged: %s", reason)
            self.rebuilding = ""

    async def _read(self) -> None:
        pause_s = _FIRST_S
        while True:
            await asyncio.sleep(pause_s)
            pause_s = _EVERY_S
            try:
                await self._read_all()
            except Corrupt:
                continue  # noted by the store, and healed
            except EventLogError as error:
                _log.info("the views were not read: %s", error)

    async def _read_all(self) -> None:
        store = self._store()
        with store.snapshot() as reading:
            tables = reading.tables()
        for table in tables:
            after = b""
            while True:
                began = time.perf_counter()
                after = await asyncio.to_thread(scrub_slice, store, table, after)
                await asyncio.sleep((time.perf_counter() - began) / _SHARE)
                if not after or self._store() is not store:
                    break
