"""What every store of timers keeps, on every adapter. Rules are those of `eventlog/jetstream/stores/timers.py`."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing

import pytest

from clawactors.eventlog import Unavailable
from clawactors.eventlog.jetstream import JetStreamLog, JetStreamTimers
from clawactors.eventlog.timers import InProcessTimers, TimerMark, Timers
from clawactors.runtime.clock import SystemClock
from clawactors.runtime.control.timers import TimerKeeper
from clawactors.runtime.logtime import LogTime
from clawactors.systems.timers import Agenda
from tests.logs import open_log
from tests.servers import NatsServer

PATIENCE_S = 10


@pytest.fixture(params=["inprocess", pytest.param("jetstream", marks=pytest.mark.nats)])
async def timers(request: pytest.FixtureRequest) -> AsyncIterator[Timers]:
    """An empty store of timers."""
    if request.param == "inprocess":
        yield InProcessTimers(SystemClock().now_ns)
    else:
        async with await open_log(request.getfixturevalue("nats_url"), "test") as log:
            yield JetStreamTimers(log.connection)


class Watch:
    """What a watcher sees, in the background."""

    def __init__(self, timers: Timers) -> None:
        self.present: asyncio.Future[list[TimerMark]] = asyncio.get_running_loop().create_future()
        self.marks: list[TimerMark] = []
        self._came = asyncio.Event()
        self._task = asyncio.create_task(self._listen(timers))

    async def _listen(self, timers: Timers) -> None:
        async with aclosing(timers.watch()) as watching:
            async for marks in watching:
                if not self.present.done():
                    self.present.set_result(marks)
                self.marks += marks
                self._came.set()

    async def fired(self, *ids: str) -> list[TimerMark]:
        """All marks, once these have gone off."""
        async with asyncio.timeout(PATIENCE_S):
            while not set(ids) <= {mark.id for mark in self.marks if mark.fired}:
                self._came.clear()
                await self._came.wait()
        return [mark for mark in self.marks if mark.fired]

    async def shown(self, id: str) -> None:
        """That timer is seen to be set."""
        while not any(mark.id == id and not mark.fired for mark in self.marks):
            self._came.clear()
            await self._came.wait()

    async def ended(self) -> None:
        """The watch has ended by itself. Raises: its error."""
        await self._task

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])


@pytest.fixture
async def watch(timers: Timers) -> AsyncIterator[Watch]:
    watch = Watch(timers)
    async with asyncio.timeout(PATIENCE_S):
        await watch.present
    yield watch
    await watch.stop()


def soon(seconds: float) -> int:
    return time.time_ns() + int(seconds * 1e9)


async def test_a_timer_goes_off_once_with_all_that_it_was_set_with(timers: Timers, watch: Watch) -> None:
    at_ns = soon(0.2)
    await timers.set("wait", "t", at_ns, 7)
    [mark] = await watch.fired("t")
    assert (mark.kind, mark.id, mark.at_ns, mark.version) == ("wait", "t", at_ns, 7)
    assert time.time_ns() >= at_ns
    assert [each.fired for each in watch.marks] == [False, True]


async def test_a_timer_in_the_past_goes_off_at_once(timers: Timers, watch: Watch) -> None:  # rule 1
    await timers.set("wait", "zero", 0, 1)
    await timers.set("deadline", "yesterday", soon(-86_400), 1)
    await watch.fired("zero", "yesterday")


async def test_setting_again_replaces(timers: Timers, watch: Watch) -> None:  # rule 1
    await timers.set("wait", "t", soon(0.1), 1)
    later = soon(0.4)
    await timers.set("wait", "t", later, 2)
    await timers.set("wait", "last", soon(0.8), 1)
    fired = await watch.fired("t", "last")
    assert [mark.at_ns for mark in fired if mark.id == "t"] == [later]


async def test_timers_of_two_kinds_do_not_meet(timers: Timers, watch: Watch) -> None:
    await timers.set("wait", "t", soon(0.1), 1)
    await timers.set("deadline", "t", soon(0.2), 1)
    await watch.fired("t")
    async with asyncio.timeout(PATIENCE_S):
        while len([mark for mark in watch.marks if mark.fired]) < 2:
            watch._came.clear()
            await watch._came.wait()
    assert {mark.kind for mark in watch.marks if mark.fired} == {"wait", "deadline"}


async def test_none_goes_off_before_its_time(timers: Timers, watch: Watch) -> None:  # rule 2
    wanted = {f"t{number}": soon(0.1 + number / 50) for number in range(40)}
    await asyncio.gather(*(timers.set("wait", id, at_ns, 1) for id, at_ns in wanted.items()))
    fired = await watch.fired(*wanted)
    assert {mark.id: mark.at_ns for mark in fired} == wanted
    assert len(fired) == len(wanted)


async def test_a_cancelled_timer_does_not_go_off(timers: Timers, watch: Watch) -> None:
    await timers.set("wait", "t", soon(0.3), 1)
    await timers.set("wait", "u", soon(0.6), 1)
    async with asyncio.timeout(PATIENCE_S):
        while not (mine := [mark for mark in watch.marks if mark.id == "t"]):
            watch._came.clear()
            await watch._came.wait()
    await timers.cancel("wait", "t", mine[0].place)
    assert {mark.id for mark in await watch.fired("u")} == {"u"}


async def test_a_cancel_leaves_alone_what_was_set_behind_its_place(timers: Timers, watch: Watch) -> None:
    await timers.set("wait", "t", soon(100), 1)
    async with asyncio.timeout(PATIENCE_S):
        while not watch.marks:
            watch._came.clear()
            await watch._came.wait()
    at_ns = soon(0.2)
    await timers.set("wait", "t", at_ns, 2)
    await timers.cancel("wait", "t", watch.marks[0].place)
    assert [mark.at_ns for mark in await watch.fired("t")] == [at_ns]


async def test_who_comes_later_sees_what_is_set_and_what_went_off(timers: Timers, watch: Watch) -> None:
    await timers.set("wait", "gone", soon(0), 1)
    await timers.set("schedule", "nightly", soon(1000), 3)
    await watch.fired("gone")
    second = Watch(timers)
    try:
        async with asyncio.timeout(PATIENCE_S):
            present = await second.present
        assert {(mark.kind, mark.id, mark.fired) for mark in present} == {
            ("wait", "gone", True),
            ("schedule", "nightly", False),
        }
    finally:
        await second.stop()


@pytest.mark.nats
async def test_messages_by_hand_are_no_timers(jetstream_log: JetStreamLog) -> None:
    connection = jetstream_log.connection
    timers = JetStreamTimers(connection)
    watch = Watch(timers)
    await watch.present
    future = b'{"at_ns":%d,"version":1}' % soon(1000)
    for subject, body in (
        ("claw.fired.wait.a", b"not json"),
        ("claw.fired.wait.b", b'{"at_ns":"soon","version":1}'),
        ("claw.fired.wait.early", future),
        ("claw.fired.wait", future),
        ("claw.fired.wait.a.b", future),
    ):
        await connection.ask(subject, body)
    await timers.set("wait", "real", 0, 1)
    assert {mark.id for mark in await watch.fired("real")} == {"real"}
    assert {mark.id for mark in watch.marks} == {"real"}
    await watch.stop()


@pytest.mark.nats
@pytest.mark.parametrize(("how", "subject"), [("all", "claw.fired.wait.x"), ("sub", "claw.timer.wait.a")])
async def test_timers_that_a_message_has_erased_are_set_again(  # rule 4
    jetstream_log: JetStreamLog, how: str, subject: str
) -> None:
    connection, agenda = jetstream_log.connection, Agenda()
    timers = JetStreamTimers(connection)
    agenda.want("wait", "a", soon(1000), 1)
    keeper = TimerKeeper(
        timers, agenda, LogTime(SystemClock()), position=lambda: 1, leads=lambda: True, rang=lambda *_: None
    )
    serving = asyncio.create_task(keeper.serve())
    watch = Watch(timers)
    try:
        async with asyncio.timeout(PATIENCE_S):
            await watch.shown("a")
            await connection.ask(subject, b"attack", f"NATS/1.0\r\nNats-Rollup: {how}\r\n\r\n".encode())
            with pytest.raises(Unavailable, match="has erased timers"):
                await watch.ended()
            watch = Watch(timers)
            await watch.shown("a")
    finally:
        await watch.stop()
        serving.cancel()
        await asyncio.wait([serving])


@pytest.mark.nats
async def test_timers_survive_the_death_of_the_server_and_all_go_off_at_their_time(
    own_server: Callable[..., NatsServer],
) -> None:
    server = own_server()
    async with await open_log(server.url(), "test") as log:
        timers = JetStreamTimers(log.connection)
        wanted = {f"t{number}": soon(0.3 + number / 10) for number in range(20)}
        await asyncio.gather(*(timers.set("wait", id, at_ns, 1) for id, at_ns in wanted.items()))
        watch = Watch(timers)
        await watch.fired("t0", "t1")
        server.kill()
        await server.restart()
        fired = await watch.fired(*wanted)
        # One that was going off when the server died may do so again: whoever hears it decides on the task's version.
        assert {(mark.id, mark.at_ns) for mark in fired} == set(wanted.items())
        await watch.stop()
