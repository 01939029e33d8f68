"""R-T10, R-O4: what code emits, prints and logs on its way, in order, told apart by attempt, bounded."""

import asyncio
import logging
import logging.config
import sys
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from functools import wraps
from typing import Any

import pytest

from clawactors.eventlog import Unavailable
from clawactors.kernel.errors import NotFound
from clawactors.runtime.client import ClusterClient
from clawactors.runtime.client.streaming import Chunk
from clawactors.runtime.node import output
from clawactors.runtime.node.capture import captured
from clawactors.runtime.node.context import TaskContext
from clawactors.runtime.node.secrets import Secrets
from clawactors.runtime.node.synccontext import SyncTaskContext
from clawactors.runtime.output import LOG, OUT
from clawactors.systems.skills import skill
from clawactors.systems.tasks.retry import Retry
from tests.clawactors.runtime.cluster import PATIENCE_S, Cluster, Stage


def capturing[**P](test: Callable[P, Awaitable[None]]) -> Callable[P, Awaitable[None]]:
    """Runs the test as a node runs: within, since pytest's own streams come and go between fixtures and tests."""

    @wraps(test)
    async def within(*args: P.args, **kwargs: P.kwargs) -> None:
        with captured(Secrets()):
            await test(*args, **kwargs)

    return within


async def said(client: ClusterClient, id: str, name: str = OUT, *, after: int = 0, live: bool = True) -> list[Chunk]:
    """All chunks until the end."""
    async with asyncio.timeout(PATIENCE_S), aclosing(client.ref(id).stream(name, after=after, live=live)) as stream:
        return [chunk async for chunk in stream]


async def log_of(stage: Cluster, id: str = "t") -> list[dict[str, Any]]:
    return [chunk.value for chunk in await said(stage.client(), id, LOG, live=False)]


async def printed(stage: Cluster, id: str = "t") -> str:
    return "".join(line["text"] for line in await log_of(stage, id))


@skill("tokens", retry=Retry(max_retries=1, wait_s=0.01))
async def tokens(task: TaskContext, count: int, fails: bool = False) -> int:
    """Emits numbers."""
    for number in range(count):
        await task.emit(number)
        if number % 100 == 0:
            await asyncio.sleep(0)
    if fails and task.attempt == 1:
        raise ConnectionError("once more")
    return count


async def test_a_stream_is_followed_in_order_to_the_end_of_the_task(cluster: Cluster) -> None:
    await cluster.control()
    await cluster.node("n1", [tokens])
    client = cluster.client()
    ref = await client.submit("tokens", {"count": 5000}, id="t")
    chunks = await said(client, ref.id)
    assert [chunk.value for chunk in chunks] == list(range(5000))
    assert {(chunk.attempt, chunk.node) for chunk in chunks} == {(1, "n1")}
    places = [chunk.position for chunk in chunks]
    assert places == sorted(set(places))
    assert await said(client, ref.id) == chunks, "a late reader sees the same"


@pytest.mark.parametrize("at", [0, 1, 999, 1000, 1001, 2345])
async def test_a_stream_goes_on_behind_any_chunk(stage: Stage, at: int) -> None:
    await stage.run(tokens, {"count": 2500})
    client = stage.client()
    chunks = await said(client, "t")
    rest = await said(client, "t", after=chunks[at].position)
    assert [chunk.value for chunk in rest] == list(range(at + 1, 2500))


async def test_attempts_are_told_apart(cluster: Cluster) -> None:
    await cluster.control()
    await cluster.node("n1", [tokens])
    client = cluster.client()
    await client.submit("tokens", {"count": 3, "fails": True}, id="t")
    assert [(chunk.attempt, chunk.value) for chunk in await said(client, "t")] == [
        (attempt, value) for attempt in (1, 2) for value in range(3)
    ]


async def test_chunks_come_while_the_code_runs_and_small_ones_share_messages(cluster: Cluster) -> None:
    go_on = asyncio.Event()

    @skill("waits")
    async def waits(task: TaskContext) -> None:
        for number in range(20):
            await task.emit(number)
        await go_on.wait()

    await cluster.control()
    await cluster.node("n1", [waits])
    client = cluster.client()
    ref = await client.submit("waits")
    seen = []
    async with asyncio.timeout(PATIENCE_S), aclosing(ref.stream()) as stream:
        async for chunk in stream:
            seen.append(chunk.value)
            if len(seen) == 20:
                go_on.set()
    assert seen == list(range(20))
    assert len([record async for records in cluster.outputs.read() for record in records]) < 10


async def test_streams_have_names_and_log_is_taken(stage: Stage) -> None:
    @skill("names")
    async def names(task: TaskContext) -> None:
        await task.emit("a", "one")
        await task.emit("b", stream="two")
        await task.emit("c", LOG)

    task = await stage.run(names)
    assert task.life.error is not None
    assert "is for what code prints" in task.life.error.message
    client = stage.client()
    assert [[chunk.value for chunk in await said(client, "t", name)] for name in ("one", "two", OUT)] == [
        ["a"], ["b"], []
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "why"), [(object(), "JSON"), ("x" * 300_000, "too large"), ("\ud800", "JSON")], ids=["o", "large", "half"]
)
async def test_what_can_not_be_emitted_is_refused(stage: Stage, value: Any, why: str) -> None:
    @skill("emits")
    async def emits(task: TaskContext) -> None:
        await task.emit(value)

    task = await stage.run(emits)
    assert task.life.status == "failed"
    assert task.life.error is not None
    assert why in task.life.error.message


async def test_a_task_that_is_not_there_has_no_stream(cluster: Cluster) -> None:
    with pytest.raises(NotFound):
        await said(cluster.client(), "nobody")


async def test_what_is_no_output_is_passed_over(stage: Stage) -> None:
    await stage.outputs.publish("t", OUT, "by-hand", b"\xff", "by-hand")
    await stage.run(tokens, {"count": 1})
    assert [chunk.value for chunk in await said(stage.client(), "t")] == [0]


# What is printed and logged


@capturing
async def test_prints_and_log_lines_of_a_task_are_its_own(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    ended, late = threading.Event(), threading.Event()

    def outlives() -> None:
        ended.wait(PATIENCE_S)
        print("after the end")
        late.set()

    @skill("talks")
    async def talks(task: TaskContext) -> None:
        print("from the skill")
        print("part", end="")
        await task.step("in-thread", lambda: print(" of a line"))
        sys.stderr.write("an error\n")
        logging.getLogger("mine").info("told %s", "so")
        logging.getLogger("mine").debug("not told")
        print("half", end="", flush=True)
        print(" a line")
        thread = threading.Thread(target=lambda: print("from a thread"))
        thread.start()
        await asyncio.to_thread(thread.join, PATIENCE_S)
        with ThreadPoolExecutor(1) as pool:
            await asyncio.wrap_future(pool.submit(print, "from a pool"))
        threading.Thread(target=outlives).start()

    await stage.run(talks)
    ended.set()
    await asyncio.to_thread(late.wait, PATIENCE_S)
    lines = [(line["source"], line["text"]) for line in await log_of(stage)]
    assert lines == [
        ("stdout", "from the skill\n"), ("stdout", "part of a line\n"), ("stderr", "an error\n"), ("log", "told so"),
        ("stdout", "half"), ("stdout", " a line\n"), ("stdout", "from a thread\n"), ("stdout", "from a pool\n"),
    ]  # fmt: skip
    [logged] = [line for line in await log_of(stage) if line["source"] == "log"]
    assert (logged["level"], logged["logger"]) == ("info", "mine")
    print("from the test")
    assert capsys.readouterr().out == "after the end\nfrom the test\n"


@capturing
async def test_two_tasks_at_once_do_not_mix(stage: Stage) -> None:
    @skill("says")
    async def says(task: TaskContext, word: str) -> None:
        for _ in range(5):
            print(word)
            await asyncio.sleep(0)
        await task.step("more", lambda: print(word))

    await asyncio.gather(*(stage.run(says, {"word": id}, id=id) for id in ("a", "b")))
    assert [await printed(stage, id) for id in ("a", "b")] == ["a\n" * 6, "b\n" * 6]


@capturing
async def test_sync_code_prints_too(stage: Stage) -> None:
    @skill("sync")
    def sync(task: SyncTaskContext) -> None:
        print("sync", 1)
        task.emit("chunk")
        print("\ud800")

    await stage.run(sync)
    assert await printed(stage) == "sync 1\n\\ud800\n"
    assert [chunk.value for chunk in await said(stage.client(), "t")] == ["chunk"]


@capturing
async def test_a_flood_is_cut_and_the_cut_is_noted(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "LOG_MAX_BYTES", 100_000)

    @skill("floods")
    def floods(task: SyncTaskContext) -> int:
        line = "x" * 999
        for _ in range(10_000):
            print(line)
        return 1

    task = await stage.run(floods)
    assert task.life.result == 1
    lines = await log_of(stage)
    assert sum(len(line["text"]) for line in lines) < 110_000
    assert lines[-1]["source"] == "claw"
    assert "MB of output were cut here" in lines[-1]["text"]


@capturing
async def test_what_is_printed_while_the_server_is_away_waits_or_is_cut(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish, away = stage.outputs.publish, True
    caught_up = asyncio.Event()

    async def flaky(*arguments: Any) -> None:
        if away:
            raise Unavailable("away")
        await publish(*arguments)
        if not run.values.output()._waiting_bytes:
            caught_up.set()

    monkeypatch.setattr(stage.outputs, "publish", flaky)
    printed_all = asyncio.Event()
    go_on = asyncio.Event()

    @skill("talks")
    async def talks(task: TaskContext) -> None:
        for _ in range(3000):
            print("x" * 999)
        printed_all.set()
        await go_on.wait()
        print("last")

    run = await stage.assign(talks)
    running = stage.begin(run)
    async with asyncio.timeout(PATIENCE_S):
        await printed_all.wait()
        assert run.values.output()._waiting_bytes < 1_200_000
        away = False
        await caught_up.wait()
        go_on.set()
        await running
    text = await printed(stage)
    assert "were cut here]\nlast\n" in text
    assert len(text) < 1_400_000


async def test_an_outage_of_output_does_not_hold_up_the_task(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*arguments: Any) -> None:
        raise Unavailable("away")

    monkeypatch.setattr(stage.outputs, "publish", away)
    monkeypatch.setattr(output, "_LAST_S", 0.05)
    assert (await stage.run(tokens, {"count": 3})).life.result == 3


async def test_a_message_that_is_sent_again_is_kept_once(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    publish, failures = stage.outputs.publish, iter([True, True, False])

    async def in_doubt(*arguments: Any) -> None:
        await publish(*arguments)
        if next(failures, False):
            raise Unavailable("no answer")

    monkeypatch.setattr(stage.outputs, "publish", in_doubt)
    await stage.run(tokens, {"count": 3})
    assert [chunk.value for chunk in await said(stage.client(), "t")] == [0, 1, 2]


@capturing
async def test_what_a_thread_raises_and_bytes_are_output_of_the_task_too(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "excepthook", threading.__excepthook__)

    @skill("x")
    def x(task: SyncTaskContext) -> None:
        thread = threading.Thread(target=int, args=("none",))
        thread.start()
        thread.join()
        sys.stdout.buffer.write(b"bytes \xff\n")
        sys.stdout.buffer.flush()

    await stage.run(x)
    text = await printed(stage)
    assert "invalid literal for int() with base 10: 'none'" in text
    assert "bytes \\xff\n" in text


@capturing
async def test_code_that_configures_logging_anew_does_not_end_the_capture(stage: Stage) -> None:
    @skill("configures")
    async def configures(task: TaskContext) -> None:
        logging.config.dictConfig({"version": 1, "root": {"level": "ERROR", "handlers": []}})

    @skill("logs")
    async def logs(task: TaskContext) -> None:
        logging.getLogger("new").info("still here")

    loggers = [each for each in logging.root.manager.loggerDict.values() if isinstance(each, logging.Logger)]
    before, handlers = [(each, each.disabled) for each in loggers], logging.root.handlers[:]
    try:
        await stage.run(configures)
        await stage.run(logs, id="u")
    finally:
        for each, disabled in before:
            each.disabled = disabled
        logging.root.handlers[:] = handlers
    assert "still here" in await printed(stage, "u")
    assert not logging.getLogger("clawactors.runtime.node.capture").disabled
