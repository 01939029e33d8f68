"""Three machines: a server dies, hangs, is cut off in one direction or in both; nothing is lost, doubled or stuck."""

import asyncio
import itertools
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from clawactors.eventlog.jetstream.log import streams
from tests.scenario.machines import Machine, why_none
from tests.scenario.site import Site, site
from tests.servers import NatsServer
from tests.waiting import until

pytestmark = [pytest.mark.nats, pytest.mark.skipif(bool(why := why_none()), reason=why)]

ELECTION_S = 14.0
"""A nats-server that hears nothing of its leader stands for election after 4 to 9 s; no option changes that. A busy
machine adds to it."""
TAKEOVER_S = 2.0
"""What ours may add, on a busy machine."""


async def took_less(site: Site, began_s: float, limit_s: float) -> None:
    """A task that is submitted now has run before that much time is over."""
    took_s = await site.probe(began_s)
    print(f"{took_s:.2f} s")
    assert took_s < limit_s


async def back(site: Site, server: NatsServer) -> None:
    """The killed server runs again and has caught up."""
    await server.restart()
    await until(site.are_whole, "the server that came back has caught up")


async def test_work_goes_on_when_the_server_that_leads_dies(tmp_path: Path) -> None:
    async with site(tmp_path) as three:
        ids = await three.submit(60, steps=4, seconds=0.1)
        server = await three.leader(streams.EVENTS)
        began_s = time.monotonic()
        server.kill()
        ids += await three.submit(20, "plods-few", "meanwhile")
        await took_less(three, began_s, ELECTION_S + TAKEOVER_S)
        await back(three, server)
        await three.hear_all(ids)
        await three.settle()
        await three.judge()


async def each_is_killed(three: Site) -> None:
    """One server after the other, whatever it leads."""
    for number, server in enumerate(three.three.servers):
        await three.submit(100, prefix=f"kill-{number}", steps=3, seconds=0.05)
        began_s = time.monotonic()
        server.kill()
        await took_less(three, began_s, ELECTION_S + TAKEOVER_S)
        await back(three, server)


async def leaders_hang(three: Site) -> None:
    """The server that leads the log stands still for longer than any lease, and wakes."""
    for number in range(3):
        await three.submit(100, prefix=f"hang-{number}", steps=3, seconds=0.05)
        server = await three.leader(streams.EVENTS)
        began_s = time.monotonic()
        server.freeze()
        await three.probe(began_s)
        await asyncio.sleep(3)
        server.signal(signal.SIGCONT)
        await until(three.are_whole, "the server that stood still has caught up")


async def links_are_cut(three: Site) -> None:
    """Between any two, one way, the other way, both ways; then each is alone."""
    members = three.net.members
    pairs = list(itertools.permutations(members, 2))
    cuts: list[tuple[Callable[..., None], tuple[Machine, ...]]] = [(three.net.silence, pair) for pair in pairs]
    cuts += [(three.net.part, pair) for pair in itertools.combinations(members, 2)]
    cuts += [(three.net.isolate, (one,)) for one in members]
    for number, (cut, between) in enumerate(cuts):
        await three.submit(50, prefix=f"cut-{number}", steps=3, seconds=0.05)
        began_s = time.monotonic()
        cut(*between)
        took_s = await three.probe(began_s)
        print(f"{cut.__name__} {' '.join(each.name[-1] for each in between)}: {took_s:.2f} s")
        three.net.heal()
        await until(three.are_whole, "all have caught up")


TROUBLES: list[Callable[[Site], Awaitable[None]]] = [each_is_killed, leaders_hang, links_are_cut]


@pytest.mark.soak
@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.__name__)
async def test_nothing_is_lost_doubled_or_stuck_on_three_machines(
    tmp_path: Path, trouble: Callable[[Site], Awaitable[None]]
) -> None:
    async with site(tmp_path, controls=(0, 1, 2), nodes=3) as three:
        await trouble(three)
        await three.settle()
        await three.hear_all(list(three.told.acknowledged))
        await three.judge()
