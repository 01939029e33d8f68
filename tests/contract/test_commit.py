"""Commits over several aggregates, all of them or none (R-Q9), on every adapter of the log."""

import asyncio

import pytest

from clawactors.eventlog import Draft, EventLog, WrongVersion
from clawactors.eventlog.jetstream import JetStreamLog
from clawactors.kernel.errors import Refused
from clawactors.kinds import KINDS
from clawactors.runtime.call import Call
from clawactors.runtime.clock import SystemClock
from clawactors.runtime.context import ActorContext
from clawactors.runtime.dispatcher import Dispatcher
from clawactors.runtime.snapshots import LogSnapshots
from clawactors.systems.tasks import Task
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks.kind import TASKS
from clawactors.systems.tasks.submission import spec_of

BODY = b'{"v":1,"events":[{"type":"task.submitted","skill":"echo"}]}'


def draft(id: str, commit: str) -> Draft:
    return Draft("task", id, BODY, commit, by="client/test")


def dispatcher(log: EventLog) -> Dispatcher:
    return Dispatcher(ActorContext(log, SystemClock(), "control/test"), LogSnapshots(log))


def submit(id: str, text: str = "hi") -> Call:
    return Call(TASKS, id, (c.Submit(spec_of("echo", {"text": text})),))


async def state(log: EventLog, id: str) -> Task:
    known = await LogSnapshots(log).load(KINDS["task"], id)
    found: Task = known.snapshot.state
    return found


async def test_all_are_stored_in_order_with_a_version_each(log: EventLog) -> None:
    versions = await log.append_all([(draft("a", "c1"), 0), (draft("b", "c2"), 0), (draft("c", "c3"), 0)])
    assert versions == [1, 2, 3]
    assert (await log.head()).messages == 3


async def test_one_that_moved_on_refuses_all(log: EventLog) -> None:
    await log.append(draft("b", "other"), 0)
    with pytest.raises(WrongVersion, match="task/b"):
        await log.append_all([(draft("a", "c1"), 0), (draft("b", "c2"), 0)])
    assert (await log.head()).messages == 1


async def test_a_commit_that_is_sent_again_is_stored_once(log: EventLog) -> None:
    drafts = [(draft("a", "c1"), 0), (draft("b", "c2"), 0)]
    first = await log.append_all(drafts)
    assert await log.append_all(drafts) == first
    assert (await log.head()).messages == 2


async def test_a_thousand_are_one_commit(log: EventLog) -> None:
    versions = await log.append_all([(draft(f"t{n}", f"c{n}"), 0) for n in range(1000)])
    assert versions == list(range(1, 1001))


@pytest.mark.nats
async def test_a_lost_answer_is_found_out(jetstream_log: JetStreamLog, monkeypatch: pytest.MonkeyPatch) -> None:
    connection, write = jetstream_log.connection, jetstream_log.connection.write
    lost = []

    def write_and_lose(frames: bytes) -> bool:
        monkeypatch.setattr(connection, "write", write)
        lost.append(write(frames.replace(connection._replies.inbox.encode(), b"_INBOX.nobody")))
        return False  # the caller believes that nothing was sent

    monkeypatch.setattr(connection, "write", write_and_lose)
    versions = await jetstream_log.append_all([(draft("a", "c1"), 0), (draft("b", "c2"), 0)])
    assert lost == [True]
    assert versions == [1, 2]
    assert (await jetstream_log.head()).messages == 2


async def test_a_parent_and_its_children_exist_together_or_not_at_all(log: EventLog) -> None:
    dispatch = dispatcher(log)
    answers = await dispatch.commit([submit("parent"), submit("child-1"), submit("child-2")])
    assert [answer.version for answer in answers] == [1, 2, 3]
    with pytest.raises(Refused, match="task child-1 exists with different parameters; choose another id"):
        await dispatch.commit([submit("child-3"), submit("child-1", "something else")])
    assert not (await state(log, "child-3")).exists


async def test_a_command_that_comes_again_within_a_commit_has_had_its_effect(log: EventLog) -> None:
    dispatch = dispatcher(log)
    await dispatch.send(submit("a"))
    signal = Call(TASKS, "a", (c.Signal("go", 1),), command_id="once")
    [first] = await dispatch.commit([signal])
    [again, other] = await dispatch.commit([signal, submit("b")])
    assert (again.version, again.repeats, again.events) == (first.version, True, ())
    assert (other.version > first.version, other.repeats) == (True, False)
    assert (await state(log, "a")).journal.count("signal:go") == 1
    assert (await state(log, "b")).exists


async def test_a_race_at_one_has_all_decided_again(log: EventLog) -> None:
    one, other = dispatcher(log), dispatcher(log)
    await one.send(submit("a"))
    outcomes = await asyncio.gather(
        one.commit([Call(TASKS, "a", (c.Signal("go", n),)) for n in (1,)] + [submit("b")]),
        *(other.send(Call(TASKS, "a", (c.Signal("go", n),))) for n in range(2, 6)),
    )
    assert len(outcomes) == 5
    task = await state(log, "a")
    assert task.journal.count("signal:go") == 5
    assert (await state(log, "b")).exists


async def test_a_commit_names_each_aggregate_once_and_a_thousand_at_most(log: EventLog) -> None:
    dispatch = dispatcher(log)
    for calls in ([submit("a"), submit("a")], [], [submit(f"t{n}") for n in range(1001)]):
        with pytest.raises(Refused, match="each once"):
            await dispatch.commit(calls)
    assert (await log.head()).messages == 0
