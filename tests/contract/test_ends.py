"""Ends of tasks, rule 9 of "Asking": a result that is on record reaches who awaits it, whatever is lost on the way."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest

from clawactors import skill
from clawactors.eventlog import Unavailable
from clawactors.eventlog.leases import InProcessLeases
from clawactors.runtime.asking import EndNotice, RegisterReply, RegisterRequest
from clawactors.runtime.client import ClusterClient, TaskFailed
from clawactors.runtime.client import ends as listening
from clawactors.runtime.client.submitting import TaskRequest
from clawactors.runtime.control import ends as telling
from clawactors.runtime.node.context import TaskContext
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.submission import spec_of
from tests.clawactors.runtime.cluster import ANSWERING, PATIENCE_S, Cluster, Stage, all_turns
from tests.clawactors.runtime.test_node import Work

BEAT_S = 0.05
ADA = "client/ada"


@skill("end")
async def end(task: TaskContext, how: str) -> str:
    if how == "dead":
        raise RuntimeError("no luck")
    return how if how != "large" else how * 5000


@pytest.fixture
async def cluster() -> AsyncIterator[Stage]:
    async with Stage() as cluster:
        yield cluster


@pytest.fixture
def quick_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "_BEAT_S", BEAT_S)
    monkeypatch.setattr(listening, "_BEAT_S", BEAT_S)


class Wire:
    """What a client is told and asks, with a say in what of it arrives."""

    def __init__(self, cluster: Cluster) -> None:
        self.link = cluster.links[ADA]
        self.registered: list[RegisterRequest] = []
        self.notices: list[EndNotice] = []
        self.drops_notice: Callable[[EndNotice], bool] = lambda notice: False
        self.drops_request: Callable[[], bool] = lambda: False
        self.drops_reply: Callable[[], bool] = lambda: False
        subscribe, request = self.link.subscribe, self.link.request

        async def heard(pattern: str, on_message: Callable[[str, bytes], None]) -> Any:
            def take(subject: str, body: bytes) -> None:
                with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                    notice = msgspec.json.decode(body, type=EndNotice)
                    self.notices.append(notice)
                    if self.drops_notice(notice):
                        return
                on_message(subject, body)

            return await subscribe(pattern, take)

        async def asked(subject: str, body: bytes, timeout_s: float) -> bytes:
            if not subject.endswith(".await"):
                return await request(subject, body, timeout_s)
            if self.drops_request():
                raise Unavailable("the request was lost")
            self.registered.append(msgspec.json.decode(body, type=RegisterRequest))
            answer = await request(subject, body, timeout_s)
            if self.drops_reply():
                raise Unavailable("the reply was lost")
            return answer

        self.link.subscribe = heard  # type: ignore[method-assign]
        self.link.request = asked  # type: ignore[method-assign]

    @property
    def registered_ids(self) -> list[list[str]]:
        return [request.ids for request in self.registered]


async def awaiting(cluster: Stage, *ids: str) -> tuple[ClusterClient, Wire, dict[str, asyncio.Task[Any]]]:
    """A client that awaits tasks which are registered and go on by hand."""
    client = cluster.client(ADA)
    wire = Wire(cluster)
    await client.submit_many([TaskRequest(id, spec_of("by-hand")) for id in ids])
    waits = {id: asyncio.create_task(client.ref(id).result(PATIENCE_S)) for id in ids}
    await turns_until(lambda: wire.registered and not client.ends._unregistered)
    return client, wire, waits


async def complete(cluster: Stage, id: str, result: Any = None) -> None:
    fence = (await cluster.tell(id, c.ScheduleTask("n1", "i1"))).fence
    await cluster.tell(id, c.StartTask(fence), c.Complete(fence, result))


async def turns_until(holds: Callable[[], object]) -> None:
    """Lets the loop turn until it holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0)


async def test_many_that_are_awaited_in_one_turn_are_one_registration_and_many_ends_one_notice(
    cluster: Stage,
) -> None:
    ids = [f"t{n}" for n in range(100)]
    _, wire, waits = await awaiting(cluster, *ids)
    assert wire.registered_ids == [ids]
    cluster.links[ANSWERING]._up.clear()  # it folds them all at once
    for id in ids:
        await complete(cluster, id, id)
    cluster.links[ANSWERING]._up.set()
    assert await asyncio.gather(*waits.values()) == ids
    assert len([notice for notice in wire.notices if notice.ended]) <= 2
    assert wire.registered_ids == [ids], "nothing had to be asked again"


async def test_a_gap_in_the_numbers_registers_all_again(cluster: Stage) -> None:
    _, wire, waits = await awaiting(cluster, "a", "b", "c")
    wire.drops_notice = lambda notice: any(ended.id == "a" for ended in notice.ended)
    await complete(cluster, "a", 1)
    await all_turns()
    assert not waits["a"].done()
    await complete(cluster, "b", 2)
    assert await asyncio.gather(waits["a"], waits["b"]) == [1, 2]
    await complete(cluster, "c", 3)
    assert await waits["c"] == 3


async def test_a_gap_that_only_a_registration_shows_registers_the_others_again(cluster: Stage) -> None:
    client, wire, waits = await awaiting(cluster, "a", "b")
    wire.drops_notice = lambda notice: True
    await complete(cluster, "a", 1)
    await all_turns()
    wire.drops_notice = lambda notice: False
    await client.submit("by-hand", id="c")
    late = asyncio.create_task(client.ref("c").result(PATIENCE_S))  # its reply tells a number beyond the last one heard
    assert await waits["a"] == 1
    for id, wait in (("b", waits["b"]), ("c", late)):
        await complete(cluster, id, id)
        assert await wait == id


@pytest.mark.usefixtures("quick_beats")
async def test_a_heartbeat_shows_that_the_last_notice_was_lost(cluster: Stage) -> None:
    _, wire, waits = await awaiting(cluster, "a", "b")
    wire.drops_notice = lambda notice: bool(notice.ended)
    await complete(cluster, "a", 1)
    assert await waits["a"] == 1, "b is awaited there, so beats go on, and their number is ahead"
    waits["b"].cancel()


@pytest.mark.usefixtures("quick_beats")
async def test_three_missed_heartbeats_register_all_again(cluster: Stage) -> None:
    _, wire, waits = await awaiting(cluster, "a")
    wire.drops_notice = lambda notice: True
    before, loop = len(wire.registered), asyncio.get_running_loop()
    began_s = loop.time()
    await complete(cluster, "a", 1)
    assert await waits["a"] == 1
    assert len(wire.registered) > before
    assert loop.time() - began_s < PATIENCE_S / 2


@pytest.mark.usefixtures("quick_beats")
async def test_another_leader_is_told_all_that_is_awaited(cluster: Stage) -> None:
    _, wire, waits = await awaiting(cluster, "a", "b", "c")
    await cluster.kill(ANSWERING)
    await complete(cluster, "a", 1)  # while nobody leads
    cluster.answer()
    assert await waits["a"] == 1
    await complete(cluster, "b", 2)
    assert await waits["b"] == 2
    epochs = {notice.epoch for notice in wire.notices}
    await complete(cluster, "c", 3)
    assert await waits["c"] == 3
    assert len(epochs) == 1


async def test_a_notice_of_another_leader_registers_all_again(cluster: Stage) -> None:
    client, wire, waits = await awaiting(cluster, "a")
    before = len(wire.registered)
    cluster.requests.publish(f"claw.ended.ada.{client.name}", msgspec.json.encode(EndNotice("another", 7)))
    await turns_until(lambda: len(wire.registered) > before and not client.ends._unregistered)
    assert wire.registered_ids[-1] == ["a"]
    await complete(cluster, "a", 1)
    assert await waits["a"] == 1


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"epoch":1}', b"\xff", b"[" * 5000])
async def test_a_notice_that_is_none_disturbs_nobody(cluster: Stage, body: bytes) -> None:
    client, _, waits = await awaiting(cluster, "a")
    cluster.requests.publish(f"claw.ended.ada.{client.name}", body)
    await complete(cluster, "a", 1)
    assert await waits["a"] == 1


async def test_a_registration_that_is_lost_either_way_is_made_again(cluster: Stage) -> None:
    client = cluster.client(ADA)
    wire, losses = Wire(cluster), iter([True, False, True, False])
    wire.drops_request = wire.drops_reply = lambda: next(losses, False)
    await client.submit("by-hand", id="a")
    wait = asyncio.create_task(client.ref("a").result(PATIENCE_S))
    await complete(cluster, "a", 1)
    assert await wait == 1


async def test_a_task_that_was_retried_is_not_told_as_dead_by_a_fold_that_is_late(cluster: Stage) -> None:
    client = cluster.client(ADA)
    await client.submit("by-hand", id="a")
    await client.cancel("a")
    with pytest.raises(TaskFailed):
        await client.ref("a").result(PATIENCE_S)
    late = cluster.links[ANSWERING]._up
    late.clear()
    await client.retry("a")
    wait = asyncio.create_task(client.ref("a").result(PATIENCE_S))
    await all_turns()
    late.set()
    await complete(cluster, "a", 1)
    assert await wait == 1


async def test_a_client_hears_only_of_what_it_awaits_and_no_longer_of_what_it_forgot(cluster: Stage) -> None:
    client, wire, waits = await awaiting(cluster, "a", "b")
    await client.submit("by-hand", id="other")
    waits["a"].cancel()
    await asyncio.wait((waits["a"],))
    again = asyncio.create_task(client.ref("other").result(PATIENCE_S))  # takes the news along
    await turns_until(lambda: wire.registered[-1].forget == ["a"])
    await all_turns()
    for id in ("a", "b", "other"):
        await complete(cluster, id, id)
    assert await asyncio.gather(waits["b"], again) == ["b", "other"]
    assert {ended.id for notice in wire.notices for ended in notice.ended} == {"b", "other"}


async def test_an_end_by_a_node_that_does_not_hold_the_task_is_not_told(cluster: Stage) -> None:
    work = Work()
    await cluster.control()
    await cluster.node("n1", [work.skill])
    client = cluster.client(ADA)
    await client.submit("work", id="a")
    wait = asyncio.create_task(client.ref("a").result(PATIENCE_S))
    await cluster.until_status("a", "running")
    cluster.log.publish("claw.task.a.from.n2", e.CODEC.encode((e.Completed("made up"),)))
    cluster.log.publish("claw.task.a.from.n2", b'{"v":1,"events":[{"type":"task.teleported"}]}')
    await all_turns()
    assert not wait.done()
    work.let_all_out()
    assert await wait == "a"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"client":"a.b"}', b'{"client":5}', b"\xff"])
async def test_what_is_no_registration_is_refused(cluster: Stage, body: bytes) -> None:
    cluster.client(ADA)
    await all_turns()
    answer = await cluster.requests.of("ada").request("claw.do.ada.await", body, PATIENCE_S)
    reply = msgspec.json.decode(answer, type=RegisterReply)
    assert reply.error is not None
    assert reply.error.code == "refused"


@pytest.mark.usefixtures("quick_beats")
@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.soak) for seed in (2, 3))])
async def test_of_two_thousand_awaited_tasks_none_is_lost_whatever_gets_lost(seed: int) -> None:
    chance = random.Random(seed)
    async with Cluster(seed=seed) as cluster:
        await cluster.control("control/1")
        await cluster.node("n1", [end], slots=100)
        client = cluster.client(ADA)
        wire = Wire(cluster)
        wire.drops_notice = lambda notice: chance.random() < 0.4
        wire.drops_request = wire.drops_reply = lambda: chance.random() < 0.3
        hows = {f"t{n}": chance.choice(("well", "well", "large", "dead")) for n in range(2000)}

        async def one(id: str, how: str) -> object:
            params = {"how": how}
            if chance.random() < 0.3:
                running = client.run("end", params, id=id, max_retries=0)
            else:
                await client.submit("end", params, id=id, max_retries=0)
                await asyncio.sleep(chance.choice((0, 0, 0, 0.2)))
                running = client.ref(id).result()
            try:
                return await running
            except TaskFailed as failure:
                return failure.status

        results_of_all = asyncio.gather(*(one(id, how) for id, how in hows.items()))
        if seed % 2:
            await cluster.until(lambda: cluster.log.last_seq > 1500)
            await cluster.kill("control/1")
            cluster.leases = InProcessLeases(cluster.clock.monotonic_s)  # its lease is over
            await cluster.control("control/2")
        async with asyncio.timeout(18):
            results = await results_of_all
        assert results == [how if how != "large" else how * 5000 for how in hows.values()]
        assert client.ends._awaited == {}
