"""Middleware that gives a new task to a node in the very commit that makes it, where placement finds room."""

from collections.abc import Callable

from msgspec.structs import replace

from clawactors.eventlog import Unavailable
from clawactors.runtime.call import Answer, Call, Handler, Middleware
from clawactors.systems.placement import Placement
from clawactors.systems.tasks import commands as c

__all__ = ["admitting", "leading"]


def leading(leads: Callable[[], bool]) -> Middleware:
    """Decides only while this process leads: after a pause another one may."""

    def wrap(handler: Handler) -> Handler:
        async def handle(call: Call) -> Answer:
            if not leads():
                raise Unavailable("this control process does not lead")
            return await handler(call)

        return handle

    return wrap


def admitting(placement: Placement, now_ns: Callable[[], int]) -> Middleware:
    """Turns `Submit` into `Admit` where the task would be placed now.

    A task with a start, predecessors or a fork is made first and placed later: no commit of several events may depend
    on a comparison of times.
    """

    def wrap(handler: Handler) -> Handler:
        async def handle(call: Call) -> Answer:
            command = call.commands[0]
            if type(command) is not c.Submit or command.delayed:
                return await handler(call)
            spec = command.spec
            if spec.not_before_ns or spec.after or spec.fork_of or spec.deadline_ns:
                return await handler(call)
            seat = placement.reserve(call.id, spec, now_ns())
            if seat is None:
                return await handler(call)
            admit = c.Admit(spec, seat.id, seat.node.incarnation, seat.node.losses)
            try:
                answer = await handler(replace(call, commands=(admit,)))
            except BaseException:
                placement.release(call.id)
                raise
            if not answer.events:
                placement.release(call.id)
            return answer

        return handle

    return wrap
