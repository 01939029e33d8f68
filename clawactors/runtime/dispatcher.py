"""The one way to write: middleware around snapshot → decide → one guarded append → snapshot.

1. All calls that wait for one aggregate are one queue and one commit, decided in the order of the calls.
2. Each call is refused for what it asks itself, never for what leaves with it.
3. A refusal is a read: it is believed only on a state that holds all that was in the log when it was decided.
4. A race is decided again on fresh state until the call's deadline; an append is never begun after the deadline.
5. A command id takes effect once: the header of each commit lists the ids that it answers.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

from clawactors.eventlog import Draft, WrongVersion
from clawactors.kernel.errors import Refused
from clawactors.runtime.aggregate import AggregateQueue
from clawactors.runtime.call import Answer, Call, Handler, Middleware
from clawactors.runtime.context import ActorContext
from clawactors.runtime.deciding import decide, draft_of
from clawactors.runtime.snapshots import Snapshots

__all__ = ["MOST_IN_COMMIT", "Dispatcher"]

MOST_IN_COMMIT: Final = 1000


class Dispatcher:
    """The only caller of `EventLog.append*` in its process. `middleware`: the first is the outermost."""

    def __init__(self, context: ActorContext, snapshots: Snapshots, middleware: Sequence[Middleware] = ()) -> None:
        self.context, self.snapshots = context, snapshots
        self.middleware = tuple(middleware)
        self._queues: dict[tuple[str, str], AggregateQueue] = {}
        self._workers: set[asyncio.Task[None]] = set()
        self._crowded: set[tuple[str, str]] = set()
        """Aggregates that several calls of one `send_many` are for: they leave together."""
        handler: Handler = self._enqueue
        for wrap in reversed(self.middleware):
            handler = wrap(handler)
        self._handler = handler

    @property
    def chain(self) -> tuple[str, ...]:
        """What a call passes, by name, the outermost first."""
        names = (getattr(each, "__qualname__", type(each).__name__) for each in self.middleware)
        return (*(name.partition(".")[0] for name in names), "append")

    async def send(self, call: Call) -> Answer:
        """Decides and appends. Raises: as `Handler`."""
        return await self._handler(call)

    async def send_many(self, calls: Iterable[Call]) -> list[Answer | Exception]:
        """Independent calls, each with an outcome of its own; appends of one turn travel as one batch."""
        calls = list(calls)
        crowded = {key for key, count in Counter((call.kind.name, call.id) for call in calls).items() if count > 1}
        self._crowded |= crowded
        try:
            outcomes = await asyncio.gather(*map(self._handler, calls), return_exceptions=True)
        finally:
            self._crowded -= crowded
        told: list[Answer | Exception] = []
        for outcome in outcomes:
            if isinstance(outcome, BaseException) and not isinstance(outcome, Exception):
                raise outcome
            told.append(outcome)
        return told

    async def commit(self, calls: Sequence[Call]) -> list[Answer]:
        """Calls to 1 to 1,000 distinct aggregates, all of them or none, as one commit of the log.

        A race at one of them has all decided again, until the earliest deadline; a call that is refused refuses all.
        They do not pass through the middleware one by one. Raises: as `Handler`.
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
        decided: list[tuple[int, Any, tuple[Any, ...]]] = []
        for call in calls:
            kind = call.kind
            known = await self.snapshots.load(kind, call.id, at_least=at_least)
            before = known.snapshot
            if call.command_id in known.answered:
                decided.append((before.version, before.state, ()))
                continue
            state, events = decide(kind, call, known, before.state, context.time.now_ns())
            decided.append((before.version, state, events))
            if events:
                drafts.append((draft_of(context, kind, call.id, before.state, state, events, (call,)), before.version))
        versions = iter(await context.log.append_all(drafts) if drafts else ())
        return [Answer(next(versions) if events else version, state, events) for version, state, events in decided]

    async def aclose(self) -> None:
        """Ends the work on calls that nobody waits for any longer."""
        for worker in list(self._workers):
            worker.cancel()

    # The innermost handler

    async def _enqueue(self, call: Call) -> Answer:
        key = call.kind.name, call.id
        if (queue := self._queues.get(key)) is not None:
            return await self._answer(queue, queue.put(call))
        queue = self._queues[key] = AggregateQueue(self.context, call.kind, call.id, self.snapshots)
        answer = queue.put(call)
        is_alone = key not in self._crowded
        worker: asyncio.Task[Any] = asyncio.Task(
            self._work(key, queue), loop=asyncio.get_running_loop(), eager_start=is_alone
        )
        if not worker.done():
            queue.worker = worker
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)
        return await self._answer(queue, answer)

    async def _answer(self, queue: AggregateQueue, answer: asyncio.Future[Answer]) -> Answer:
        """The answer; where nobody waits for anything of the queue any longer, its append is given up, in doubt."""
        try:
            return await answer
        except asyncio.CancelledError:
            if queue.worker is not None and queue.is_abandoned:
                queue.worker.cancel()
            raise

    async def _work(self, key: tuple[str, str], queue: AggregateQueue) -> None:
        try:
            await queue.run()
        finally:
            del self._queues[key]
