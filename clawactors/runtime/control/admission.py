"""Middleware that gives a new task to a node in the very commit that makes it, where placement finds room."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import zip_longest
from typing import Final

from msgspec.structs import replace

from clawactors.eventlog import Unavailable
from clawactors.runtime.call import Answer, Call, Handler, Middleware, Reply
from clawactors.runtime.control.leadership import Leadership
from clawactors.systems.placement import Placement
from clawactors.systems.placement.choice import shape_of
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks.events import Spec

__all__ = ["admitting", "leading"]

_MANY: Final = 64
_PATIENCE_S: Final = 1.0
"""Less than the time after which a client asks again."""
_LOOK_AGAIN_S: Final = 0.005


def leading(leadership: Leadership) -> Middleware:
    """Decides only while this process leads: after a pause another one may."""

    def wrap(handler: Handler) -> Handler:
        async def handle(calls: Sequence[Call]) -> Sequence[Reply]:
            if not leadership.leading:
                return [Unavailable(leadership.why_not) for _ in calls]
            return await handler(calls)

        return handle

    return wrap


def admitting(placement: Placement, now_ns: Callable[[], int]) -> Middleware:
    """Turns `Submit` into `Admit` where the task would be placed now.

    A task with a start, predecessors or a fork is made first and placed later: no commit of several events may depend
    on a comparison of times. Many that would find room in a moment wait for it: one commit less for each of them. They
    wait in turn: requests that wait side by side would all count on the same room.
    """
    turn = asyncio.Lock()

    async def room(calls: Sequence[Call]) -> None:
        shapes = Counter(shape_of(spec) for call in calls if (spec := _placeable(call)) is not None)
        if shapes.total() < _MANY:
            return
        time = asyncio.get_running_loop().time
        end_s = time() + _PATIENCE_S
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_S), turn:
                while True:
                    wait_s = placement.wait_s(shapes, now_ns())
                    if not 0 < wait_s < end_s - time():
                        return
                    await asyncio.sleep(min(wait_s, _LOOK_AGAIN_S))

    def admitted(call: Call, at_ns: int) -> Call:
        if (spec := _placeable(call)) is None:
            return call
        capacity = placement.reserve(call.id, spec, at_ns)
        if capacity is None:
            return call
        return replace(call, commands=(c.Admit(spec, capacity.id, capacity.node.incarnation, capacity.node.losses),))

    def wrap(handler: Handler) -> Handler:
        async def handle(calls: Sequence[Call]) -> Sequence[Reply]:
            if len(calls) >= _MANY:
                await room(calls)
            at_ns = now_ns()
            passed = [admitted(call, at_ns) for call in calls]
            replies: Sequence[Reply] = ()
            try:
                replies = await handler(passed)
            finally:
                for call, own, reply in zip_longest(calls, passed, replies):
                    if own is not call and not (isinstance(reply, Answer) and reply.events):
                        placement.release(call.id)
            return replies

        return handle

    return wrap


def _placeable(call: Call) -> Spec | None:
    """What is asked for by a new task that may be placed at once; None for every other call."""
    command = call.commands[0]
    if type(command) is not c.Submit or command.delayed:
        return None
    spec = command.spec
    return None if spec.not_before_ns or spec.after or spec.fork_of or spec.deadline_ns else spec
