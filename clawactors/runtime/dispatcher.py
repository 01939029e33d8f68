"""The one way to write: middleware around snapshot → decide → one guarded append → snapshot.

1. All calls that wait for one aggregate are one queue and one commit, decided in the order of the calls.
2. Each call is refused for what it asks itself, never for what leaves with it.
3. A refusal is a read: it is believed only on a state that holds all that was in the log when it was decided.
4. A race is decided again on fresh state until the call's deadline; an append is never begun after the deadline.
5. A command id takes effect once: the header of each commit lists the ids that it answers.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Final

import msgspec

from clawactors.eventlog import Draft, EventLogError, TooLarge, Unavailable, WrongVersion
from clawactors.kernel.errors import Refused
from clawactors.kernel.fold import Snapshot
from clawactors.kernel.kind import Kind, Kinds
from clawactors.runtime.actor import ActorContext
from clawactors.runtime.snapshots import Known, Snapshots

__all__ = ["Answer", "Call", "Dispatcher", "Handler", "Middleware"]

_TOGETHER: Final = 2000
_RACES_BEFORE_PAUSE: Final = 3


class Call(msgspec.Struct, frozen=True, gc=False):
    """Commands to one aggregate, all of them or none.

    `known` is what the caller knows of the aggregate; None has it loaded. `once`: it was decided on that very state, so
    a lost race ends it (`WrongVersion`). `deadline_ns` is the log's time, 0 for none.
    """

    kind: str
    id: str
    commands: tuple[Any, ...]
    command_id: str = ""
    principal: str = ""
    deadline_ns: int = 0
    known: Snapshot[Any] | None = None
    once: bool = False


class Answer(msgspec.Struct, frozen=True, gc=False):
    """The aggregate after the call: its version and state, and the events that the call led to."""

    version: int
    state: Any
    events: tuple[Any, ...] = ()


type Handler = Callable[[Call], Awaitable[Answer]]
"""Raises: `Refused`, `PermissionDenied`, `TooLarge`, `Unavailable` (it may or may not be stored: ask again)."""

type Middleware = Callable[[Handler], Handler]


class _Waiting(msgspec.Struct, gc=False):
    """A call in the queue of its aggregate."""

    call: Call
    answer: asyncio.Future[Answer]


class Dispatcher:
    """The only caller of `EventLog.append*` in its process. `middleware`: the first is the outermost."""

    def __init__(
        self, context: ActorContext, kinds: Kinds, snapshots: Snapshots, middleware: Sequence[Middleware] = ()
    ) -> None:
        self.context, self.kinds, self.snapshots = context, kinds, snapshots
        self._queues: dict[tuple[str, str], deque[_Waiting]] = {}
        self._workers: set[asyncio.Task[None]] = set()
        handler: Handler = self._enqueue
        for wrap in reversed(middleware):
            handler = wrap(handler)
        self._handler = handler
        self.middleware = tuple(middleware)

    async def send(self, call: Call) -> Answer:
        """Decides and appends. Raises: as `Handler`."""
        return await self._handler(call)

    async def send_many(self, calls: Iterable[Call]) -> list[Answer | Exception]:
        """Independent calls, each with an outcome of its own; appends of one turn travel as one batch."""
        outcomes = await asyncio.gather(*map(self._handler, calls), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException) and not isinstance(outcome, Exception):
                raise outcome
        return [
            outcome for outcome in outcomes if not isinstance(outcome, BaseException) or isinstance(outcome, Exception)
        ]

    async def aclose(self) -> None:
        """Ends the work on calls that nobody waits for any longer."""
        for worker in list(self._workers):
            worker.cancel()

    # The innermost handler

    async def _enqueue(self, call: Call) -> Answer:
        waiting = _Waiting(call, asyncio.get_running_loop().create_future())
        key = call.kind, call.id
        if (queue := self._queues.get(key)) is not None:
            queue.append(waiting)
        else:
            self._queues[key] = queue = deque((waiting,))
            work = self._work(key, queue, self.kinds[call.kind])
            worker = asyncio.Task(work, loop=asyncio.get_running_loop(), eager_start=True)
            if not worker.done():
                self._workers.add(worker)
                worker.add_done_callback(self._workers.discard)
        return await waiting.answer

    async def _work(self, key: tuple[str, str], queue: deque[_Waiting], kind: Kind[Any, Any, Any]) -> None:
        """Carries out what waits for one aggregate until nothing more does."""
        attempt = _Attempt(self.context, kind, key[1], self.snapshots)
        try:
            while queue:
                await attempt.carry_out(_next_batch(queue))
        finally:
            del self._queues[key]
            for each in queue:
                each.answer.cancel()


def _next_batch(queue: deque[_Waiting]) -> list[_Waiting]:
    """What goes into one commit; a call that brings its own state goes alone."""
    batch: list[_Waiting] = []
    while queue and len(batch) < _TOGETHER and (not batch or queue[0].call.known is None):
        batch.append(each := queue.popleft())
        if each.call.known is not None:
            break
    return [each for each in batch if not each.answer.done()]


class _Decided(msgspec.Struct, gc=False):
    """What calls lead to, on one version: events in order, and how many calls of the batch are in them."""

    events: list[Any]
    parts: list[tuple[_Waiting, tuple[Any, ...]]]
    refused: list[tuple[_Waiting, Refused]]
    quiet: list[tuple[_Waiting, int]]
    state: Any


class _Attempt:
    """The calls of one aggregate, carried out one batch after the other on what is known of it."""

    def __init__(self, context: ActorContext, kind: Kind[Any, Any, Any], id: str, snapshots: Snapshots) -> None:
        self._context, self._kind, self._id, self._snapshots = context, kind, id, snapshots
        self._known: Known | None = None
        self._is_fresh = False

    async def carry_out(self, batch: list[_Waiting]) -> None:
        """Every call of the batch has its answer when this returns."""
        races = 0
        while batch:
            try:
                known = self._given(batch) or self._known or await self._load(at_least=0)
                decided = self._decide(batch, known)
                if any(not each.call.once for each, _ in decided.refused) and not self._is_fresh:
                    await self._load(at_least=-1)
                    continue
                for each, refusal in decided.refused:
                    _end(each, refusal)
                for each, version in decided.quiet:
                    _end(each, Answer(version, known.snapshot.state))
                batch = [each for each, _ in decided.parts if not each.answer.done()]
                if not batch:
                    return
                await self._append(known, decided)
                return
            except WrongVersion as error:
                if any(each.call.once for each in batch):
                    _end_all([each for each in batch if each.call.once], error)
                    batch = [each for each in batch if not each.call.once]
                races += 1
                self._known, self._is_fresh = None, False
                if races > _RACES_BEFORE_PAUSE:
                    await asyncio.sleep(self._context.clock.roll() * min(0.1, 0.002 * 2**races))
                try:
                    await self._load(at_least=error.actual)
                except EventLogError as failure:
                    _end_all(batch, failure)
                    return
            except TooLarge as error:
                if len(batch) == 1:
                    _end_all(batch, error)
                    return
                half = len(batch) // 2
                await self.carry_out(batch[:half])
                batch = batch[half:]
            except Exception as error:  # it is the callers' own; those after them begin anew
                self._known, self._is_fresh = None, False
                _end_all(batch, error)
                return

    def _given(self, batch: list[_Waiting]) -> Known | None:
        """What the callers know; a command that makes the aggregate needs to know nothing: the guard tells."""
        if len(batch) > 1:
            return None
        call = batch[0].call
        if call.known is not None and (self._known is None or self._known.snapshot.version < call.known.version):
            return Known(call.known)
        if call.known is not None and call.once and self._known and self._known.snapshot.version > call.known.version:
            raise WrongVersion(f"{self._kind.name}/{self._id}", call.known.version, self._known.snapshot.version)
        if self._known is None and self._kind.creates(call.commands[0]):
            return Known(Snapshot(self._kind.decider.initial))
        return None

    async def _load(self, *, at_least: int) -> Known:
        self._known = known = await self._snapshots.load(self._kind, self._id, at_least=at_least)
        self._is_fresh = at_least == -1
        return known

    def _decide(self, batch: list[_Waiting], known: Known) -> _Decided:
        kind, snapshot, now_ns = self._kind, known.snapshot, self._context.time.now_ns()
        decided = _Decided([], [], [], [], snapshot.state)
        taken: set[str] = set()
        for each in batch:
            call = each.call
            if call.command_id and (version := known.answered.get(call.command_id)) is not None:
                decided.quiet.append((each, version))
                continue
            if call.command_id in taken:
                decided.quiet.append((each, snapshot.version))
                continue
            state = decided.state
            events: list[Any] = []
            try:
                if 0 < call.deadline_ns <= now_ns:
                    raise Unavailable("its deadline passed before it was decided; nothing was written for it")
                if snapshot.frozen:
                    raise Refused(f"{kind.name} {self._id} needs a newer release: {snapshot.frozen}")
                for command in call.commands:
                    made = kind.decider.decide(command, state)
                    for event in made:
                        state = kind.decider.evolve(state, event, now_ns)
                    events += made
            except Refused as refusal:
                decided.refused.append((each, refusal))
                continue
            except Unavailable as error:
                _end(each, error)
                continue
            if not events:
                decided.quiet.append((each, snapshot.version))
                continue
            decided.state = state
            decided.events += events
            decided.parts.append((each, tuple(events)))
            if call.command_id:
                taken.add(call.command_id)
        return decided

    async def _append(self, known: Known, decided: _Decided) -> None:
        """Raises: what the log raises."""
        context, kind, before = self._context, self._kind, known.snapshot
        answers = tuple(each.call.command_id for each, _ in decided.parts if each.call.command_id)
        draft = Draft(
            kind=kind.name,
            id=self._id,
            body=kind.codec.encode(tuple(decided.events)),
            commit=context.names.commit(),
            to="" if context.node else kind.route(before.state) or kind.route(decided.state),
            writer=context.node,
            by=_author(decided.parts) or context.by,
            answers=answers,
        )
        version = await context.log.append(draft, before.version)
        self._known = Known(Snapshot(decided.state, version), {**known.answered, **dict.fromkeys(answers, version)})
        self._is_fresh = False
        for each, events in decided.parts:
            _end(each, Answer(version, decided.state, events))


def _author(parts: Sequence[tuple[_Waiting, tuple[Any, ...]]]) -> str:
    """Who asked, where one asked for all of it."""
    principals = {each.call.principal for each, _ in parts}
    return principals.pop() if len(principals) == 1 else ""


def _end_all(batch: Sequence[_Waiting], outcome: Exception) -> None:
    for each in batch:
        _end(each, outcome)


def _end(each: _Waiting, outcome: Answer | Exception) -> None:
    if each.answer.done():
        return
    if isinstance(outcome, Exception):
        each.answer.set_exception(outcome)
    else:
        each.answer.set_result(outcome)
