"""The queue of one aggregate: all calls that wait for it are decided in order and leave as one commit."""

import asyncio
from typing import Any, Final

from clawactors.eventlog import Draft, EventLogError, TooLarge, WrongVersion
from clawactors.kernel.errors import Refused
from clawactors.kernel.fold import Snapshot
from clawactors.kernel.kind import Kind
from clawactors.runtime.call import Answer, Call
from clawactors.runtime.context import ActorContext
from clawactors.runtime.deciding import DecidedBatch, QueuedCall, decide_all, draft_of_all, end
from clawactors.runtime.repeats import answer_names
from clawactors.runtime.snapshots import Known, Snapshots

__all__ = ["AggregateQueue"]

_TOGETHER: Final = 2000
_RACES_BEFORE_PAUSE: Final = 3


class AggregateQueue:
    """Calls go in by `put`; `run` carries them out until none is left."""

    __slots__ = (
        "_batch", "_begun", "_context", "_failure", "_id", "_in_brief", "_is_fresh", "_kind", "_known", "_snapshots",
        "_waiting", "worker",
    )  # fmt: skip

    def __init__(self, context: ActorContext, kind: Kind[Any, Any, Any], id: str, snapshots: Snapshots) -> None:
        self._context, self._kind, self._id, self._snapshots = context, kind, id, snapshots
        self._waiting: list[QueuedCall] = []
        self._known: Known | None = None
        self._is_fresh = False
        self._in_brief = False  # True while what is known is the brief form
        self._batch: list[QueuedCall] = []
        self._begun: tuple[Known, DecidedBatch] | None = None
        self._failure: Exception | None = None
        self.worker: asyncio.Task[None] | None = None
        """What carries out the calls."""

    @property
    def is_done(self) -> bool:
        """True when every call has its answer."""
        if self._failure is not None or self._waiting:
            return False
        return not self._batch or all(each.answer.done() for each in self._batch)

    @property
    def is_abandoned(self) -> bool:
        """True when nobody waits for an answer any longer."""
        return all(each.answer.done() for each in (*self._batch, *self._waiting))

    def put(self, call: Call) -> asyncio.Future[Answer]:
        """The answer, once there is one."""
        waiting = QueuedCall(call, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        return waiting.answer

    def begin(self) -> tuple[Draft, int] | None:
        """The append that the first calls lead to, where nothing has to be loaded: tell its outcome to `settle`.

        None where there is none, or where that is for `run`.
        """
        self._batch = batch = self._next_batch()
        try:
            known = self._given(batch) if batch else None
            decided = None if known is None else self._decided(batch, known)
            if known is None or decided is None or not decided.parts:
                return None
            draft = draft_of_all(self._context, self._kind, self._id, known, decided)
        except Exception as error:  # it is the callers' own
            for each in batch:
                end(each, error)
            return None
        self._begun = known, decided
        return draft, known.snapshot.version

    def settle(self, outcome: int | Exception) -> None:
        """The append that `begin` returned has its version, or an error: then `run` goes on with it."""
        if self._begun is None:
            return
        (known, decided), self._begun = self._begun, None
        if isinstance(outcome, int):
            self._appended(known, decided, outcome)
        else:
            self._batch = [each for each, _ in decided.parts]
            self._failure = outcome

    async def run(self) -> None:
        """Returns when every call has its answer."""
        try:
            failure, self._failure = self._failure, None
            await self._carry_out([each for each in self._batch if not each.answer.done()], failure)
            while self._waiting:
                self._batch = self._next_batch()
                await self._carry_out(self._batch)
        finally:
            self.cancel()

    def cancel(self) -> None:
        """Whatever still waits for an answer gets none."""
        for each in (*self._batch, *self._waiting):
            each.answer.cancel()

    def _next_batch(self) -> list[QueuedCall]:
        """What goes into one commit; a call that brings its own state goes alone."""
        waiting, count = self._waiting, 1
        if not waiting or waiting[0].call.known is None:
            while count < min(_TOGETHER, len(waiting)) and waiting[count].call.known is None:
                count += 1
        batch = [each for each in waiting[:count] if not each.answer.done()]
        del waiting[:count]
        return batch

    async def _carry_out(self, batch: list[QueuedCall], failure: Exception | None = None) -> None:
        """Every call of the batch has its answer when this returns. `failure` is that of an append that has begun."""
        races = 0
        while batch:
            try:
                if failure is not None:
                    error, failure = failure, None
                    raise error
                known = self._given(batch) or self._fitting(batch) or await self._load(batch, at_least=0)
                decided = self._decided(batch, known)
                if decided is None:
                    await self._load(batch, at_least=-1)  # a refusal is a read: never believe it on a stale state
                    continue
                batch = [each for each, _ in decided.parts]
                if batch:
                    draft = draft_of_all(self._context, self._kind, self._id, known, decided)
                    version = await self._context.log.append(draft, known.snapshot.version)
                    self._appended(known, decided, version)
                return
            except WrongVersion as error:
                races += 1
                batch = await self._lost_race(batch, error, races)
            except TooLarge as error:
                if len(batch) == 1:
                    end(batch[0], error)
                    return
                half = len(batch) // 2
                await self._carry_out(batch[:half])
                batch = batch[half:]
            except Exception as error:  # it is the callers' own; those after them begin anew
                self._known, self._is_fresh = None, False
                for each in batch:
                    end(each, error)
                return

    async def _lost_race(self, batch: list[QueuedCall], error: WrongVersion, races: int) -> list[QueuedCall]:
        """The calls that are decided again, once what others appended is known."""
        rest = []
        for each in batch:
            if each.call.once:
                end(each, error)
            else:
                rest.append(each)
        self._known, self._is_fresh = None, False
        if races > _RACES_BEFORE_PAUSE:
            await asyncio.sleep(self._context.clock.roll() * min(0.1, 0.002 * 2**races))
        try:
            if rest:
                await self._load(rest, at_least=error.actual)
        except EventLogError as failure:
            for each in rest:
                end(each, failure)
            return []
        return rest

    def _given(self, batch: list[QueuedCall]) -> Known | None:
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

    def _fitting(self, batch: list[QueuedCall]) -> Known | None:
        """What is known, where it is enough to decide on."""
        return None if self._in_brief and not self._decides_in_brief(batch) else self._known

    def _decides_in_brief(self, batch: list[QueuedCall]) -> bool:
        return all(self._kind.decides_in_brief(command) for each in batch for command in each.call.commands)

    async def _load(self, batch: list[QueuedCall], *, at_least: int) -> Known:
        if not at_least and self._known is not None:
            at_least = self._known.snapshot.version
        brief = self._decides_in_brief(batch)
        self._known = known = await self._snapshots.load(self._kind, self._id, at_least=at_least, brief=brief)
        self._is_fresh, self._in_brief = at_least == -1, brief
        return known

    def _decided(self, batch: list[QueuedCall], known: Known) -> DecidedBatch | None:
        """What the batch leads to; the calls that need no append have their answer. None asks for a fresh state."""
        decided = decide_all(self._kind, batch, known, self._context.time.now_ns())
        if decided.refused:
            if not self._is_fresh and any(not each.call.once for each, _ in decided.refused):
                return None
            for each, refusal in decided.refused:
                end(each, refusal)
        for each, answer in decided.quiet:
            end(each, answer)
        return decided

    def _appended(self, known: Known, decided: DecidedBatch, version: int) -> None:
        """The changes are in the log, so all that was said after them is true."""
        answers: dict[str, int] = {}
        for each, own in decided.parts:
            if each.call.command_id and own and isinstance(own, tuple):
                answers.update(dict.fromkeys(answer_names(each.call), version))
        answered = {**known.answered, **answers} if answers else known.answered
        self._in_brief = self._in_brief and known is self._known
        after = self._kind.brief(decided.state) if self._in_brief else decided.state
        self._known, self._is_fresh = Known(Snapshot(after, version), answered), False
        for each, own in decided.parts:
            repeats = not own and each.call.command_id in answers
            end(each, own if isinstance(own, Refused) else Answer(version, after, own, repeats))
