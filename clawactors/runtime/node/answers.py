"""The functions by which a task's code answers questions, and how its node lets them: it is asked on `claw.ask.<node>`.

1. They run beside the code: in the event loop for async code, in a thread for sync code; while it is parked, too.
2. They read. What they call of the task must leave no record, so it is refused where it would.
"""

import asyncio
import inspect
from collections.abc import Callable
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import msgspec

from clawactors.eventlog.requests import Requests
from clawactors.kernel.errors import Refused
from clawactors.runtime.asking import Failure
from clawactors.runtime.node.code import TaskSuspended, call_in_thread
from clawactors.runtime.node.errortext import MESSAGE_MAX
from clawactors.runtime.node.failure import classify, message_of
from clawactors.runtime.node.results import encoded_and_decoded
from clawactors.runtime.node.spawned import current_output
from clawactors.runtime.node.steptime import is_async
from clawactors.runtime.serving import RequestEndpoint, answering
from clawactors.runtime.taskasking import ANSWER_MAX_BYTES, TIMED_OUT, CodeAnswer, CodeQuestion, subject_of_node
from clawactors.systems.skills.returns import as_annotated, returns_of
from clawactors.systems.tasks.events import TaskError
from clawactors.systems.tasks.payload import shown_size

if TYPE_CHECKING:
    from clawactors.runtime.node.attempt.attempt import Attempt

__all__ = ["AnswerEndpoint", "TaskAnswers", "is_answering"]

_NAME_MAX: Final = 128
_BEGIN_S: Final = 1.0
"""Code that is at work may be about to say what it answers."""

_ON_THE_WAY_S: Final = 0.5
"""So much earlier than who asks the node gives up, to say why."""

_decode: Final = msgspec.json.Decoder(CodeQuestion).decode
_encode: Final = msgspec.json.Encoder().encode

is_answering: Final[ContextVar[bool]] = ContextVar("is_answering", default=False)
"""True in a function that answers."""


class TaskAnswers:
    """What the code of one attempt answers."""

    def __init__(self, attempt: "Attempt") -> None:
        self._attempt, self._loop = attempt, asyncio.get_running_loop()
        self._functions: dict[str, Callable[..., Any]] = {}
        self._added: list[asyncio.Future[None]] = []

    def add(self, name: object, function: object) -> None:
        """See `TaskContext.answer`."""
        if not isinstance(name, str) or not 0 < len(name) <= _NAME_MAX or not name.isprintable():
            raise Refused(f"an answer is named by 1 to {_NAME_MAX} printable characters, not {repr(name)[:40]}")
        if not callable(function):
            raise Refused(f"task.answer takes a name and a function, not {repr(function)[:40]}")
        self._functions[name] = function
        added, self._added = self._added, []
        for each in added:
            if not each.done():
                each.set_result(None)

    async def answer(self, question: CodeQuestion) -> CodeAnswer:
        """What the function of that name returns or raises. Raises: `Refused` (can't be asked so), `TimeoutError`."""
        function = await self._function(question.name, min(_BEGIN_S, question.wait_s))
        attempt = self._attempt
        current_output.set(attempt.values)
        is_answering.set(True)
        args, kwargs = _arguments(question, function)
        wait_s = question.wait_s - min(_ON_THE_WAY_S, question.wait_s / 5)
        limit = asyncio.timeout(wait_s)
        try:
            async with limit:
                value = await self._call(partial(function, *args, **kwargs), function)
        except asyncio.CancelledError as error:
            if (own := asyncio.current_task()) is None or own.cancelling():
                raise
            return CodeAnswer(raised=self._raised(error))  # of what the function awaits
        except (Exception, TaskSuspended, SystemExit, KeyboardInterrupt) as error:
            if isinstance(error, TimeoutError) and limit.expired():
                raise TimeoutError(f"its answer {question.name!r} takes longer than {wait_s:.3g} s") from None
            return CodeAnswer(raised=self._raised(error))
        return CodeAnswer(self._encoded(question.name, value, function))

    async def _function(self, name: str, wait_s: float) -> Callable[..., Any]:
        until_s = self._loop.time() + wait_s
        while (function := self._functions.get(name)) is None:
            left_s = until_s - self._loop.time()
            if left_s <= 0 or not self._attempt.parking.is_at_work:
                names = ", ".join(map(repr, sorted(self._functions)))
                has = f"it has {names}" if names else "its code has none"
                raise Refused(f"task {self._attempt.id} has no answer {name!r}; {has} (task.answer adds one)")
            added: asyncio.Future[None] = self._loop.create_future()
            self._added.append(added)
            await asyncio.wait((added,), timeout=left_s)
        return function

    async def _call(self, call: Callable[[], Any], function: Callable[..., Any]) -> Any:
        skill = self._attempt.skill
        if skill is not None and skill.in_thread and not is_async(function):
            return await self._loop.run_in_executor(self._attempt.threads, call_in_thread, call)
        result = call()
        return await result if inspect.isawaitable(result) else result

    def _raised(self, error: BaseException) -> TaskError:
        attempt = self._attempt
        hide = attempt.supplies.secrets.hide
        failure, _ = classify(error, attempt.skill.errors if attempt.skill else ())
        return TaskError(failure.kind, hide(message_of(error)[:MESSAGE_MAX]), hide(failure.traceback))

    def _encoded(self, name: str, value: Any, function: Callable[..., Any]) -> msgspec.Raw:
        """The value as JSON. Raises: `Refused` where it can't be sent."""
        attempt, whose = self._attempt, f"the answer {name!r}"
        encoded, _ = encoded_and_decoded(value, whose, returns_of(function))
        if attempt.skill is not None and attempt.skill.secrets:
            attempt.supplies.secrets.check(encoded, attempt.skill.secrets, whose)
        if len(encoded) > ANSWER_MAX_BYTES:
            size, most = shown_size(len(encoded)), shown_size(ANSWER_MAX_BYTES)
            raise Refused(f"{whose} has {size}, and {most} is the most: emit it, or store it and answer where")
        return msgspec.Raw(encoded)


def _arguments(question: CodeQuestion, function: Callable[..., Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    given = msgspec.json.decode(question.args)
    if not isinstance(given, list):
        raise Refused("the arguments of a question are a list")
    try:
        inspect.signature(function).bind(*given)
    except TypeError as error:
        raise Refused(f"the answer {question.name!r} can't be asked so: {error}") from None
    except ValueError:
        pass  # a function without a signature says itself what it takes
    return as_annotated(function, given, {})


class AnswerEndpoint(RequestEndpoint):
    """Lets the attempts of a node answer; `find` gives the attempt of a task."""

    def __init__(self, node: str, find: Callable[[str], "Attempt | None"]) -> None:
        super().__init__()
        self._node, self._find = node, find

    async def open(self, requests: Requests) -> None:
        """Answers from now on. Raises: `PermissionDenied`, `Unavailable`."""
        self._serving = [await requests.serve(subject_of_node(self._node), partial(self._answer, ""))]

    @answering(_decode, _encode, CodeAnswer, "a question")
    async def _answer(self, _principal: str, question: CodeQuestion) -> CodeAnswer:
        attempt = self._find(question.id)
        if attempt is None or attempt.is_stopping or attempt.phase.code is None:
            return CodeAnswer(again=f"its code does not run on node {self._node} yet, or no longer")
        try:
            return await attempt.answers.answer(question)
        except TimeoutError as error:
            return CodeAnswer(error=Failure(TIMED_OUT, str(error)))
