"""New tasks are given to a node in the commit that makes them; many wait a moment for the room that they need."""

import asyncio
from collections.abc import Sequence

from clawactors.runtime.call import Answer, Call, Reply
from clawactors.runtime.control.admission import admitting
from clawactors.systems.nodes import events as n
from clawactors.systems.placement import ClusterState, Placement
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks.kind import TASKS
from clawactors.systems.tasks.submission import spec_of
from tests.clawactors.runtime.virtual import run_virtually

NOW_NS = 1_000_000_000
SLOTS = 100


def placement_with_a_node() -> Placement:
    state = ClusterState()
    joined = n.NodeJoined(incarnation="i1", slots=SLOTS, offers=(n.Offer("echo"),))
    state.apply_node("n1", 1, (joined,), NOW_NS)
    return Placement(state)


def submissions(prefix: str, count: int) -> list[Call]:
    return [Call(TASKS, f"{prefix}-{number}", (c.Submit(spec_of("echo")),)) for number in range(count)]


class Appending:
    """A handler that keeps the commands it is given."""

    def __init__(self) -> None:
        self.commands: list[type] = []

    async def __call__(self, calls: Sequence[Call]) -> Sequence[Reply]:
        self.commands += [type(call.commands[0]) for call in calls]
        return [Answer(1, None, ("made",)) for _ in calls]


async def test_many_that_find_no_room_wait_until_the_first_have_ended() -> None:
    placement, appending = placement_with_a_node(), Appending()
    handle = admitting(placement, lambda: NOW_NS)(appending)
    first = submissions("a", SLOTS)
    await handle(first)
    assert appending.commands == [c.Admit] * SLOTS
    second = asyncio.ensure_future(handle(submissions("b", SLOTS)))
    await asyncio.sleep(0)
    assert len(appending.commands) == SLOTS  # not one of them is made yet
    for call in first:
        placement.release(call.id)
    await second
    assert appending.commands == [c.Admit] * (2 * SLOTS)


async def _four_requests() -> None:
    placement, appending = placement_with_a_node(), Appending()
    handle = admitting(placement, lambda: NOW_NS)(appending)
    requests = [submissions(prefix, SLOTS) for prefix in "abcd"]
    replies = [asyncio.ensure_future(handle(calls)) for calls in requests]
    for calls, reply in zip(requests, replies, strict=True):
        await reply
        assert not any(later.done() for later in replies[replies.index(reply) + 1 :])
        await asyncio.sleep(0.1)  # its tasks take so long
        for call in calls:
            placement.release(call.id)
    assert appending.commands == [c.Admit] * (4 * SLOTS)


def test_requests_that_wait_for_room_do_so_in_turn() -> None:
    run_virtually(_four_requests())


async def test_nobody_waits_for_room_that_can_not_be_foreseen() -> None:
    placement, appending = placement_with_a_node(), Appending()
    await admitting(placement, lambda: NOW_NS)(appending)(submissions("a", SLOTS))
    appending.commands.clear()
    later = admitting(placement, lambda: 60 * NOW_NS)(appending)
    async with asyncio.timeout(0.1):
        await later(submissions("b", SLOTS))  # nothing has ended for a minute
        await later(submissions("c", 10 * SLOTS))  # more than the node ever has at once
        await later(submissions("d", 1))
    assert set(appending.commands) == {c.Submit}
