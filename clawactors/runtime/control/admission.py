"""Middleware that gives a new task to a node in the very commit that makes it, where placement finds room."""

from collections.abc import Callable, Sequence
from itertools import zip_longest

from msgspec.structs import replace

from clawactors.eventlog import Unavailable
from clawactors.runtime.call import Answer, Call, Handler, Middleware, Reply
from clawactors.systems.placement import Placement
from clawactors.systems.tasks import commands as c

__all__ = ["admitting", "leading"]


def leading(leads: Callable[[], bool]) -> Middleware:
    """Decides only while this process leads: after a pause another one may."""

    def wrap(handler: Handler) -> Handler:
        async def handle(calls: Sequence[Call]) -> Sequence[Reply]:
            if not leads():
                return [Unavailable("this control process does not lead") for _ in calls]
            return await handler(calls)

        return handle

    return wrap


def admitting(placement: Placement, now_ns: Callable[[], int]) -> Middleware:
    """Turns `Submit` into `Admit` where the task would be placed now.

    A task with a start, predecessors or a fork is made first and placed later: no commit of several events may depend
    on a comparison of times.
    """

    def admitted(call: Call, at_ns: int) -> Call:
        command = call.commands[0]
        if type(command) is not c.Submit or command.delayed:
            return call
        spec = command.spec
        if spec.not_before_ns or spec.after or spec.fork_of or spec.deadline_ns:
            return call
        seat = placement.reserve(call.id, spec, at_ns)
        if seat is None:
            return call
        return replace(call, commands=(c.Admit(spec, seat.id, seat.node.incarnation, seat.node.losses),))

    def wrap(handler: Handler) -> Handler:
        async def handle(calls: Sequence[Call]) -> Sequence[Reply]:
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
