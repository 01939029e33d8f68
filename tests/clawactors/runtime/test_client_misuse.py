"""Programs that use a client wrongly, as many do: closed too early, in two event loops, with wrong arguments."""

import asyncio
from datetime import UTC, date, datetime
from typing import Any

import pytest

from clawactors.eventlog import Closed, EventLogError, Unavailable
from clawactors.kernel.errors import InvalidQuery, Refused
from clawactors.runtime.client import ClusterClient
from clawactors.runtime.client.submitting import TaskRequest
from clawactors.runtime.times import moment_ns
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks.external import request_of
from clawactors.systems.tasks.submission import spec_of
from tests.clawactors.runtime.cluster import ANSWERING, PATIENCE_S, Cluster

CALLS = {
    "submit": lambda client: client.submit("echo"),
    "submit_many": lambda client: client.submit_many([TaskRequest("t2", spec_of("echo"))]),
    "run": lambda client: client.run("echo"),
    "result": lambda client: client.ref("t1").result(),
    "ended": lambda client: anext(client.ended(["t1"])),
    "cancel": lambda client: client.cancel("t1"),
    "snapshot": lambda client: client.snapshot("t1"),
    "tasks": lambda client: client.tasks(),
    "stream": lambda client: anext(client.ref("t1").stream()),
    "blob": lambda client: client.blob("0" * 64),
    "remember": lambda client: client.remember("a note"),
    "recall": lambda client: client.recall("a note"),
}


def hangs(call: Any) -> Any:
    return asyncio.wait_for(call, PATIENCE_S)


@pytest.mark.parametrize("name", CALLS)
async def test_a_closed_client_says_so_at_once(cluster: Cluster, name: str) -> None:
    client = cluster.client()
    await client.submit("echo", id="t1")
    client.close()
    with pytest.raises(Closed, match="connect another"):
        await hangs(CALLS[name](client))


@pytest.mark.parametrize("name", CALLS)
async def test_another_event_loop_is_refused_and_disturbs_nothing(cluster: Cluster, name: str) -> None:
    client = cluster.client()
    await client.submit("echo", id="t1")

    def in_another_loop() -> None:
        async def call() -> None:
            await hangs(CALLS[name](client))

        asyncio.run(call())

    with pytest.raises(RuntimeError, match="another event loop"):
        await asyncio.to_thread(in_another_loop)
    assert (await client.submit("echo", id="t2")).id == "t2"


async def test_what_waits_when_a_client_is_closed_is_told_and_not_cancelled(cluster: Cluster) -> None:
    client = cluster.client()
    ref = await client.submit("echo", id="t1")
    await cluster.kill(ANSWERING)  # from now on no answer comes
    calls = (ref.result(), client.run("echo", id="t2"), client.cancel("t1"), client.cancel("t1"), client.tasks())
    waiting = [asyncio.create_task(call) for call in calls]
    await cluster.until(lambda: len(client.sender._sending) > 0 and "t2" in client.ends._awaited)
    client.close()
    for outcome in await hangs(asyncio.gather(*waiting, return_exceptions=True)):
        assert isinstance(outcome, Closed | Unavailable), outcome
    await cluster.until(lambda: not client.sender._sending)


async def test_a_command_whose_caller_gave_up_before_it_was_sent_is_never_sent(cluster: Cluster) -> None:
    client = cluster.client()
    await client.submit("echo", id="t1")
    late = asyncio.create_task(client.sender.ask("task", "t2", request_of(c.Submit(spec_of("echo")))))
    await asyncio.sleep(0)
    late.cancel()
    await client.submit("echo", id="t3")
    assert cluster.named("t2") == []


async def test_an_unforeseen_failure_of_registering_reaches_who_waits(cluster: Cluster) -> None:
    client = cluster.client()
    ref = await client.submit("echo", id="t1")

    async def fails(*_: Any) -> bytes:
        raise OverflowError("unforeseen")

    cluster.links[client.process.by].request = fails  # type: ignore[method-assign]
    with pytest.raises(OverflowError, match="unforeseen"):
        await ref.result(PATIENCE_S)


WRONG: dict[str, Any] = {
    "an id that is a number": lambda client: client.submit("echo", id=5),
    "a handle for an id": lambda client: client.submit("echo", after=[client.ref("t1")]),
    "an empty key": lambda client: client.submit("echo", key=""),
    "a key that is a number": lambda client: client.submit("echo", key=5),
    "a timeout that is text": lambda client: client.ref("t1").result("5"),
    "a timeout that is no number": lambda client: client.ref("t1").result(float("nan")),
    "one id for many": lambda client: client.change_many("t1", client.cancel),
    "one id for many ends": lambda client: anext(client.ended("t1")),
    "handles for many ends": lambda client: anext(client.ended([client.ref("t1")])),
    "a limit that is text": lambda client: client.tasks(limit="10"),
    "a limit that is True": lambda client: client.tasks(limit=True),
    "a status that is a number": lambda client: client.tasks(status=5),
    "a time without a zone": lambda client: client.tasks(since=datetime(2026, 1, 1)),  # noqa: DTZ001
    "a date": lambda client: client.tasks(since=date(2026, 1, 1)),
    "a float": lambda client: client.tasks(until=1.5),
    "half a character": lambda client: client.tasks(skill="\ud800"),
    "a silence that is no number": lambda client: client.tasks(silent_s=float("nan")),
}


@pytest.mark.parametrize("wrong", WRONG)
async def test_arguments_of_wrong_types_are_refused_with_the_reason(cluster: Cluster, wrong: str) -> None:
    client = cluster.client()
    await client.submit("echo", id="t1")
    with pytest.raises(Refused):
        await hangs(WRONG[wrong](client))
    assert client.ends._awaited == {}


def test_times_beyond_what_64_bits_hold_mean_always_and_never() -> None:
    assert moment_ns(datetime.max.replace(tzinfo=UTC)) == moment_ns(2**70) == 2**63 - 1
    assert moment_ns(datetime.min.replace(tzinfo=UTC)) == moment_ns(-(2**70)) == -(2**63)
    with pytest.raises(InvalidQuery, match="no zone"):
        moment_ns("2026-01-01T00:00:00")


async def test_that_nobody_answers_a_change_of_many_is_one_error(cluster: Cluster) -> None:
    client: ClusterClient = cluster.client()

    async def nobody(id: str) -> Any:
        raise Unavailable(f"nobody answers for {id}")

    with pytest.raises(EventLogError, match="nobody answers"):
        await client.change_many(["t1", "t2"], nobody)
