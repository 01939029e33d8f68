"""The publisher against a model of the server, fault by fault; then any faults in any order."""

import asyncio
import itertools
from collections.abc import Iterator
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clawactors.eventlog import Draft, Misconfigured, PermissionDenied, TooLarge, Unavailable, WrongVersion
from clawactors.eventlog.jetstream.log import backlog, publisher
from clawactors.eventlog.jetstream.log.publisher import Publisher
from clawactors.eventlog.jetstream.log.verdict import StreamWitness
from clawactors.eventlog.jetstream.wire.connection import Connection
from tests.eventlog.model_server import Event, Message, ModelConnection

QUICKLY_S = 0.01


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting times of a model, not of a network."""
    monkeypatch.setattr(publisher, "SWEEP_S", 0.005)
    monkeypatch.setattr(publisher, "SHORTEST_WAIT_S", 0.0002)
    monkeypatch.setattr(publisher, "LONGEST_WAIT_S", 0.002)
    monkeypatch.setattr(publisher, "RECALL_S", 0.001)


def draft(id: str = "a", commit: str = "c1", body: bytes = b"{}") -> Draft:
    return Draft("task", id, body, commit)


def events(*some: Event) -> Iterator[Event]:
    return iter(some)


def on(model: ModelConnection, timeout_s: float = 5, answer_s: float = 1) -> Publisher:
    connection = cast("Connection", model)
    return Publisher(connection, "E", StreamWitness(connection, "E"), timeout_s, answer_s=answer_s)


async def rounds(model: ModelConnection, count: int) -> None:
    """Returns when so many rounds have gone out."""
    for _ in range(10_000):
        if len(model.rounds) >= count:
            return
        await asyncio.sleep(0)
    raise AssertionError(f"{len(model.rounds)} rounds went out, not {count}")


async def burst(to: Publisher, count: int, commit: str = "c") -> list[int | BaseException]:
    return await asyncio.gather(
        *(to.append(draft(f"t{n}", f"{commit}{n}"), 0) for n in range(count)), return_exceptions=True
    )


async def test_one_append_goes_alone_and_at_once() -> None:
    model = ModelConnection()
    assert await on(model).append(draft(), 0) == 1
    assert "Nats-Batch-Id" not in model.stored[0].fields


async def test_a_crowd_leaves_as_one_batch_whose_ends_ask_for_answers() -> None:
    model = ModelConnection()
    assert await burst(on(model), 100) == list(range(1, 101))
    (batch,) = model.rounds
    assert [message.fields["Nats-Batch-Sequence"] for message in batch] == [str(n) for n in range(1, 101)]
    assert [bool(message.reply) for message in batch] == [True, *[False] * 98, True]
    assert ["Nats-Batch-Commit" in message.fields for message in batch] == [*[False] * 99, True]


async def test_a_batch_has_at_most_a_thousand_appends_and_eight_megabytes() -> None:
    model = ModelConnection()
    await burst(on(model), 2500)
    assert max(map(len, model.rounds)) == 1000
    model = ModelConnection()
    to = on(model)
    await asyncio.gather(*(to.append(draft(f"t{n}", body=b"x" * 900_000), 0) for n in range(20)))
    assert max(sum(len(message.body) for message in batch) for batch in model.rounds) <= 8 << 20


async def test_at_most_two_batches_are_in_flight() -> None:
    model = ModelConnection(events("late", "late", "late", "late"))
    to = on(model, answer_s=1)
    waiting = asyncio.ensure_future(burst(to, 3500))
    await rounds(model, 2)
    await asyncio.sleep(0)  # a third one would have gone out in the turn of the second
    assert len(model.rounds) == 2
    assert await waiting == list(range(1, 3501))


async def test_a_server_that_has_become_slow_is_not_asked_again_before_its_answer_can_come() -> None:
    model = ModelConnection(events("late", "late"))
    to = on(model, answer_s=0.012)  # the model is late by 0.02 s
    await to.append(draft("a"), 0)
    sent = len(model.rounds)
    assert sent > 1  # nothing was known of it, so the first was asked again
    await to.append(draft("b"), 0)
    assert len(model.rounds) == sent + 1


async def test_two_of_one_aggregate_are_never_on_the_way_together() -> None:
    model = ModelConnection()
    to = on(model)
    appends = [to.append(draft(f"t{n % 50}", f"c{n}"), 0) for n in range(200)]
    results = await asyncio.gather(*appends, return_exceptions=True)
    assert sum(isinstance(result, int) for result in results) == 50
    for batch in model.rounds:
        assert len({message.subject for message in batch}) == len(batch)


async def test_one_loser_costs_the_others_one_round() -> None:
    model = ModelConnection()
    to = on(model)
    await to.append(draft("t7"), 0)
    results = await burst(to, 100)
    assert isinstance(results[7], WrongVersion)
    assert sum(isinstance(result, int) for result in results) == 99
    assert len(model.rounds) == 1 + 2
    assert model.asked == 2  # whose message the refusal named, and what that aggregate holds


async def test_many_losers_cost_the_others_two_rounds() -> None:
    model = ModelConnection()
    to = on(model)
    for n in range(0, 100, 5):
        await to.append(draft(f"t{n}"), 0)
    before = len(model.rounds)
    results = await burst(to, 100)
    assert [n for n, result in enumerate(results) if isinstance(result, WrongVersion)] == list(range(0, 100, 5))
    assert len(model.rounds) - before == 3


async def test_a_refusal_that_names_nothing_is_bisected() -> None:
    model = ModelConnection()

    def refuse(batch: list[Message]) -> tuple[int, int, str] | None:
        wrong = any(message.subject == "claw.task.t33.log" for message in batch)
        return (400, 10071, "wrong last sequence: 0") if wrong else None

    model.refuse = refuse
    results = await burst(on(model), 64)
    assert [n for n, result in enumerate(results) if isinstance(result, WrongVersion)] == [33]
    assert len(model.rounds) <= 1 + 2 * 6 + 1


@pytest.mark.parametrize("fault", ["busy", "no stream", "lose message", "cut before", "not taken"])
async def test_what_was_not_stored_is_sent_again(fault: Event) -> None:
    model = ModelConnection(events(fault))
    assert await on(model, answer_s=QUICKLY_S).append(draft(), 0) == 1
    assert len(model.stored) == 1


@pytest.mark.parametrize("count", [1, 5, 100, 2500])
async def test_what_the_connection_did_not_take_goes_out_at_once_when_it_is_back(count: int) -> None:
    model = ModelConnection(events("not taken"))
    async with asyncio.timeout(5):
        results = await burst(on(model, timeout_s=60, answer_s=60), count)
    assert sorted(version for version in results if isinstance(version, int)) == list(range(1, count + 1))
    assert model.asked == 0, "nothing was in doubt"


async def test_an_append_that_never_left_says_so_when_its_time_is_over() -> None:
    model = ModelConnection()
    model.online = False
    with pytest.raises(Unavailable, match=r"no connection; gave up after 0\.05 s, the append was not sent"):
        await on(model, timeout_s=0.05).append(draft(), 0)


@pytest.mark.parametrize("fault", ["lose ack", "cut after"])
async def test_what_was_stored_without_an_answer_is_recognised(fault: Event) -> None:
    model = ModelConnection(events(fault))
    assert await on(model, answer_s=QUICKLY_S).append(draft(), 0) == 1
    assert len(model.stored) == 1


@pytest.mark.parametrize("fault", ["lose ack", "cut after", "lose message", "cut before", "busy", "no stream"])
async def test_a_whole_batch_in_doubt_is_settled(fault: Event) -> None:
    model = ModelConnection(events(fault))
    assert await burst(on(model, answer_s=QUICKLY_S), 80) == list(range(1, 81))
    assert len(model.stored) == 80


async def test_a_lost_answer_is_never_told_as_a_lost_race_though_others_went_on() -> None:
    model = ModelConnection(events("lose ack"))
    to = on(model, answer_s=QUICKLY_S)
    waiting = asyncio.ensure_future(to.append(draft(), 0))
    await rounds(model, 1)
    assert await on(model, answer_s=QUICKLY_S).append(draft(commit="other"), 1) == 2
    assert await waiting == 1


async def test_in_flight_elsewhere_is_no_verdict() -> None:
    model = ModelConnection(events("busy", "busy", "busy", "busy", "busy"))
    assert await on(model).append(draft(), 0) == 1


async def test_an_append_that_nothing_helps_is_unavailable_when_its_time_is_over() -> None:
    def forever() -> Iterator[Event]:
        while True:
            yield "lose message"

    model = ModelConnection(forever())
    with pytest.raises(Unavailable, match="may or may not be stored"):
        await on(model, timeout_s=0.05, answer_s=QUICKLY_S).append(draft(), 0)


class FullServer(ModelConnection):
    """Has no room for now: as the real one does, it says so to a single append and nothing at all to a batch."""

    def __init__(self) -> None:
        super().__init__()
        self.full, self.said_so = True, asyncio.Event()

    def _receive(self, batch: list[Message], event: Event) -> None:
        if not self.full:
            super()._receive(batch, event)
        elif len(batch) == 1:
            self._refuse(batch[0], 503, 10023, "insufficient storage")
            self.said_so.set()


async def test_a_batch_that_meets_a_full_store_reports_it_for_each_append() -> None:
    results = await burst(on(FullServer(), timeout_s=0.2, answer_s=QUICKLY_S), 200)
    assert len(results) == 200
    for result in results:
        assert isinstance(result, Unavailable)
        assert str(result).startswith("insufficient storage; gave up after")


async def test_a_batch_that_met_a_full_store_is_stored_once_there_is_room_and_old_trouble_is_forgotten() -> None:
    model = FullServer()
    to = on(model, timeout_s=2, answer_s=QUICKLY_S)
    waiting = asyncio.ensure_future(burst(to, 200))
    await model.said_so.wait()
    model.full = False
    assert sorted(cast("list[int]", await waiting)) == list(range(1, 201))
    model.events = itertools.repeat("lose message")
    with pytest.raises(Unavailable, match="no answer"):
        await to.append(draft(), 0)


async def test_without_connection_appends_wait_and_then_fail() -> None:
    model = ModelConnection()
    model.online = False
    results = await burst(on(model, timeout_s=0.03), 50)
    assert all(isinstance(result, Unavailable) for result in results)
    assert model.rounds == []


async def test_a_forbidden_subject_fails_alone_and_at_once() -> None:
    model = ModelConnection()
    model.denied = {"claw.task.t3.log", "claw.task.t99.log"}
    results = await burst(on(model, answer_s=60), 100)
    denied = {n: result.subject for n, result in enumerate(results) if isinstance(result, PermissionDenied)}
    assert denied == {3: "claw.task.t3.log", 99: "claw.task.t99.log"}
    assert sum(isinstance(result, int) for result in results) == 98
    assert len(model.rounds) <= 4


async def test_a_forbidden_single_append_fails_at_once() -> None:
    model = ModelConnection()
    model.denied = {"claw.task.a.log"}
    with pytest.raises(PermissionDenied, match=r"claw\.task\.a\.log"):
        await on(model, answer_s=60).append(draft(), 0)


async def test_a_stream_without_batches_is_named() -> None:
    model = ModelConnection()
    model.refuse = lambda batch: (400, 10174, "atomic publish is disabled") if len(batch) > 1 else None
    results = await burst(on(model), 50)
    assert all(isinstance(result, Misconfigured) and "allow_atomic" in str(result) for result in results)


async def test_a_batch_that_the_server_finds_too_large_is_halved() -> None:
    model = ModelConnection()
    model.refuse = lambda batch: (400, 10199, "atomic publish batch is too large") if len(batch) > 20 else None
    assert all(isinstance(result, int) for result in await burst(on(model), 100))


async def test_a_message_that_the_stream_finds_too_large_fails_alone() -> None:
    model = ModelConnection()
    model.refuse = lambda batch: (400, 10054, "too large") if any(b"big" in each.body for each in batch) else None
    to = on(model)
    appends = [to.append(draft(f"t{n}", body=b"big" if n == 5 else b"{}"), 0) for n in range(40)]
    results = await asyncio.gather(*appends, return_exceptions=True)
    assert [n for n, result in enumerate(results) if isinstance(result, TooLarge)] == [5]


async def test_what_is_held_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "MOST_APPENDS", 100)
    model = ModelConnection()
    to = on(model)
    results = await burst(to, 1000)
    assert sorted(cast("list[int]", results)) == list(range(1, 1001))
    assert max(map(len, model.rounds)) <= 100


async def test_giving_up_many_appends_leaves_nothing_behind() -> None:
    model = ModelConnection(events("late", "late"))
    to = on(model)
    waiting = asyncio.ensure_future(to.append_many([(draft(f"t{n}"), 0) for n in range(50)]))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await to.append(draft("t49"), 0) <= len(model.stored)
    with pytest.raises(ValueError, match="subject"):
        await to.append_many([(draft("good"), 0), (draft("not good"), 0)])


async def test_one_append_that_waits_long_keeps_no_ended_ones() -> None:
    stuck: Iterator[Event] = iter(["lose message"])
    model = ModelConnection(stuck)
    to = on(model, timeout_s=60, answer_s=60)
    waiting = asyncio.ensure_future(to.append(draft("stuck"), 0))
    await rounds(model, 1)
    for n in range(3):
        await to.append_many([(draft(f"m{n}-{k}"), 0) for k in range(1500)])
    assert not waiting.done()
    to._backlog.expire(0, lambda _: Unavailable("too late"))
    assert len(to._backlog._deadlines) < 1500
    waiting.cancel()


async def test_closing_the_connection_ends_all_that_wait() -> None:
    model = ModelConnection(events("lose message"))
    to = on(model, answer_s=60)
    waiting = asyncio.ensure_future(burst(to, 30))
    queued = asyncio.ensure_future(to.append(draft("t3", "second"), 0))
    await rounds(model, 1)
    model.online, model.is_closed = False, True
    for on_lost in model.on_lost:
        on_lost()
    assert all(isinstance(result, Unavailable) for result in await waiting)
    with pytest.raises(Unavailable):
        await queued
    with pytest.raises(Unavailable):
        await to.append(draft(), 0)


faults = st.lists(
    st.sampled_from(
        ["ok", "lose ack", "lose message", "busy", "no stream", "cut before", "cut after", "late", "not taken"]
    ),
    max_size=25,
)
writers = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 3)), min_size=1, max_size=60)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(faults, writers)
def test_whatever_happens_each_append_ends_with_the_truth(some: list[Event], plan: list[tuple[int, int]]) -> None:
    """Acknowledged = stored once at that version; lost = not stored and somebody else is; nothing is stored twice."""

    async def run() -> None:
        model = ModelConnection(iter(some))
        to = on(model, answer_s=QUICKLY_S)
        commits = [(f"t{id}", f"c{n}", expected) for n, (id, expected) in enumerate(plan)]
        results = await asyncio.gather(
            *(to.append(draft(id, commit), expected) for id, commit, expected in commits), return_exceptions=True
        )
        stored = {message.fields["Claw-Commit"]: seq for seq, message in enumerate(model.stored, 1)}
        assert len(stored) == len(model.stored)
        for (_, commit, expected), result in zip(commits, results, strict=True):
            if isinstance(result, int):
                assert stored[commit] == result
            else:
                assert isinstance(result, WrongVersion)
                assert commit not in stored
                assert result.actual != expected

    asyncio.run(run())
