"""Copies of bad records: the one who leads makes them, and a change of the lead leaves none out."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from clawactors.eventlog import Record
from clawactors.eventlog.dead import InProcessDeadLetters
from clawactors.runtime.control import dead
from clawactors.runtime.control.dead import DeadLetterWorker
from tests.clawactors.runtime.cluster import all_turns


class Controls:
    """Two control processes that see the same records and share one store; `leader` is who leads, 0 for nobody."""

    def __init__(self) -> None:
        self.kept, self.now_s, self.leader = InProcessDeadLetters(), 0.0, 0
        self.first, self.second = (
            DeadLetterWorker(self.kept, self, lambda number=number: self.leader == number)  # type: ignore[misc]
            for number in (1, 2)
        )

    def monotonic_s(self) -> float:
        return self.now_s

    def now_ns(self) -> int:
        return int(self.now_s * 1e9)

    def elapsed_ns(self) -> int:
        return self.now_ns()

    def roll(self) -> float:
        return 0.5

    def see(self, *seqs: int, size: int = 10) -> None:
        for seq in seqs:
            for worker in (self.first, self.second):
                worker.put(Record(seq, 0, "claw.task.t.log", b"x" * size, b""), "malformed")

    async def lead(self, number: int) -> set[int]:
        """Lets that one lead, 0 for nobody; what is copied by then."""
        self.leader = number
        for worker in (self.first, self.second):
            worker.lead()
        return await self.copied()

    async def copied(self) -> set[int]:
        await all_turns()
        return set(self.kept.letters)


@pytest_asyncio.fixture
async def controls() -> AsyncIterator[Controls]:
    controls = Controls()
    serving = [asyncio.create_task(worker.serve()) for worker in (controls.first, controls.second)]
    yield controls
    for task in serving:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_the_one_that_leads_copies_at_once(controls: Controls) -> None:
    await controls.lead(1)
    controls.see(1, 2)
    assert await controls.copied() == {1, 2}


async def test_what_comes_while_nobody_leads_is_copied_by_whoever_leads_next(controls: Controls) -> None:
    controls.see(1, 2)
    assert await controls.copied() == set()
    assert await controls.lead(2) == {1, 2}
    await controls.lead(0)
    controls.see(3)
    assert await controls.lead(2) == {1, 2, 3}, "a lead that lapses for a moment leaves nothing out"


async def test_what_is_long_past_is_left_to_who_led_then(controls: Controls) -> None:
    controls.see(1)
    controls.now_s = dead._STANDBY_S + 1
    controls.see(2)
    assert await controls.lead(1) == {2}


async def test_one_that_never_leads_holds_a_bounded_amount(controls: Controls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead, "_HELD_MAX_BYTES", 10 * (1000 + dead._EACH_BYTES))
    controls.see(*range(100), size=1000)
    assert len(controls.second._standby) == 10
    assert await controls.lead(2) == set(range(90, 100)), "the latest are kept"
    assert (controls.second._held_bytes, controls.second.not_copied) == (0, 0)


async def test_a_flood_is_counted_where_it_is_too_much_to_copy(
    controls: Controls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead, "_HELD_MAX_BYTES", 10 * (1000 + dead._EACH_BYTES))
    await controls.lead(1)
    controls.see(*range(100), size=1000)
    assert controls.first.not_copied == 90
    assert await controls.copied() == set(range(10))
