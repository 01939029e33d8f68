"""The queue of one aggregate: all calls that wait for it are decided in order and leave as one commit."""

import asyncio
from collections import deque
from typing import Any, Final

import msgspec

from clawactors.eventlog import EventLogError, TooLarge, Unavailable, WrongVersion
from clawactors.kernel.errors import Refused
from clawactors.kernel.fold import Snapshot
from clawactors.kernel.kind import Kind
from clawactors.runtime.call import Answer, Call
from clawactors.runtime.context import ActorContext
from clawactors.runtime.deciding import decide, draft_of
from clawactors.runtime.snapshots import Known, Snapshots

__all__ = ["AggregateQueue"]

_TOGETHER: Final = 2000
_RACES_BEFORE_PAUSE: Final = 3


class _Waiting(msgspec.Struct, gc=False):
    """A call in the queue."""

    call: Call
    answer: asyncio.Future[Answer]


class _Decided(msgspec.Struct, gc=False):
    """What a batch leads to on one version: calls that change nothing, refusals, and from the first change on `parts`.

    What is said after a change, a refusal too, is true only once the change is written.
    """

    state: Any
    parts: list[tuple[_Waiting, tuple[Any, ...] | Refused]] = msgspec.field(default_factory=list)
    quiet: list[tuple[_Waiting, int]] = msgspec.field(default_factory=list)
    refused: list[tuple[_Waiting, Refused]] = msgspec.field(default_factory=list)


class AggregateQueue:
    """Calls go in by `put`; `run` carries them out until none is left."""

    def __init__(self, context: ActorContext, kind: Kind[Any, Any, Any], id: str, snapshots: Snapshots) -> None:
        self._context, self._kind, self._id, self._snapshots = context, kind, id, snapshots
        self._waiting: deque[_Waiting] = deque()
        self._known: Known | None = None
        self._is_fresh = False
        self._batch: list[_Waiting] = []
        self.worker: asyncio.Task[None] | None = None
        """What carries out the calls, where that waits for something."""

    @property
    def is_abandoned(self) -> bool:
        """True when nobody waits for an answer any longer."""
        return all(each.answer.done() for each in (*self._batch, *self._waiting))

    def put(self, call: Call) -> asyncio.Future[Answer]:
        """The answer, once there is one."""
        waiting = _Waiting(call, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        return waiting.answer

    async def run(self) -> None:
        """Returns when every call has its answer."""
        try:
            while self._waiting:
                self._batch = self._next_batch()
                await self._carry_out(self._batch)
        finally:
            for each in self._waiting:
                each.answer.cancel()

    def _next_batch(self) -> list[_Waiting]:
        """What goes into one commit; a call that brings its own state goes alone."""
        batch: list[_Waiting] = []
        waiting = self._waiting
        while waiting and len(batch) < _TOGETHER and (not batch or waiting[0].call.known is None):
            batch.append(each := waiting.popleft())
            if each.call.known is not None:
                break
        return [each for each in batch if not each.answer.done()]

    async def _carry_out(self, batch: list[_Waiting]) -> None:
        """Every call of the batch has its answer when this returns."""
        races = 0
        while batch:
            try:
                known = self._given(batch) or self._known or await self._load(at_least=0)
                decided = self._decide(batch, known)
                if any(not each.call.once for each, _ in decided.refused) and not self._is_fresh:
                    await self._load(at_least=-1)  # a refusal is a read: never believe it on a stale state
                    continue
                for each, refusal in decided.refused:
                    _end(each, refusal)
                for each, version in decided.quiet:
                    _end(each, Answer(version, known.snapshot.state))
                batch = [each for each, _ in decided.parts]
                if batch:
                    await self._append(known, decided)
                return
            except WrongVersion as error:
                races += 1
                batch = await self._lost_race(batch, error, races)
            except TooLarge as error:
                if len(batch) == 1:
                    _end(batch[0], error)
                    return
                half = len(batch) // 2
                await self._carry_out(batch[:half])
                batch = batch[half:]
            except Exception as error:  # it is the callers' own; those after them begin anew
                self._known, self._is_fresh = None, False
                for each in batch:
                    _end(each, error)
                return

    async def _lost_race(self, batch: list[_Waiting], error: WrongVersion, races: int) -> list[_Waiting]:
        """The calls that are decided again, once what others appended is known."""
        rest = []
        for each in batch:
            if each.call.once:
                _end(each, error)
            else:
                rest.append(each)
        self._known, self._is_fresh = None, False
        if races > _RACES_BEFORE_PAUSE:
            await asyncio.sleep(self._context.clock.roll() * min(0.1, 0.002 * 2**races))
        try:
            if rest:
                await self._load(at_least=error.actual)
        except EventLogError as failure:
            for each in rest:
                _end(each, failure)
            return []
        return rest

    def _given(self, batch: list[_Waiting]) -> Known | None:
        """What the caller knows; a command that makes the aggregate needs to know nothing: the guard tells.

        Raises: `WrongVersion` where a call that was decided on its state comes after a later one.
        """
        if len(batch) > 1:
            return None
        call, own = batch[0].call, self._known
        if call.known is not None:
            if own is None or own.snapshot.version <= call.known.version:
                return Known(call.known)
            if call.once:
                raise WrongVersion(f"{self._kind.name}/{self._id}", call.known.version, own.snapshot.version)
        elif own is None and self._kind.creates(call.commands[0]):
            return Known(Snapshot(self._kind.decider.initial))
        return None

    async def _load(self, *, at_least: int) -> Known:
        self._known = known = await self._snapshots.load(self._kind, self._id, at_least=at_least)
        self._is_fresh = at_least == -1
        return known

    def _decide(self, batch: list[_Waiting], known: Known) -> _Decided:
        now_ns = self._context.time.now_ns()
        decided = _Decided(known.snapshot.state)
        taken: set[str] = set()
        for each in batch:
            call = each.call
            if call.command_id and (version := known.answered.get(call.command_id)) is not None:
                decided.quiet.append((each, version))
                continue
            events: tuple[Any, ...] = ()
            if not call.command_id or call.command_id not in taken:
                try:
                    decided.state, events = decide(self._kind, call, known, decided.state, now_ns)
                except Refused as refusal:
                    (decided.parts or decided.refused).append((each, refusal))
                    continue
                except Unavailable as error:
                    _end(each, error)
                    continue
            if events or decided.parts:
                decided.parts.append((each, events))
                taken.add(call.command_id)
            else:
                decided.quiet.append((each, known.snapshot.version))
        return decided

    async def _append(self, known: Known, decided: _Decided) -> None:
        """Raises: what the log raises."""
        before, after = known.snapshot, decided.state
        changes = [(each.call, own) for each, own in decided.parts if isinstance(own, tuple) and own]
        calls, events = [call for call, _ in changes], tuple(event for _, own in changes for event in own)
        draft = draft_of(self._context, self._kind, self._id, before.state, after, events, calls)
        version = await self._context.log.append(draft, before.version)
        answered = known.answered
        if draft.answers:
            answered = {**answered, **dict.fromkeys(draft.answers, version)}
        self._known, self._is_fresh = Known(Snapshot(after, version), answered), False
        for each, own in decided.parts:
            _end(each, own if isinstance(own, Refused) else Answer(version, after, own))


def _end(each: _Waiting, outcome: Answer | Exception) -> None:
    if each.answer.done():
        return
    if isinstance(outcome, Exception):
        each.answer.set_exception(outcome)
    else:
        each.answer.set_result(outcome)
