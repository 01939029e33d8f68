"""`SyncClient` from code that is not async: threads, notebooks, forks, Ctrl-C, ends. Over a cluster in its own loop."""

import asyncio
import contextlib
import gc
import os
import pickle
import signal
import sys
import threading
import time
import warnings
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from clawactors import (
    Client,
    Closed,
    Misconfigured,
    NotFound,
    Refused,
    SyncClient,
    SyncRef,
    Task,
    TaskFailed,
    Unavailable,
    skill,
)
from clawactors.app import syncclient
from clawactors.runtime.client.syncproxy import HIDDEN, proxy_class
from clawactors.testing import Cluster
from tests.app import syncstub


@skill("add")
async def add(task: Task, a: int, b: int = 1) -> int:
    return a + b


@skill("count")
async def count(task: Task, upto: int) -> AsyncIterator[int]:
    for number in range(upto):
        yield number


@skill("wait")
async def wait(task: Task) -> str:
    return str(await task.signal("go"))


@skill("fail")
async def fail(task: Task) -> None:
    raise LookupError("nothing there")


async def opened() -> Any:
    """What is like a client of a cluster, which lives as long as that client."""
    cluster = Cluster(skills=[add, count, wait, fail])
    await cluster.__aenter__()
    client: Any = cluster.client
    client.aclose = cluster.__aexit__
    return client


@pytest.fixture
def claw() -> Iterator[SyncClient]:
    with SyncClient(opened) as client:
        yield client


def threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "clawactors-client"}


def public(kind: type) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_")}


# The surface


@pytest.mark.parametrize("kind", syncstub.PARTS)
def test_a_sync_class_has_what_the_async_one_has(kind: type) -> None:
    made = getattr(syncclient, syncstub.SYNC[kind.__name__])
    assert made is proxy_class(kind)
    assert public(made) - {"id"} == public(kind) - HIDDEN


def test_the_client_has_what_the_async_one_has() -> None:
    assert public(SyncClient) - {"user", "found"} == public(Client) - HIDDEN
    assert {"aclose", "skills"} == HIDDEN


# Calls


def test_calls_return_and_raise_what_the_async_ones_do(claw: SyncClient) -> None:
    ref = claw.submit(add.call(2, b=3), id="t-1")
    assert (type(ref).__name__, ref.id, repr(ref), ref.result()) == ("SyncTypedRef", "t-1", "<sync task t-1>", 5)
    assert isinstance(ref, SyncRef)
    assert claw.run("add", {"a": 1}) == 2
    assert [row.id for row in claw.tasks(status="completed", skill="add", fresh=True)][-1] == "t-1"
    assert sum(1 for _ in claw.each_task(skill="add")) == 2
    with pytest.raises(TaskFailed, match="nothing there"):
        claw.run("fail", max_retries=0)
    with pytest.raises(NotFound):
        claw.ref("t-0").snapshot()
    with pytest.raises(Refused):
        claw.submit(add, {"c": 1})
    with pytest.raises(TypeError, match="priorit"):
        claw.submit("add", {"a": 1}, priorit=1)
    assert claw.schedules.add("daily", "0 9 * * *", "add", {"a": 1}).state.exists
    assert [row.name for row in claw.schedules.list()] == ["daily"]
    assert claw.status(fresh=True).tasks["completed"] == 2
    assert sorted(claw.ended(["t-1"])) == ["t-1"]


def test_a_wait_ends_at_its_timeout_and_the_task_goes_on(claw: SyncClient) -> None:
    ref = claw.submit("wait")
    began = time.monotonic()
    with pytest.raises(TimeoutError, match=r"has not ended within 0\.2 s"):
        ref.result(timeout_s=0.2)
    assert time.monotonic() - began < 5
    ref.signal("go", 7)
    assert ref.result(timeout_s=10) == "7"


def test_a_stream_is_a_generator_that_may_be_left_early(claw: SyncClient) -> None:
    ref = claw.submit("count", {"upto": 1000})
    assert [chunk.value for chunk in ref.stream()] == list(range(1000))
    for number, chunk in enumerate(ref.stream()):
        assert chunk.value == number
        if number == 3:
            break
    stream = ref.stream()
    assert next(stream).value == 0
    stream.close()
    with pytest.raises(NotFound):
        list(claw.ref("t-0").stream())
    assert claw.run("add", {"a": 1}) == 2


def test_what_is_told_meanwhile_runs_in_the_thread_that_waits_and_may_use_the_client(claw: SyncClient) -> None:
    ids = [claw.submit("wait").id for _ in range(3)]
    told: list[tuple[int, int, bool]] = []

    def progress(done: int, of: int) -> None:
        claw.status()
        told.append((done, of, threading.current_thread() is threading.main_thread()))

    reports = claw.change_many(ids[:2], claw.cancel, progress=progress)
    assert [report.refusal for report in reports] == ["", ""]
    assert told == [(0, 2, True), (1, 2, True), (2, 2, True)]
    assert claw.change_many(ids[2:], lambda task: claw.signal(task, "go", 1))[0].refusal == ""
    assert claw.ref(ids[2]).result(timeout_s=10) == "1"

    def interrupt(done: int, of: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        claw.change_many(ids, claw.delete, progress=interrupt)
    assert claw.run("add", {"a": 1}) == 2


# Threads, loops, processes


def test_many_threads_share_one_client(claw: SyncClient) -> None:
    def use(number: int) -> int:
        return int(claw.run("add", {"a": number})) + int(claw.submit(add.call(number)).result(10))

    with ThreadPoolExecutor(64) as pool:
        assert list(pool.map(use, range(128))) == [2 * (number + 1) for number in range(128)]


async def test_a_notebook_with_a_loop_of_its_own_may_use_it() -> None:
    assert asyncio.get_running_loop().is_running()
    claw = SyncClient(opened)
    assert claw.run("add", {"a": 1}) == 2
    claw.close()
    claw.close()
    with pytest.raises(Closed, match="connect another"):
        claw.status()
    with pytest.raises(Closed), claw:
        pass


def test_who_waits_while_it_is_closed_is_told() -> None:
    claw = SyncClient(opened)
    ref = claw.submit("wait")
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(ref.result) for _ in range(4)]
        for each in waiting:
            with contextlib.suppress(TimeoutError):
                each.result(0.05)
        claw.close()
        for each in waiting:
            with pytest.raises(Closed):
                each.result(10)
    with pytest.raises(Closed):
        ref.result()


def test_ctrl_c_ends_a_wait_at_once_and_what_it_waited_for(claw: SyncClient) -> None:
    ref = claw.submit("wait")
    main = threading.get_ident()
    threading.Timer(0.1, lambda: signal.pthread_kill(main, signal.SIGINT)).start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        ref.result()
    assert time.monotonic() - began < 2
    ref.signal("go", 1)
    assert ref.result(10) == "1"


def test_a_client_that_is_dropped_is_closed() -> None:
    before = threads()
    claw = SyncClient(opened)
    [thread] = threads() - before
    del claw
    gc.collect()
    thread.join(10)
    assert not thread.is_alive()


def test_garbage_may_be_collected_while_a_call_is_begun(claw: SyncClient) -> None:
    """A dropped generator is closed by a call, in whatever thread and line the collector comes to it."""
    link = claw._link()

    async def nothing() -> None:
        return None

    def collect() -> None:
        with link._lock:
            link.post(nothing)

    collecting = threading.Thread(target=collect, daemon=True)
    collecting.start()
    collecting.join(10)
    assert not collecting.is_alive()
    assert link.call(nothing) is None


def test_what_fails_at_the_beginning_leaves_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nowhere() -> Any:
        raise Unavailable("no server")

    before = threads()
    with pytest.raises(Unavailable, match="no server"):
        SyncClient(nowhere)
    monkeypatch.setitem(sys.modules, "gevent.monkey", type("patched", (), {"is_module_patched": lambda name: True}))
    with pytest.raises(Misconfigured, match="gevent has replaced the threads"):
        SyncClient(opened)
    assert threads() <= before


def test_it_can_not_be_sent_to_another_process(claw: SyncClient) -> None:
    with pytest.raises(TypeError, match="connect one there"):
        pickle.dumps(claw)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_process_has_a_connection_of_its_own(claw: SyncClient) -> None:
    ref = claw.submit("add", {"a": 1}, id="t-1")
    assert ref.result() == 2
    claw._lock.acquire()  # as another thread may at that moment
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        code = 1
        with contextlib.suppress(BaseException):
            # The cluster of these tests is in the loop, so the child has one of its own, without the task.
            same = claw.run("add", {"a": 2}) == 3 and claw.submit("add", {"a": 1}, id="t-1").result() == 2
            code = 0 if same and ref.result() == 2 else 2
        os._exit(code)
    claw._lock.release()
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert claw.run("add", {"a": 2}) == 3
    assert ref.result() == 2
