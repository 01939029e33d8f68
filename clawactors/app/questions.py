"""The questions that a control process answers, put together: those of its views, and those of its placement."""

import contextlib
from collections.abc import Awaitable, Callable
from functools import partial

import msgspec

from clawactors.eventlog import UNREADABLE, EventLogError
from clawactors.kernel.errors import InvalidQuery, Refused
from clawactors.projections.engine.questions import error_reply
from clawactors.projections.engine.view import Projection
from clawactors.runtime.activity import ActivityQuestion
from clawactors.runtime.control import Control
from clawactors.runtime.control.activity import recent_activity
from clawactors.runtime.control.control import QUEUE
from clawactors.runtime.control.letters import LettersEndpoint
from clawactors.runtime.control.queue import next_tasks
from clawactors.runtime.queue import QueueQuestion
from clawactors.systems.nodes.row import Heartbeat

__all__ = ["answer_questions", "heartbeat_of"]


class _WhyQuestion(msgspec.Struct, forbid_unknown_fields=True):
    id: str


async def answer_questions(
    control: Control,
    answer: Callable[[str, bytes], Awaitable[bytes]],
    projection: Projection,
    health: Callable[[bytes], Awaitable[bytes]] | None = None,
    trouble: Callable[[], str] = lambda: "",
) -> None:
    """Serves `claw.query.<name>` and `claw.query.<principal>.<name>`.

    Views answer, by `answer(name, body)`; placement answers `why`, `queue` and `activity`; `middleware` names what a
    command passes; `health` says whether rows are sound, where they are on a disk. `trouble` is why nothing can be
    appended, or ''.
    """

    async def why(body: bytes) -> bytes:
        try:
            question = msgspec.json.decode(body, type=_WhyQuestion)
        except UNREADABLE as error:
            return error_reply(Refused(f"not a question: {error}"))
        placement = control.placement
        limit = placement.limit_of(question.id)
        return msgspec.json.encode(
            {
                "reasons": placement.why(question.id, control.context.clock.now_ns()),
                "waiting_for": limit.facts if limit else {},
                "trouble": trouble(),
            }
        )

    async def activity(body: bytes) -> bytes:
        try:
            question = msgspec.json.decode(body, type=ActivityQuestion)
            return msgspec.json.encode(recent_activity(control, question, trouble()))
        except UNREADABLE as error:
            return error_reply(InvalidQuery(f"not a question: {error}"))
        except Refused as refusal:
            return error_reply(refusal)

    async def queue(body: bytes) -> bytes:
        try:
            question = msgspec.json.decode(body, type=QueueQuestion)
            now_ns = control.context.clock.now_ns()
            return msgspec.json.encode(next_tasks(control.placement, question, now_ns, trouble()))
        except UNREADABLE as error:
            return error_reply(InvalidQuery(f"not a question: {error}"))
        except Refused as refusal:
            return error_reply(refusal)

    async def middleware(_body: bytes) -> bytes:
        return msgspec.json.encode({"chain": control.dispatcher.chain})

    async def missing(_body: bytes) -> bytes:
        with contextlib.suppress(EventLogError):  # it is told
            await control.losses.refresh()
        return msgspec.json.encode(control.losses.told())

    answers: dict[str, Callable[[bytes], Awaitable[bytes]]] = {}
    answers |= {name: partial(answer, name) for name in projection.questions}
    answers |= {"why": why, "middleware": middleware, "missing": missing, "activity": activity, "queue": queue}
    if health is not None:
        answers["health"] = health
    for name, handler in answers.items():
        # The short form is for the cluster's own account, the other names who asks.
        await control.requests.serve(f"claw.query.{name}", handler, QUEUE)
        await control.requests.answer(f"claw.query.*.{name}", _for_anybody(handler), queue=QUEUE)
    await LettersEndpoint(control.dead.store).open(control.requests, QUEUE)


def _for_anybody(answer: Callable[[bytes], Awaitable[bytes]]) -> Callable[[str, bytes], Awaitable[bytes]]:
    return lambda _principal, body: answer(body)


def heartbeat_of(control: Control, id: str) -> Heartbeat | None:
    """The last heartbeat of a node that this process has heard."""
    figures = control.watch.figures.get(id)
    if figures is None:
        return None
    return Heartbeat(figures.incarnation, figures.at_ns, figures.cpu, figures.memory, figures.disk)
