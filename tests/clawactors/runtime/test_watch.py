"""Which nodes are believed dead, and when: leases, probes, hints, and interruptions. Time moves by hand."""

import asyncio
from collections.abc import AsyncIterator, Callable

import msgspec
import pytest

from clawactors.eventlog import NoResponders, PermissionDenied, Unavailable
from clawactors.eventlog.leases import InProcessLeases
from clawactors.eventlog.requests import InProcessRequests
from clawactors.runtime.control import watch as module
from clawactors.runtime.control.watch import Watch
from clawactors.runtime.node.machine import LEASE_S, Figures
from clawactors.runtime.node.presence import node_key
from tests.clawactors.runtime.cluster import PATIENCE_S, ManualClock

TICK_S = 0.005


class Requests(InProcessRequests):
    """Of a server that can be stopped: then nobody is answered, and nobody is told that nobody listens."""

    def __init__(self) -> None:
        super().__init__()
        self.stopped = False

    async def request(self, subject: str, body: bytes, timeout_s: float) -> bytes:
        if self.stopped:
            raise Unavailable("no answer in time")
        return await super().request(subject, body, timeout_s)


class Scene:
    """A watch on nodes that are made of a lease and an endpoint; the scene is its port to the leases."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.leases, self.requests = InProcessLeases(self.clock.monotonic_s), Requests()
        self.alive = {("n1", "i1")}
        self.lost: list[tuple[str, str, str]] = []
        self.judged = asyncio.Event()
        self.broken = 0
        self.judge = Watch(self, self.requests, self.clock, self.live_nodes, self.lose)  # type: ignore[arg-type]

    def live_nodes(self) -> set[tuple[str, str]]:
        self.judged.set()
        return self.alive

    async def lose(self, id: str, incarnation: str, reason: str) -> None:
        self.lost.append((id, incarnation, reason))
        self.alive.discard((id, incarnation))

    async def watch(self, prefix: str) -> AsyncIterator[tuple[str, bytes | None]]:
        async for change in self.leases.watch(prefix):
            if self.broken:
                self.broken -= 1
                raise Unavailable("the connection broke")
            yield change

    async def beat(self, id: str = "n1", incarnation: str = "i1", body: bytes | None = None) -> None:
        """A heartbeat, and it was heard."""
        value = msgspec.json.encode(Figures(incarnation, self.clock.now_ns(), running=3)) if body is None else body
        self.leases._tell(node_key(id, incarnation), value)
        await self.ticks(2)

    async def answer(self, answer: bytes | Callable[[], bytes] = b"i1", id: str = "n1") -> None:
        async def served(_: bytes) -> bytes:
            return answer if isinstance(answer, bytes) else answer()

        await self.requests.serve(f"claw.live.{id}", served)

    async def ticks(self, count: int = 4) -> None:
        """Returns when it has judged so many times more."""
        async with asyncio.timeout(PATIENCE_S):
            for _ in range(count):
                self.judged.clear()
                await self.judged.wait()

    async def pass_s(self, seconds: float) -> None:
        """Time goes by, in steps that no process would take for a pause of its own."""
        while seconds > 0:
            self.clock.move(min(0.25, seconds))
            seconds -= 0.25
            await self.ticks(2)

    async def until_lost(self) -> tuple[str, str, str]:
        async with asyncio.timeout(PATIENCE_S):
            while not self.lost:
                await self.ticks(1)
        return self.lost[-1]


@pytest.fixture
async def scene(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    monkeypatch.setattr(module, "_TICK_S", TICK_S)
    monkeypatch.setattr(module, "_PROBE_AGAIN_S", TICK_S)
    monkeypatch.setattr(module, "_PROBE_TIMEOUT_S", TICK_S)
    scene = Scene()
    serving = asyncio.create_task(scene.judge.serve())
    await scene.ticks(1)
    yield scene
    serving.cancel()
    await asyncio.wait((serving,))
    assert scene.judge._working == {} or all(task.cancelling() for task in scene.judge._working.values())


async def test_a_node_that_beats_is_alive_and_its_figures_are_known(scene: Scene) -> None:
    for _ in range(6):
        await scene.beat()
        await scene.pass_s(0.5)
    assert scene.lost == []
    assert scene.judge.figures["n1"].running == 3


async def test_a_node_that_hangs_is_lost_when_its_lease_has_lapsed(scene: Scene) -> None:
    def hangs() -> bytes:
        raise Unavailable("no answer in time")

    await scene.answer(hangs)
    await scene.beat()
    await scene.pass_s(LEASE_S - 0.25)
    assert scene.lost == []
    await scene.pass_s(0.75)
    id, incarnation, reason = await scene.until_lost()
    assert (id, incarnation) == ("n1", "i1")
    assert "no heartbeat for 1." in reason


async def test_a_node_that_was_never_heard_has_a_full_lease_time_from_when_it_is_known(scene: Scene) -> None:
    await scene.answer()
    await scene.ticks()
    scene.alive.add(("n2", "i2"))
    await scene.answer(b"i2", "n2")
    await scene.pass_s(0.75)
    assert scene.lost == []


async def test_a_silent_node_that_nobody_hears_is_lost_before_its_lease_has_lapsed(scene: Scene) -> None:
    await scene.beat()
    await scene.pass_s(0.75)
    assert scene.lost == []
    await scene.pass_s(0.25)
    assert "connection is gone" in (await scene.until_lost())[2]


async def test_a_silent_node_that_answers_gets_more_time(scene: Scene) -> None:
    await scene.answer()
    await scene.beat()
    await scene.pass_s(10)
    assert scene.lost == []


async def test_one_missed_probe_is_no_death(scene: Scene) -> None:
    answers = iter([NoResponders("nobody listens")])

    def once_deaf() -> bytes:
        for error in answers:
            raise error
        return b"i1"

    await scene.answer(once_deaf)
    await scene.ticks()
    scene.judge.suspect("n1")
    await scene.ticks(10)
    assert scene.lost == []
    assert next(answers, None) is None


async def test_a_hint_gets_a_node_asked_at_once(scene: Scene) -> None:
    await scene.beat()
    await scene.ticks()
    scene.judge.suspect("somebody-else")
    scene.judge.suspect("n1")
    assert "connection is gone" in (await scene.until_lost())[2]


async def test_a_hint_about_a_node_that_is_well_changes_nothing(scene: Scene) -> None:
    await scene.answer()
    for _ in range(5):
        scene.judge.suspect("n1")
        await scene.ticks(1)
    assert scene.lost == []


async def test_the_answer_of_another_incarnation_is_no_sign_of_life(scene: Scene) -> None:
    await scene.answer(b"\xff another")
    await scene.beat()
    await scene.pass_s(2.25)
    assert (await scene.until_lost())[:2] == ("n1", "i1")


async def test_the_heartbeat_of_another_incarnation_is_no_sign_of_life(scene: Scene) -> None:
    def hangs() -> bytes:
        raise Unavailable("no answer in time")

    await scene.answer(hangs)
    for _ in range(8):
        await scene.beat(incarnation="i0")
        await scene.pass_s(0.25)
    assert (await scene.until_lost())[:2] == ("n1", "i1")


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[]", b'{"incarnation":5}', b"null"])
async def test_garbage_in_a_lease_is_no_sign_of_life_and_does_no_harm(scene: Scene, body: bytes) -> None:
    await scene.beat(body=body)
    await scene.pass_s(0.5)
    await scene.beat()
    await scene.pass_s(0.5)
    assert scene.lost == []
    assert scene.judge.figures["n1"].incarnation == "i1"


async def test_after_a_reconnect_silence_counts_only_from_then_on(scene: Scene) -> None:
    await scene.answer(lambda: _raise(Unavailable("the server is away")))
    await scene.beat()
    await scene.pass_s(1.5)
    scene.judge.forgive()
    await scene.pass_s(1.25)
    assert scene.lost == []
    await scene.pass_s(0.75)
    await scene.until_lost()


async def test_a_server_that_stops_for_four_seconds_loses_nobody(scene: Scene) -> None:
    scene.alive.add(("n2", "i2"))
    for id, incarnation in sorted(scene.alive):
        await scene.answer(incarnation.encode(), id)
        await scene.beat(id, incarnation)
    scene.requests.stopped = True
    await scene.pass_s(4)
    scene.requests.stopped = False
    await scene.pass_s(1.25)  # they wait for the server again, and have a full lease time for it
    assert scene.lost == []
    for id, incarnation in sorted(scene.alive):
        await scene.beat(id, incarnation)
    await scene.pass_s(1)
    assert scene.lost == []


async def test_after_a_stop_of_the_server_a_node_has_time_to_connect_again(scene: Scene) -> None:
    await scene.beat()
    await scene.pass_s(0.25)
    await scene.beat()
    scene.requests.stopped = True
    await scene.pass_s(3)
    scene.requests.stopped = False
    await scene.ticks(4)
    scene.judge.suspect("n1")  # its old connection was closed, and nobody listens yet
    await scene.pass_s(1.25)
    assert scene.lost == []
    await scene.pass_s(0.75)
    await scene.until_lost()


async def test_a_node_that_is_heard_after_a_stop_of_the_server_and_dies_is_lost_at_once(scene: Scene) -> None:
    await scene.beat()
    scene.requests.stopped = True
    await scene.pass_s(3)
    scene.requests.stopped = False
    await scene.pass_s(0.25)
    await scene.beat()
    scene.judge.suspect("n1")
    assert "connection is gone" in (await scene.until_lost())[2]


async def test_a_server_that_stops_just_before_the_verdict_delays_it(scene: Scene) -> None:
    await scene.answer(lambda: _raise(Unavailable("no answer in time")))
    await scene.beat()
    await scene.pass_s(1.5)
    scene.requests.stopped = True
    await scene.pass_s(0.5)
    assert scene.lost == []
    scene.requests.stopped = False
    await scene.until_lost()


async def test_a_watch_that_breaks_forgives_and_listens_again(scene: Scene) -> None:
    await scene.answer(lambda: _raise(Unavailable("the server is away")))
    await scene.beat()
    await scene.pass_s(1.5)
    scene.broken = 1
    await scene.beat()  # it breaks on this one
    await scene.ticks()
    await scene.pass_s(1.25)
    assert scene.lost == []
    await scene.beat()
    await scene.pass_s(1.25)
    assert scene.lost == []


async def test_after_a_pause_of_this_process_nobody_is_dead_for_what_it_did_not_hear(scene: Scene) -> None:
    await scene.answer(lambda: _raise(Unavailable("the answer waits in a buffer")))
    await scene.beat()
    await scene.ticks()
    scene.clock.move(30)
    await scene.ticks(10)
    assert scene.lost == []
    await scene.pass_s(2)
    await scene.until_lost()


async def test_what_the_report_of_a_loss_raises_does_not_end_the_watch(scene: Scene) -> None:
    told: list[str] = []

    async def fails_first(id: str, incarnation: str, reason: str) -> None:
        told.append(id)
        if len(told) == 1:
            raise Unavailable("the log is away")
        await scene.lose(id, incarnation, reason)

    scene.judge._lost = fails_first
    await scene.beat()
    await scene.pass_s(2)
    await scene.until_lost()
    assert len(told) == 2


async def test_a_watch_that_may_not_listen_ends_instead_of_judging_deaf(scene: Scene) -> None:
    async def forbidden(prefix: str) -> AsyncIterator[tuple[str, bytes | None]]:
        raise PermissionDenied(prefix, "subscribe to")
        yield

    deaf = Watch(scene, scene.requests, scene.clock, scene.live_nodes, scene.lose)  # type: ignore[arg-type]
    scene.watch = forbidden  # type: ignore[method-assign]
    with pytest.raises(PermissionDenied):
        await asyncio.wait_for(deaf.serve(), PATIENCE_S)


def _raise(error: Exception) -> bytes:
    raise error
