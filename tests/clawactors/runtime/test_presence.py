"""How a node shows that it is there, and the thread that does it while code blocks the node."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from clawactors.eventlog import Unavailable
from clawactors.eventlog.leases import InProcessLeases, Leases
from clawactors.eventlog.requests import InProcessRequests, Requests
from clawactors.kernel.errors import Refused
from clawactors.runtime.node.liveness import LivenessThread
from clawactors.runtime.node.presence import Presence, node_key
from tests.clawactors.runtime.cluster import PATIENCE_S, ManualClock

LEASE_S = 0.03


class Scene:
    """A presence on ports in this process; `lives` is what its node says of itself."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.leases, self.requests = InProcessLeases(self.clock.monotonic_s), InProcessRequests()
        self.lives, self.asked = True, asyncio.Event()

    def presence(self, incarnation: str = "i1") -> Presence:
        return Presence(
            self.leases, self.requests, self.clock, "n1", incarnation, LEASE_S, lambda: b"figures", self.says
        )

    def says(self) -> bool:
        self.asked.set()
        return self.lives

    async def is_asked(self) -> None:
        self.asked.clear()
        async with asyncio.timeout(PATIENCE_S):
            await self.asked.wait()

    async def answer(self) -> bytes:
        return await self.requests.request("claw.live.n1", b"", PATIENCE_S)


async def test_it_answers_probes_and_renews_its_lease_while_the_node_lives() -> None:
    scene = Scene()
    presence = scene.presence()
    await presence.open()
    assert await scene.answer() == b"i1"
    beating = asyncio.ensure_future(presence.beat())
    for _ in range(3):
        await scene.is_asked()
        scene.clock.now_s += LEASE_S / 2
    assert await scene.leases.acquire(node_key("n1", "i1"), b"", LEASE_S) is None
    beating.cancel()
    await presence.release()
    await presence.aclose()
    assert await scene.leases.acquire(node_key("n1", "i1"), b"", LEASE_S) is not None


async def test_a_node_that_stands_still_for_too_long_shows_nothing() -> None:
    scene = Scene()
    presence = scene.presence()
    await presence.open()
    scene.lives = False
    assert await scene.answer() == b""
    beating = asyncio.ensure_future(presence.beat())
    await scene.is_asked()
    scene.clock.now_s += 10
    await scene.is_asked()
    assert await scene.leases.acquire(node_key("n1", "i1"), b"", LEASE_S) is not None
    beating.cancel()
    await presence.aclose()


async def test_a_second_node_of_the_name_is_refused_while_the_first_answers() -> None:
    scene = Scene()
    presence = scene.presence()
    await presence.open()
    with pytest.raises(Refused, match="is alive"):
        await scene.presence("i2").open()
    await presence.aclose()
    await scene.presence("i2").open()


@asynccontextmanager
async def link() -> AsyncIterator[tuple[Leases, Requests]]:
    yield InProcessLeases(ManualClock().monotonic_s), InProcessRequests()


async def test_what_is_done_apart_goes_on_while_the_loop_is_blocked() -> None:
    beats = threading.Semaphore(0)

    async def beat() -> None:
        while True:
            beats.release()
            await asyncio.sleep(0)

    async with LivenessThread(link) as apart:
        beating = asyncio.ensure_future(apart.do(beat()))
        await asyncio.sleep(0)
        for _ in range(100):  # this holds the loop
            assert beats.acquire(timeout=PATIENCE_S)
        beating.cancel()
        with pytest.raises(asyncio.CancelledError):
            await beating


async def test_what_is_done_apart_gives_its_result_or_its_error() -> None:
    async def where() -> str:
        return threading.current_thread().name

    async def fail() -> None:
        raise Unavailable("gone")

    async with LivenessThread(link) as apart:
        assert await apart.do(where()) == "liveness"
        with pytest.raises(Unavailable, match="gone"):
            await apart.do(fail())


async def test_a_link_that_can_not_be_opened_is_told_where_it_was_wanted() -> None:
    @asynccontextmanager
    async def broken() -> AsyncIterator[tuple[Leases, Requests]]:
        raise Unavailable("no server")
        yield

    with pytest.raises(Unavailable, match="no server"):
        async with LivenessThread(broken):
            pass
