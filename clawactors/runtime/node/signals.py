"""The signals that a task's code takes.

1. The n-th take of a name gives the n-th signal of that name in the log, on every resume the same.
2. A signal that comes at any time before the wait for it is on record is found; one that comes later ends that wait.
3. Until when a wait lasts is decided once, and so is that it was in vain: then it took none, on every resume the same.
"""

import asyncio
from typing import TYPE_CHECKING, Any, Final

from clawactors.eventlog import aggregate_pattern
from clawactors.kernel.errors import Refused
from clawactors.kernel.fold import Snapshot, fold
from clawactors.runtime.node.sleep import SLEEP, seconds_of, until_of, written
from clawactors.systems.tasks import Journal, Task
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks.journal import EMPTY, SIGNAL
from clawactors.systems.tasks.kind import TASKS
from clawactors.systems.tasks.payload import is_reference

if TYPE_CHECKING:
    from clawactors.runtime.node.run import TaskRun

__all__ = ["IN_PLACE_S", "Signals"]

IN_PLACE_S: Final = 0.2
"""So long a wait keeps its slot: most answers of programs come sooner than another run could begin."""

_NAME_MAX: Final = 256


class Signals:
    """What one attempt has taken, by name."""

    def __init__(self, run: "TaskRun") -> None:
        self._run = run
        self._taken: dict[str, int] = {}
        self._limited: dict[str, int] = {}
        self._earlier: Journal | None = None
        self._waiting: list[asyncio.Future[None]] = []

    def are_all_known(self) -> None:
        """The journal of the run begins with the first entry of the task."""
        self._earlier = EMPTY

    async def take(self, name: object, timeout: str | float | None = None) -> Any:  # noqa: ASYNC109 # no scope lasts as long
        """See `TaskHandle.signal`."""
        run = self._run
        run.check()
        if not isinstance(name, str) or not 0 < len(name) <= _NAME_MAX or not name.isprintable():
            raise Refused(f"a signal is named by 1 to {_NAME_MAX} printable characters, not {repr(name)[:40]}")
        patience = None if timeout is None else self._patience(name, timeout)
        key, number = SIGNAL + name, self._taken.get(name, 0)
        if patience is None or not patience.is_over:
            self._taken[name] = number + 1
            earlier = await self._before_the_run()
            if (entry := earlier.nth(key, number)) is not None:
                return await self._whole(entry.result, name)
            if await self._came(name, key, number - earlier.count(key), patience):
                entry = run.actor.ahead.journal.nth(key, number - earlier.count(key))
                if entry is None:
                    run.unwind()
                return await self._whole(entry.result, name)
            self._taken[name] = number
        raise TimeoutError(f"no signal {name!r} came within {timeout}")

    async def _whole(self, payload: Any, name: str) -> Any:
        return await self._run.whole(payload, f"the signal {name!r}") if is_reference(payload) else payload

    async def _came(self, name: str, key: str, number: int, patience: "_Patience | None") -> bool:
        """True once the signal may be there; False when it is on record that the wait was in vain."""
        run = self._run
        if await self._comes(key, number, IN_PLACE_S if patience is None else patience.left_s(IN_PLACE_S)):
            return True
        if patience is not None and not patience.left_s(1.0):
            await run.record(patience.over())
            run.check()
            return False
        await run.record(c.Wait(run.fence, "signal", patience.until_ns if patience else 0, name, taken=number))
        if not run.goes_on:
            run.unwind()
        return True

    def _patience(self, name: str, timeout: str | float) -> "_Patience":
        count = self._limited[name] = self._limited.get(name, 0) + 1
        return _Patience(self._run, f"{SLEEP}{name}#{count}", seconds_of(timeout))

    def look(self) -> None:
        """Something has been appended to the task."""
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)

    async def _comes(self, key: str, number: int, wait_s: float) -> bool:
        """True as soon as that signal is there, False when it does not come within a moment."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + wait_s
        while self._run.actor.ahead.journal.count(key) <= number:
            waiting: asyncio.Future[None] = loop.create_future()
            self._waiting.append(waiting)
            try:
                async with asyncio.timeout_at(until_s):
                    await waiting
            except TimeoutError:
                return False
            finally:
                self._waiting.remove(waiting)
            self._run.check()
        return True

    async def _before_the_run(self) -> Journal:
        """The journal as it was when the task was given away: a first attempt begins without having read it."""
        if self._earlier is None:
            await self._run.retry_while_unavailable(self._read)
        return self._earlier or EMPTY

    async def _read(self) -> None:
        run, known = self._run, Snapshot[Task](Task())
        upto = run.assignment.version
        async for batch in run.context.log.read([aggregate_pattern("task", run.id)], until=upto):
            for record in batch:
                if record.seq <= upto:
                    known = fold(TASKS, known, record)
        self._earlier = known.state.journal


class _Patience:
    """How long one wait lasts, as the journal has it: two steps, until when, and that it was in vain."""

    def __init__(self, run: "TaskRun", step: str, seconds: float) -> None:
        self._run, self._step, self._seconds = run, step, seconds
        self._until_ns = 0

    @property
    def is_over(self) -> bool:
        """True when it is on record that nothing came."""
        return self._run.actor.ahead.journal.completed(f"{self._step}:over")

    @property
    def until_ns(self) -> int:
        """Until when; put on record the first time."""
        if not self._until_ns:
            run = self._run
            entry = run.actor.ahead.journal.last(self._step)
            record = entry.result if entry else written(run.context.time.now_ns() + int(self._seconds * 1e9))
            if entry is None:
                run.actor.note(c.CompleteStep(run.fence, self._step, record, 0.0, run.progress))
            self._until_ns = until_of(record)
        return self._until_ns

    def left_s(self, most_s: float) -> float:
        """The seconds that are left, 0 to `most_s`."""
        return min(most_s, max(0.0, (self.until_ns - self._run.context.time.now_ns()) / 1e9))

    def over(self) -> c.CompleteStep:
        """The command that puts on record that nothing came."""
        return c.CompleteStep(self._run.fence, f"{self._step}:over", None, 0.0, self._run.progress)
