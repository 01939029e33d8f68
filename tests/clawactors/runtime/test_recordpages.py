"""Pages of records: bounded in size, whole in the end, at every place and for records of every size."""

from unittest.mock import MagicMock

import msgspec
import pytest

from clawactors.eventlog import Draft
from clawactors.eventlog.record import Record
from clawactors.kernel.errors import NotFound
from clawactors.kernel.kind import Home
from clawactors.kinds import KINDS
from clawactors.runtime.client.history import read_history
from clawactors.runtime.control.lookup import StateEndpoint
from clawactors.runtime.dispatcher import Dispatcher
from clawactors.runtime.memory import Memories
from clawactors.runtime.node.context import TaskContext
from clawactors.runtime.node.membership import Membership
from clawactors.runtime.node.recording import WritingRecorder
from clawactors.runtime.questions import Questions
from clawactors.runtime.recordpages import PAGE_BYTES, HistoryQuestion, PageReader, RecordPage, page_of
from clawactors.runtime.snapshots import AskedSnapshots, LogSnapshots
from clawactors.systems.memories import Content
from clawactors.systems.nodes.events import NodeJoined
from clawactors.systems.skills import skill
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.events import CODEC
from tests.clawactors.runtime.cluster import Cluster, Stage

STEPS = 10_000
LARGE = "x" * 200_000
BOUND = 512 << 10


def test_pages_are_bounded_and_bring_every_byte() -> None:
    sizes = [0, 1, PAGE_BYTES, 10, PAGE_BYTES + 1, 3 * PAGE_BYTES, 7, 200_000, 200_000, 200_000, 900_000]
    records = [Record(seq, seq, "claw.task.t.log", bytes([seq]) * size) for seq, size in enumerate(sizes, 1)]
    reader, got, pages = PageReader(), [], 0
    while reader.after < len(records):
        page, is_cut = page_of([record for record in records if record.seq > reader.after], reader.offset)
        assert len(msgspec.msgpack.encode(RecordPage(page, is_cut=is_cut))) <= BOUND
        got += reader.take(RecordPage(page, is_cut=is_cut))
        pages += 1
    assert got == records
    assert pages < 2 * len(records)


async def written(cluster: Cluster) -> int:
    """A task with 10,000 steps, some of them large and some of those in one commit; the sequence of its last commit."""
    fence = [
        e.Submitted(skill="s"),
        e.Scheduled(node="n1", incarnation="i", attempt=1, skill="s"),
        e.Started(),
    ]
    steps = [e.StepCompleted(f"s{n}", result=LARGE if n % 500 < 4 else n) for n in range(STEPS)]
    commits = [fence, *([each] for each in steps[: STEPS // 2])]
    commits += [steps[n : n + 4] for n in range(STEPS // 2, STEPS, 4)]
    version = 0
    for number, events in enumerate(commits):
        version = await cluster.log.append(Draft("task", "t", CODEC.encode(tuple(events)), f"c{number}"), version)
    return version


async def test_a_history_of_ten_thousand_steps_comes_whole_in_pages() -> None:
    async with Cluster() as cluster:
        last = await written(cluster)
        client = cluster.client()
        await client.now_ns()  # control answers
        requests, sizes = cluster.requests.of("tester"), []
        reader, until, count = PageReader(), None, 0
        while True:
            question = HistoryQuestion("task", "t", reader.after, until, reader.offset)
            body = await requests.request("claw.query.tester.history", msgspec.msgpack.encode(question), 5)
            sizes.append(len(body))
            page = msgspec.msgpack.decode(body, type=RecordPage)
            assert page.error is None
            count += len(reader.take(page))
            if page.is_last:
                break
            until = page.until
        assert reader.after == last
        assert max(sizes) <= BOUND
        assert len(sizes) > 10
        history = await read_history(client.questions, "t")
        assert len(history.commits) == count
        assert [entry.data["step"] for entry in history.entries[3:]] == [f"s{n}" for n in range(STEPS)]
        state = (await client.snapshot("t")).state
        assert (len(state.journal), state.journal.nth("s500", 0).result) == (STEPS, LARGE)  # type: ignore[union-attr]
        assert (history.known.state.life, history.known.state.journal) == (state.life, state.journal)
        assert not len((await client.state("task", "t", type(state), brief=True)).state.journal)


@pytest.mark.parametrize("place", [1, 2, 3])
async def test_a_history_ends_where_it_is_asked_to(place: int) -> None:
    async with Cluster() as cluster:
        client = cluster.client()
        await client.submit("nobody", id="t")
        await client.pause("t")
        await client.resume("t")
        whole = await client.history("t")
        assert [entry.type for entry in await client.history("t", at_seq=whole[place - 1].seq)] == [
            entry.type for entry in whole[:place]
        ]
        with pytest.raises(NotFound, match="there was no task 't' then"):
            await client.history("t", at_seq=0)
        with pytest.raises(NotFound, match="there is no task 'u'"):
            await client.history("u")


async def test_a_stream_goes_on_with_the_next_control_process() -> None:
    async with Cluster() as cluster:
        await cluster.control("first")
        client = cluster.client()
        ref = await client.submit("nobody", id="t")
        said, count = [], 0

        async def say() -> None:
            nonlocal count
            body = msgspec.json.encode({"chunks": [count, count + 1], "attempt": 1, "node": "n1"})
            await cluster.outputs.publish("t", "out", "n1", body, f"m{count}")
            count += 2

        await say()
        stream = ref.stream()
        async for chunk in stream:
            said.append(chunk.value)
            if len(said) == 2:
                await cluster.kill("first")
                await say()
                await cluster.control("second")
                await say()
            elif len(said) == 6:
                await say()
                await client.cancel("t")
        assert said == list(range(8))


async def test_a_node_resumes_ten_thousand_steps_from_the_state_and_reads_no_log() -> None:
    ran: list[str] = []

    @skill("many")
    async def many(task: TaskContext) -> int:
        for n in range(STEPS):
            await task.step(f"s{n}", lambda n=n: ran.append(f"s{n}") or n)
        await task.step("last", lambda: ran.append("last"))
        return STEPS

    async with Stage() as stage:
        stage.answer()
        asking = Questions(stage.requests.of("n1"), "n1")
        stage.here.dispatcher = Dispatcher(stage.here, AskedSnapshots(asking))
        await stage.client().submit("many", id="t")
        await stage.tell("t", c.ScheduleTask("n1", "i0"))
        fence = stage.task("t").fence
        await stage.tell_to("n1", "t", c.StartTask(fence))
        for n in range(0, STEPS, 1000):
            steps = [c.CompleteStep(fence, f"s{each}", "x" * 200 if each % 2 else each) for each in range(n, n + 1000)]
            await stage.tell_to("n1", "t", *steps)
        await stage.tell_to("n1", "t", c.Interrupt(fence, "gone"))
        readings: list[str] = []
        stage.wire.read_fault = lambda: readings.append("a reading of the log")
        task = await stage.run(many, id="t")
        assert (task.life.status, task.life.attempt) == ("completed", 2)
        assert ran == ["last"]
        assert readings == []


async def test_a_node_that_comes_back_asks_for_what_it_knew_and_reads_no_log() -> None:
    async with Stage() as stage:
        stage.answer()
        states = StateEndpoint(LogSnapshots(stage.log), KINDS, Home.MEMORY)
        await states.open(stage.requests, "memory")
        stage.here.dispatcher = Dispatcher(stage.here, AskedSnapshots(Questions(stage.requests.of("n1"), "n1")))
        stage.memories = Memories(WritingRecorder(stage.here), stage.requests)
        readings: list[str] = []
        stage.wire.read_fault = lambda: readings.append("a reading of the log")
        for incarnation in ("i1", "i2"):
            membership = Membership(stage.here, "n1", incarnation, *(MagicMock() for _ in range(4)))
            await membership.join(NodeJoined(incarnation=incarnation, slots=1))
        first = await stage.memories.record(Content(text="the sea is calm"), "task/t/note")
        again = await stage.memories.record(Content(text="the sea is calm"), "task/t/note")
        assert (first, [len(list(stage.commits(kind=kind))) for kind in ("node", "memory")]) == (again, [2, 1])
        assert readings == []
        await states.aclose()
