"""One attempt whose code runs in a worker. Its coroutine stands for that code in the node: it takes the messages of the
worker, makes the calls, each in an asyncio task of the run, and ends as the code ends.

1. The coroutine waits for messages as code waits for a signal: while all open calls are durable waits, the run parks.
2. A cancel ends the open calls, and the code in the worker may clean up. Whatever else ends the run drops it there.
3. A call of a run that has parked wakes it first, and so does its result.
"""

import asyncio
import contextlib
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from clawactors.kernel.errors import Refused
from clawactors.runtime.node.code import TaskSuspended
from clawactors.runtime.node.context import TaskContext
from clawactors.runtime.node.step import Step
from clawactors.runtime.node.workers.calls import error_told, make_call
from clawactors.runtime.node.workers.offers import failure_of
from clawactors.runtime.node.workers.orders import AskCode, CallReply, CancelCode, DoStep, DropCode, RunCode, ToWorker
from clawactors.runtime.node.workers.protocol import (
    CodeAnswered,
    CodeCall,
    CodeError,
    CodeHeartbeat,
    CodeLog,
    CodeProgress,
    CodeRaised,
    CodeResult,
    OfAttempt,
    StepRaised,
    StepReturned,
)
from clawactors.systems.tasks.retry import Retry

if TYPE_CHECKING:
    from clawactors.runtime.node.attempt.attempt import Attempt

__all__ = ["ServedAttempt", "WorkerLink"]

_CALLS_MAX: Final = 10_000
"""So many calls of one run may be open at once."""


class WorkerLink(Protocol):
    """The way to the worker."""

    async def send(self, message: ToWorker) -> None:
        """Returns when there is room for more; nothing happens where the worker has ended."""
        ...

    def send_soon(self, message: ToWorker) -> None:
        """The same without waiting."""
        ...

    def refuse(self, why: str) -> None:
        """Tells that the present line makes no sense."""
        ...


class ServedAttempt:
    """`deliver` takes the messages of the worker, `serve` is the code of the run."""

    def __init__(self, link: WorkerLink, key: str, task: TaskContext, attempt: "Attempt") -> None:
        self._link, self.key, self._task, self.attempt = link, key, task, attempt
        self._inbox: deque[OfAttempt | TaskSuspended] = deque()
        self._arrived: asyncio.Future[None] | None = None
        self._calls: dict[int, asyncio.Task[None]] = {}
        self._doing: dict[int, asyncio.Future[Any]] = {}
        self._asked: dict[int, asyncio.Future[Any]] = {}
        self._children = set[str]()
        self._is_cancelled = False

    # Messages of the worker

    def deliver(self, message: OfAttempt) -> None:
        """Takes it; what needs the run is left to its coroutine."""
        match message:
            case StepReturned(id=id, value=value) if (future := self._waiting(self._doing, id)) is not None:
                future.set_result(value)
            case StepRaised(id=id, error=error) if (future := self._waiting(self._doing, id)) is not None:
                future.set_exception(failure_of(error, self._rules))
            case CodeAnswered(id=id, value=value, error=raised) if (
                future := self._waiting(self._asked, id)
            ) is not None:
                if raised is None:
                    future.set_result(message.value)
                else:
                    future.set_exception(failure_of(raised))
            case StepReturned(id=id) | StepRaised(id=id) | CodeAnswered(id=id):
                if not self._is_cancelled:
                    self._link.refuse(f"nothing waits for {message.__struct_config__.tag} {id} of {self.key}")
            case CodeProgress(done=done, total=total):
                with contextlib.suppress(Refused):
                    self._task.progress(done, total)
            case CodeHeartbeat():
                self._task.heartbeat()
            case CodeLog(text=text, level=level, logger=logger):
                self.attempt.values.output().note(text, level, logger)
            case _:
                self._put(message)

    @staticmethod
    def _waiting(futures: "dict[int, asyncio.Future[Any]]", id: int) -> "asyncio.Future[Any] | None":
        future = futures.pop(id, None)
        return None if future is None or future.done() else future

    @property
    def _rules(self) -> Any:
        return self.attempt.skill.errors if self.attempt.skill else ()

    def _put(self, message: "OfAttempt | TaskSuspended") -> None:
        self._inbox.append(message)
        if self._arrived is not None and not self._arrived.done():
            self._arrived.set_result(None)

    # The run

    async def serve(self, skill: str, params: dict[str, Any]) -> Any:
        """What the code returns. Raises: what it raises, as `FailureReport`."""
        run = RunCode(self.key, self._task.id, skill, params, self._task.attempt)
        has_ended = False
        try:
            await self._link.send(run)
            while True:
                try:
                    message = await self._next()
                except asyncio.CancelledError:
                    if self._is_cancelled:
                        raise  # its time for cleaning up is over
                    self._cancel()
                    continue
                match message:
                    case CodeCall():
                        self._begin(message)
                    case CodeResult(value=value):
                        has_ended = True
                        await self.attempt.parking.at_work()
                        return value
                    case CodeRaised(error=error):
                        has_ended = True
                        await self.attempt.parking.at_work()
                        if self._is_cancelled and error.kind == "cancelled":
                            raise asyncio.CancelledError
                        raise failure_of(error, self._rules)
                    case TaskSuspended():
                        raise message
        finally:
            if not has_ended:
                self._link.send_soon(DropCode(self.key))

    async def _next(self) -> "OfAttempt | TaskSuspended":
        while not self._inbox:
            self._arrived = asyncio.get_running_loop().create_future()
            await self.attempt.waits.wait_for(self._arrived)
        return self._inbox.popleft()

    def _cancel(self) -> None:
        self._is_cancelled = True
        self._link.send_soon(CancelCode(self.key))
        for call in self._calls.values():
            call.cancel()

    # Calls

    def _begin(self, call: CodeCall) -> None:
        if call.id in self._calls:
            self._link.refuse(f"call {call.id} of {self.key} is open already: each call has an id of its own")
        elif len(self._calls) >= _CALLS_MAX:
            error = CodeError(f"{_CALLS_MAX} calls are open already: wait for some of them", "Refused", "validation")
            self._link.send_soon(CallReply(self.key, call.id, error=error))
        else:
            # In the run, so that it counts as a part of the code.
            self._calls[call.id] = asyncio.create_task(self._call(call))

    async def _call(self, call: CodeCall) -> None:
        self.attempt.tasks.name_branch(call.branch)
        try:
            reply = CallReply(self.key, call.id, await self._value_of(call))
        except asyncio.CancelledError as error:
            if not self._is_cancelled:
                raise
            reply = CallReply(self.key, call.id, error=error_told(Refused(str(error) or "cancelled"), cancelled=True))
        except TaskSuspended as suspended:  # the run unwinds
            self._put(suspended)
            return
        except Exception as error:
            reply = CallReply(self.key, call.id, error=error_told(error))
        finally:
            self._calls.pop(call.id, None)
            self._doing.pop(call.id, None)
        await self._link.send(reply)

    async def _value_of(self, call: CodeCall) -> Any:
        if call.branch[:1].isdigit():
            raise Refused(f"the name of a branch does not begin with a digit, as {call.branch[:40]!r} does")
        match call.method:
            case "step":
                return await self._step(call)
            case "answer":
                name: Any = call.args[0] if call.args else None
                return self._task.answer(name, self._answers(name))
            case _:
                return await make_call(self._task, self.attempt, call, self._children)

    async def _step(self, call: CodeCall) -> Any:
        """A step whose function runs in the worker, unless it is on record."""
        name, *args = call.args or ("",)
        if not isinstance(name, str) or not name:
            raise Refused(f"a step has a name, not {repr(name)[:40]}")
        try:
            retry = msgspec.convert(call.options.get("retry"), Retry | None)
            function = self._function(call.id, name)
            step = Step(function, name=name, retry=retry, timeout=call.options.get("timeout"))
        except (ValueError, msgspec.ValidationError) as error:
            raise Refused(f"step {name!r}: {error}") from None
        return await self._task.step(step, *args)

    def _function(self, id: int, name: str) -> Any:
        tries = 0

        async def function(*_: Any) -> Any:
            nonlocal tries
            tries += 1
            done = self._doing[id] = asyncio.get_running_loop().create_future()
            await self._link.send(DoStep(self.key, id, tries))
            return await done

        function.__name__ = function.__qualname__ = name
        return function

    def _answers(self, name: Any) -> Any:
        async def answer(*args: Any) -> Any:
            id = max(self._asked, default=0) + 1
            future = self._asked[id] = asyncio.get_running_loop().create_future()
            try:
                await self._link.send(AskCode(self.key, id, name, list(args)))
                return await future
            finally:
                self._asked.pop(id, None)

        return answer
