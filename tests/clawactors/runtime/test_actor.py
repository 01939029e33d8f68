"""One aggregate in one process: races, doubt, staleness. A purse stands for any aggregate."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from clawactors.eventlog import (
    Codec,
    Draft,
    EventLog,
    FromTheFuture,
    InProcessLog,
    Malformed,
    Record,
    TooLarge,
    Unavailable,
)
from clawactors.kernel.decider import Decider
from clawactors.kernel.errors import Refused
from clawactors.kernel.fold import Snapshot
from clawactors.kernel.kind import Kind
from clawactors.runtime.actor import Actor
from clawactors.runtime.clock import SystemClock
from clawactors.runtime.context import ActorContext
from clawactors.systems.tasks import Task
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.kind import TASKS
from tests.clawactors.runtime.cluster import ManualClock, all_turns


class Put(msgspec.Struct, frozen=True, tag="purse.put"):
    coin: int
    note: str = ""


class Took(msgspec.Struct, frozen=True, tag="purse.took"):
    coin: int


CODEC: Codec[Put | Took] = Codec(Put | Took)
type Purse = frozenset[int]


class Add(msgspec.Struct, frozen=True):
    """Refused when the coin is in already, so that a doubled append can't hide."""

    coin: int
    note: str = ""


class Take(msgspec.Struct, frozen=True):
    coin: int


def decide(command: Add | Take, purse: Purse) -> tuple[Put | Took, ...]:
    match command:
        case Add() if command.coin in purse:
            raise Refused(f"coin {command.coin} is in already")
        case Add():
            return (Put(command.coin, command.note),)
        case Take() if command.coin not in purse:
            raise Refused(f"coin {command.coin} is not in")
        case Take():
            return (Took(command.coin),)


def evolve(purse: Purse, event: Put | Took, at_ns: int) -> Purse:
    return purse | {event.coin} if isinstance(event, Put) else purse - {event.coin}


PURSE: Decider[Add | Take, Purse, Put | Took] = Decider("purse", frozenset(), decide, evolve)
PURSES: Kind[Add | Take, Purse, Put | Took] = Kind(
    name="purse",
    decider=PURSE,
    codec=CODEC,
    command_decoder=msgspec.json.Decoder(Add),
    command_of=lambda command, by, at_ns: command,
)
FUTURE = b'{"v":1,"events":[{"type":"purse.melted"}]}'


class GatedLog:
    """A log whose calls stop where a test wants, so that others come in between."""

    def __init__(self, log: InProcessLog) -> None:
        self.log = log
        self.before: Callable[[], Any] | None = None
        self.after: Callable[[], Any] | None = None
        self.between_batches: Callable[[], Any] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.log, name)

    async def append(self, draft: Draft, expected: int) -> int:
        if (before := self.before) is not None:
            self.before = None
            await before()
        version = await self.log.append(draft, expected)
        if (after := self.after) is not None:
            self.after = None
            await after()
        return version

    async def read(self, patterns: list[str], *, after: int = 0) -> AsyncIterator[list[Record]]:
        async for batch in self.log.read(patterns, after=after):
            for record in batch:
                yield [record]
                if (between := self.between_batches) is not None:
                    self.between_batches = None
                    await between()


def actor(log: Any, known: Snapshot[Purse] | None = None) -> Actor[Add | Take, Purse, Put | Took]:
    return Actor(ActorContext(log, ManualClock(roll=0.0), "test/purse"), PURSES, "p", known)


def stored(log: InProcessLog) -> list[Put | Took]:
    events: list[Put | Took] = []
    for record in log._records:
        with contextlib.suppress(Malformed, FromTheFuture):
            events += CODEC.decode(record.body)
    return events


def hand_made(log: InProcessLog, body: bytes, tail: str = "log") -> int:
    return log.publish(f"claw.purse.p.{tail}", body)


async def test_of_two_that_race_one_is_first_and_the_other_decides_again_on_what_it_sees() -> None:
    log = InProcessLog()
    first, second = actor(log), actor(log)
    assert await asyncio.gather(first.handle(Add(1)), second.handle(Add(2))) == [True, True]
    assert [event.coin for event in stored(log)] == [1, 2]
    assert second.state == {1, 2}
    assert second.version == 2


async def test_of_two_that_take_the_same_one_is_refused_and_nothing_is_written_for_it() -> None:
    log = InProcessLog()
    await actor(log).handle(Add(1))
    outcomes = await asyncio.gather(
        *(actor(log, Snapshot(frozenset({1}), 1)).handle(Take(1)) for _ in range(5)), return_exceptions=True
    )
    assert sum(outcome is True for outcome in outcomes) == 1
    assert sum(isinstance(outcome, Refused) for outcome in outcomes) == 4
    assert stored(log) == [Put(1), Took(1)]


async def test_a_refusal_on_a_stale_state_reads_first() -> None:
    log = InProcessLog()
    stale = actor(log)
    await actor(log).handle(Add(1))
    assert await stale.handle(Take(1))
    with pytest.raises(Refused, match="is not in"):
        await stale.handle(Take(1))


async def test_a_repeat_writes_nothing() -> None:
    log = InProcessLog()
    quiet: Decider[Add | Take, Purse, Put | Took] = Decider("purse", frozenset(), lambda command, purse: (), evolve)
    assert not await Actor(ActorContext(log, ManualClock(), "test/purse"), replace(PURSES, decider=quiet), "p").handle(
        Add(1)
    )
    assert log.last_seq == 0


@pytest.mark.parametrize("point", ["before", "after"])
async def test_an_append_in_doubt_goes_out_again_under_its_name_and_is_stored_once(point: str) -> None:
    left = [point]

    def fault(at: str, draft: Draft) -> None:
        if at in left:
            left.remove(at)
            raise Unavailable("the wire broke")

    log = InProcessLog(fault=fault)
    purse = actor(log)
    with pytest.raises(Unavailable):
        await purse.handle(Add(1))
    assert purse.state == frozenset()
    assert purse.ahead == {1}
    assert await purse.flush()
    assert stored(log) == [Put(1)]
    assert (purse.state, purse.version) == ({1}, 1)


async def test_what_is_noted_after_an_append_in_doubt_is_not_sent_under_its_name() -> None:
    left = ["after"]

    def fault(at: str, draft: Draft) -> None:
        if at in left:
            left.remove(at)
            raise Unavailable("the wire broke")

    log = InProcessLog(fault=fault)
    purse = actor(log)
    with pytest.raises(Unavailable):
        await purse.handle(Add(1))
    purse.note(Add(2))
    await purse.flush()
    assert stored(log) == [Put(1), Put(2)]
    assert purse.version == 2


async def test_an_append_in_doubt_that_was_stored_before_somebody_elses_is_told_from_a_lost_race() -> None:
    left = ["after"]

    def fault(at: str, draft: Draft) -> None:
        if at in left and draft.by == "test/purse":
            left.remove(at)
            raise Unavailable("the wire broke")

    log = InProcessLog(fault=fault)
    purse = actor(log)
    with pytest.raises(Unavailable):
        await purse.handle(Add(1))
    other = Actor(ActorContext(log, ManualClock(), "test/other"), PURSES, "p")
    await other.catch_up()
    await other.handle(Add(2))
    purse.note(Add(3))
    await purse.flush()
    assert stored(log) == [Put(1), Put(2), Put(3)]


@settings(max_examples=200, deadline=None)
@given(
    faults=st.lists(st.sampled_from(["before", "after", ""]), max_size=25),
    rivals=st.lists(st.booleans(), max_size=25),
    bursts=st.lists(st.integers(1, 3), min_size=1, max_size=6),
)
def test_whatever_point_fails_each_command_is_recorded_once_and_in_order(
    faults: list[str], rivals: list[bool], bursts: list[int]
) -> None:
    async def scenario() -> None:
        schedule, coming, coin = iter(faults), iter(rivals), iter(range(1000, 2000))
        fated = ""

        def fault(at: str, draft: Draft) -> None:
            nonlocal fated
            if draft.by != "test/purse":
                return
            if at == "before":
                fated = next(schedule, "")
            if fated == at:
                raise Unavailable("the wire broke")

        log = InProcessLog(fault=fault)
        purse = actor(log)
        wanted = 0
        for burst in bursts:
            for _ in range(burst):
                wanted += 1
                purse.note(Add(wanted))
            while True:
                if next(coming, False):
                    other = Actor(ActorContext(log, ManualClock(), "test/other"), PURSES, "p")
                    await other.handle(Add(next(coin)))
                try:
                    await purse.flush()
                    break
                except Unavailable:
                    continue
        mine = [event.coin for event in stored(log) if event.coin < 1000]
        assert mine == list(range(1, wanted + 1))
        await purse.catch_up()
        assert purse.state == {event.coin for event in stored(log)}

    asyncio.run(scenario())


async def test_what_is_noted_while_an_append_is_under_way_goes_out_with_the_next() -> None:
    log = GatedLog(InProcessLog())
    purse = actor(log)

    async def meanwhile() -> None:
        purse.note(Add(2))
        purse.note(Take(1))

    log.before = meanwhile
    await purse.handle(Add(1))
    assert stored(log.log) == [Put(1)]
    assert (purse.state, purse.ahead) == ({1}, {2})
    await purse.flush()
    assert stored(log.log) == [Put(1), Put(2), Took(1)]
    assert log.last_seq == 2
    assert (purse.state, purse.ahead) == ({2}, {2})


async def test_its_own_commit_may_come_back_by_a_follower_before_the_answer() -> None:
    log = GatedLog(InProcessLog())
    purse = actor(log)

    async def meanwhile() -> None:
        purse.note(Add(2))
        assert purse.observe(log._records[0])

    log.after = meanwhile
    assert await purse.handle(Add(1))
    assert (purse.state, purse.ahead) == ({1}, {1, 2})
    assert await purse.flush()
    assert stored(log.log) == [Put(1), Put(2)]
    assert purse.version == 2


async def test_its_own_commit_may_come_back_by_a_read_before_the_answer() -> None:
    log = GatedLog(InProcessLog())
    purse = actor(log)
    await purse.handle(Add(3))

    async def meanwhile() -> None:
        await actor(log.log).handle(Add(7))
        await purse.catch_up()

    log.after = meanwhile
    assert await purse.handle(Add(1))
    assert stored(log.log) == [Put(3), Put(1), Put(7)]
    assert purse.state == {1, 3, 7}


async def test_one_that_knows_nothing_finishes_its_own_append_before_it_asks_for_the_state() -> None:
    log = GatedLog(InProcessLog())
    purse, asking = actor(log), asyncio.Event()

    async def meanwhile() -> None:
        asking.set()
        await actor(log.log).handle(Add(7))

    log.after = meanwhile
    writing = asyncio.create_task(purse.handle(Add(1)))
    await asking.wait()
    await asyncio.gather(purse.catch_up(), writing)
    assert stored(log.log) == [Put(1), Put(7)]
    assert purse.state == {1, 7}


async def test_a_read_that_comes_back_late_does_not_take_an_append_under_way_for_lost() -> None:
    log = GatedLog(InProcessLog())
    purse = actor(log)
    await purse.handle(Add(1))
    slow = actor(log.log)  # somebody else, so that there is something to read
    await slow.handle(Add(2))
    gate, reading = asyncio.Event(), asyncio.Event()

    async def hold_the_read() -> None:
        reading.set()
        await gate.wait()

    log.between_batches = hold_the_read
    late = asyncio.create_task(purse.catch_up())
    await reading.wait()
    await purse.catch_up()  # the flush of somebody else brought the same records first
    purse.note(Add(3))

    async def let_the_read_end() -> None:
        gate.set()
        await late

    log.after = let_the_read_end
    assert await purse.flush()
    assert stored(log.log) == [Put(1), Put(2), Put(3)]
    assert purse.state == {1, 2, 3}


async def test_nothing_is_appended_on_a_state_that_was_read_but_not_decided_on_again() -> None:
    log = GatedLog(InProcessLog())
    await actor(log.log).handle(Add(1))
    purse = actor(log.log, Snapshot(frozenset({1}), 1))
    rival = actor(log.log, Snapshot(frozenset({1}), 1))
    await rival.handle(Take(1))
    await rival.handle(Add(5))
    purse.context.log = log  # type: ignore[assignment]
    purse.note(Take(1))

    async def meanwhile() -> None:
        with pytest.raises(Refused):
            await purse.flush()

    log.between_batches = meanwhile
    await purse.catch_up()
    assert not await purse.flush()
    assert stored(log.log) == [Put(1), Took(1), Put(5)]


async def test_observing_the_next_commit_folds_it_and_decides_the_notes_again() -> None:
    log = InProcessLog()
    purse = actor(log)
    await actor(log).handle(Add(1))
    purse.note(Add(2))
    assert purse.observe(log._records[0])
    assert (purse.state, purse.ahead, purse.version) == ({1}, {1, 2}, 1)
    await purse.flush()
    assert stored(log) == [Put(1), Put(2)]


async def test_observing_behind_a_gap_changes_nothing_until_it_catches_up() -> None:
    log = InProcessLog()
    other, purse = actor(log), actor(log)
    await other.handle(Add(1))
    await other.handle(Add(2))
    assert not purse.observe(log._records[1])
    assert purse.version == 0
    await purse.catch_up()
    assert purse.state == {1, 2}
    assert purse.observe(log._records[1]), "what is known already is no gap"


async def test_observing_what_makes_the_notes_illegal_refuses_and_drops_them() -> None:
    log = InProcessLog()
    other, purse = actor(log), actor(log)
    await other.handle(Add(1))
    purse.note(Add(2))
    purse.note(Add(1))
    with pytest.raises(Refused):
        purse.observe(log._records[0])
    assert purse.ahead == purse.state == {1}
    assert not await purse.flush()
    assert stored(log) == [Put(1)]


async def test_each_that_waits_hears_of_the_refusal_that_dropped_its_command() -> None:
    log = GatedLog(InProcessLog())
    purse = actor(log)
    second: list[asyncio.Task[bool]] = []

    async def meanwhile() -> None:
        second.append(asyncio.create_task(purse.handle(Add(2))))
        await all_turns()
        await actor(log.log).handle(Add(1))

    log.before = meanwhile
    with pytest.raises(Refused):
        await purse.handle(Add(1))
    with pytest.raises(Refused):
        await second[0]
    assert stored(log.log) == [Put(1)]
    assert await purse.handle(Add(2)), "and it goes on afterwards"


async def test_a_refused_command_takes_those_given_with_it_along() -> None:
    log = InProcessLog()
    purse = actor(log)
    with pytest.raises(Refused):
        await purse.handle(Add(1), Take(5))
    await purse.handle(Add(2))
    assert stored(log) == [Put(2)]


async def test_an_aggregate_with_an_event_of_a_later_release_refuses_for_good() -> None:
    log = InProcessLog()
    purse = actor(log)
    await purse.handle(Add(1))
    hand_made(log, FUTURE)
    for _ in range(3):
        with pytest.raises(Refused, match="needs a newer release"):
            await purse.handle(Add(2))
    assert not await purse.flush()
    with pytest.raises(Refused, match="needs a newer release"):
        await actor(log).catch_up()
    fresh = actor(log)
    with pytest.raises(Refused, match="needs a newer release"):
        await fresh.handle(Add(3))
    assert log.last_seq == 2


async def test_an_aggregate_known_to_be_frozen_refuses_without_a_read() -> None:
    purse = actor(InProcessLog(), Snapshot(frozenset(), 3, "a later release wrote here"))
    with pytest.raises(Refused, match="needs a newer release"):
        purse.note(Add(1))


@pytest.mark.parametrize(
    "garbage", [b"", b"{", b"\xff", b'{"v":1,"events":[]}', b'{"v":1,"events":[{"type":"purse.put"}]}']
)
async def test_malformed_records_count_as_versions_and_change_nothing(garbage: bytes) -> None:
    log = InProcessLog()
    hand_made(log, garbage)
    purse = actor(log)
    await purse.handle(Add(1))
    hand_made(log, garbage, "to.n1")
    hand_made(log, garbage, "else.where")
    await purse.handle(Add(2))
    assert stored(log)[-2:] == [Put(1), Put(2)] if garbage != FUTURE else True
    assert (purse.state, purse.version) == ({1, 2}, 5)


async def test_what_the_log_can_not_take_is_refused_alone_and_is_not_tried_again() -> None:
    log = InProcessLog()
    purse = actor(log)
    purse.note(Add(1, "x" * 400_000))
    purse.note(Add(2, "x" * 400_000))
    purse.note(Add(3, "x" * 2_000_000))
    purse.note(Add(4))
    with pytest.raises(TooLarge):
        await purse.flush()
    assert [event.coin for event in stored(log)] == [1, 2], "many that fit one by one are stored"
    assert purse.ahead == purse.state
    assert await purse.handle(Add(5))


async def test_a_cancelled_append_is_one_in_doubt() -> None:
    log = GatedLog(InProcessLog())
    purse = actor(log)
    never, stopped = asyncio.Event(), asyncio.Event()

    async def hang() -> None:
        stopped.set()
        await never.wait()

    log.after = hang
    flush = asyncio.create_task(purse.handle(Add(1)))
    await stopped.wait()
    flush.cancel()
    with pytest.raises(asyncio.CancelledError):
        await flush
    purse.note(Add(2))
    await purse.flush()
    assert stored(log.log) == [Put(1), Put(2)]


async def test_actors_that_race_on_any_log_lose_nothing_and_agree(log: EventLog) -> None:
    """The same on a real server, where answers and reads take their time."""

    def hand(name: str) -> Actor[c.TaskCommand, Task, e.TaskEvent]:
        return Actor(ActorContext(log, SystemClock(), f"test/{name}"), TASKS, "raced")

    def heard(task: Task) -> list[tuple[int, int]]:
        entries = (task.journal.nth("signal:n", nth) for nth in range(30))
        return [tuple(entry.result) for entry in entries if entry is not None]

    await hand("first").handle(c.Submit(e.Spec(skill="echo")))
    hands = [hand(str(n)) for n in range(5)]
    for each in hands:
        await each.catch_up()
    await asyncio.gather(*(each.handle(c.Signal("n", [n, k])) for n, each in enumerate(hands) for k in range(6)))
    for each in hands:
        await each.catch_up()
        assert (each.version, heard(each.state)) == (hands[0].version, heard(hands[0].state))
    signals = heard(hands[0].state)
    assert sorted(signals) == [(n, k) for n in range(5) for k in range(6)]
    assert all([k for m, k in signals if m == n] == list(range(6)) for n in range(5)), "each hand's own order is kept"


@pytest.mark.parametrize("seed", range(60))
async def test_many_hands_on_one_purse_lose_and_double_nothing(seed: int) -> None:
    """Handles, late reads and observations of one actor, interleaved at every point, beside rivals and a bad wire."""
    chance = random.Random(seed)

    class Slow(GatedLog):
        async def turns(self) -> None:
            for _ in range(chance.choice((0, 0, 1, 3))):
                await asyncio.sleep(0)

        async def append(self, draft: Draft, expected: int) -> int:
            await self.turns()
            if chance.random() < 0.1:
                raise Unavailable("before")
            version = await self.log.append(draft, expected)
            await self.turns()
            if chance.random() < 0.1:
                raise Unavailable("after")
            return version

        async def read(self, patterns: list[str], *, after: int = 0) -> AsyncIterator[list[Record]]:
            await self.turns()
            async for batch in self.log.read(patterns, after=after):
                for record in batch:
                    yield [record]
                    await self.turns()

    log = InProcessLog()
    purse, coins = actor(Slow(log)), iter(range(1, 1000))
    wanted: set[int] = set()

    async def hand() -> None:
        for _ in range(6):
            coin = next(coins)
            wanted.add(coin)
            purse.note(Add(coin))
            while True:
                try:
                    await purse.flush()
                    break
                except Unavailable:
                    continue
            assert coin in purse.state, "a flush that returned has written what was noted before it"

    async def rival() -> None:
        for _ in range(6):
            coin = next(coins)
            wanted.add(coin)
            await actor(log).handle(Add(coin))
            for _ in range(chance.randint(0, 6)):
                await asyncio.sleep(0)

    async def reader() -> None:
        for _ in range(12):
            if chance.random() < 0.5 and log._records:
                purse.observe(chance.choice(log._records))
            else:
                await purse.catch_up()
            await asyncio.sleep(0)

    await asyncio.gather(hand(), hand(), hand(), rival(), rival(), reader(), reader())
    assert sorted(event.coin for event in stored(log)) == sorted(wanted), f"seed {seed}"
    await purse.catch_up()
    assert purse.state == purse.ahead == wanted
