"""The one way to write: middleware around snapshot → decide → one guarded append → snapshot.

1. All calls that wait for one aggregate are one queue and one commit, decided in the order of the calls.
2. Each call is refused for what it asks itself, never for what leaves with it.
3. A refusal is a read: it is believed only on a state that holds all that was in the log when it was decided.
4. A race is decided again on fresh state until the call's deadline; an append is never begun after the deadline.
5. A command id takes effect once: the header of each commit lists the ids that it answers (see `repeats`).
"""

import asyncio
from collections.abc import Collection, Coroutine, Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Any, Final

from clawactors.eventlog import Draft, WrongVersion
from clawactors.kernel.errors import Refused
from clawactors.kernel.fold import Snapshot
from clawactors.runtime.aggregate import AggregateQueue
from clawactors.runtime.call import Answer, Call, Handler, Middleware, Reply
from clawactors.runtime.context import ActorContext
from clawactors.runtime.deciding import decide, draft_of
from clawactors.runtime.repeats import repeat_of
from clawactors.runtime.snapshots import Snapshots

__all__ = ["MOST_IN_COMMIT", "Dispatcher"]

MOST_IN_COMMIT: Final = 1000

type _Key = tuple[str, str]


class Dispatcher:
    """The only caller of `EventLog.append*` in its process. `middleware`: the first is the outermost."""

    def __init__(self, context: ActorContext, snapshots: Snapshots, middleware: Sequence[Middleware] = ()) -> None:
        self.context, self.snapshots = context, snapshots
        self.middleware = tuple(middleware)
        self._queues: dict[_Key, AggregateQueue] = {}
        self._workers: dict[asyncio.Task[None], Collection[AggregateQueue]] = {}
        handler: Handler = self._append
        for wrap in reversed(self.middleware):
            handler = wrap(handler)
        self._handler = handler

    @property
    def chain(self) -> tuple[str, ...]:
        """What a call passes, by name, the outermost first."""
        names = (getattr(each, "__qualname__", type(each).__name__) for each in self.middleware)
        return (*(name.partition(".")[0] for name in names), "append")

    async def send(self, call: Call) -> Answer:
        """Decides and appends. Raises: the errors of `Reply`."""
        if (
            call.once
            and call.decided is not None
            and not self.middleware
            and (call.kind.name, call.id) not in self._queues
        ):
            reply = await self._append_decided(call, *call.decided)
        else:
            (reply,) = await self._handler((call,))
        if isinstance(reply, Exception):
            raise reply
        return reply

    async def send_many(self, calls: Iterable[Call]) -> list[Reply]:
        """Independent calls, each with a reply of its own; their appends travel as one batch."""
        return list(await self._handler(tuple(calls)))

    async def commit(self, calls: Sequence[Call]) -> list[Answer]:
        """Calls to 1 to 1,000 distinct aggregates, all of them or none, as one commit of the log.

        A race at one of them has all decided again, until the earliest deadline; a call that is refused refuses all.
        They do not pass through the middleware one by one. Raises: the errors of `Reply`.
        """
        if not 0 < len({(call.kind.name, call.id) for call in calls}) == len(calls) <= MOST_IN_COMMIT:
            raise Refused(f"a commit names 1 to {MOST_IN_COMMIT} aggregates, each once")
        at_least, races = 0, 0
        while True:
            try:
                return await self._commit(calls, at_least)
            except Refused:
                if at_least == -1:
                    raise
            except WrongVersion:
                races += 1
                await asyncio.sleep(self.context.clock.roll() * min(0.1, 0.002 * 2**races))
            at_least = -1

    async def _commit(self, calls: Sequence[Call], at_least: int) -> list[Answer]:
        """Raises: `WrongVersion` where somebody else was first; as `commit`."""
        context = self.context
        drafts: list[tuple[Draft, int]] = []
        answers: list[Answer | tuple[Any, tuple[Any, ...]]] = []
        """What is known already, and what is known once it is written: state and events."""
        for call in calls:
            kind = call.kind
            known = await self.snapshots.load(kind, call.id, at_least=at_least)
            before = known.snapshot
            if (repeat := repeat_of(call, known)) is not None:
                answers.append(repeat)
                continue
            state, events = decide(kind, call, known, before.state, context.time.now_ns())
            if events:
                answers.append((state, events))
                drafts.append((draft_of(context, kind, call.id, before.state, state, events, (call,)), before.version))
            else:
                answers.append(Answer(before.version, state))
        versions = iter(await context.log.append_all(drafts) if drafts else ())
        return [each if isinstance(each, Answer) else Answer(next(versions), *each) for each in answers]

    async def aclose(self) -> None:
        """Ends the work on calls that nobody waits for any longer."""
        for worker in list(self._workers):
            worker.cancel()

    # The innermost handler

    async def _append(self, calls: Sequence[Call]) -> Sequence[Reply]:
        waiting: list[tuple[AggregateQueue, asyncio.Future[Answer]]] = []
        begun: dict[_Key, AggregateQueue] = {}
        for call in calls:
            key = call.kind.name, call.id
            if (queue := self._queues.get(key)) is None:
                queue = AggregateQueue(self.context, call.kind, call.id, self.snapshots)
                self._queues[key] = begun[key] = queue
            waiting.append((queue, queue.put(call)))
        if begun:
            self._start(self._begin(begun), begun.values())
        replies: list[Reply] = []
        try:
            for _, answer in waiting:
                try:
                    replies.append(await answer)
                except Exception as error:
                    replies.append(error)
        except asyncio.CancelledError:
            # Where nobody waits for anything of a worker any longer, its appends are given up, in doubt.
            for _, answer in waiting:
                answer.cancel()
            for worker in {queue.worker for queue, _ in waiting if queue.worker is not None}:
                if all(queue.worker is not worker or queue.is_abandoned for queue in self._workers.get(worker, ())):
                    worker.cancel()
            raise
        return replies

    async def _append_decided(self, call: Call, state: Any, events: tuple[Any, ...]) -> Reply:
        """What its caller has decided needs no queue: the guard tells whether it still holds."""
        known = call.known or Snapshot(call.kind.decider.initial)
        try:
            draft = draft_of(self.context, call.kind, call.id, known.state, state, events, (call,))
            return Answer(await self.context.log.append(draft, known.version), state, events)
        except Exception as error:  # it is the caller's own
            return error

    def _start(self, work: Coroutine[Any, Any, None], queues: Collection[AggregateQueue]) -> None:
        """Runs it at once, as the worker of these queues while it lasts."""
        worker = asyncio.Task(work, loop=asyncio.get_running_loop(), eager_start=True)
        if not worker.done():
            self._workers[worker] = queues
            worker.add_done_callback(self._workers.pop)
            for queue in queues:
                queue.worker = queue.worker or worker

    async def _begin(self, queues: Mapping[_Key, AggregateQueue]) -> None:
        """Appends together what can be decided at once; each of the others gets a worker of its own."""
        appends: list[tuple[Draft, int]] = []
        begun: list[tuple[_Key, AggregateQueue]] = []
        for key, queue in queues.items():
            if (append := queue.begin()) is None:
                self._go_on(key, queue)
            else:
                appends.append(append)
                begun.append((key, queue))
        outcomes: Sequence[int | Exception] = ()
        try:
            if len(appends) == 1:  # others of this turn of the loop may join it
                outcomes = [await self.context.log.append(*appends[0])]
            elif appends:
                outcomes = await self.context.log.append_many(appends)
        except Exception as error:
            outcomes = [error] * len(begun)
        finally:
            for (key, queue), outcome in zip_longest(begun, outcomes):
                if outcome is None:  # cancelled: nobody waits for it
                    queue.cancel()
                else:
                    queue.settle(outcome)
                self._go_on(key, queue)

    def _go_on(self, key: _Key, queue: AggregateQueue) -> None:
        if queue.is_done:
            del self._queues[key]
        else:
            queue.worker = None
            self._start(self._run(key, queue), (queue,))

    async def _run(self, key: _Key, queue: AggregateQueue) -> None:
        try:
            await queue.run()
        finally:
            del self._queues[key]
