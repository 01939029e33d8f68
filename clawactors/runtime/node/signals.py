"""The signals that a task's code takes.

1. The n-th take of a name gives the n-th signal of that name in the log, on every resume the same.
2. A signal that comes at any time before the wait for it is on record is found; one that comes later ends that wait.
"""

import asyncio
from typing import TYPE_CHECKING, Any, Final

from clawactors.errors import Refused
from clawactors.fold import Folded, fold
from clawactors.tasks import TASK, Journal, Task
from clawactors.tasks import commands as c
from clawactors.tasks import events as e
from clawactors.tasks.journal import EMPTY, SIGNAL
from eventlog import aggregate_pattern

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
        self._earlier: Journal | None = None
        self._waiting: list[asyncio.Future[None]] = []

    def are_all_known(self) -> None:
        """The journal of the run begins with the first entry of the task."""
        self._earlier = EMPTY

    async def take(self, name: object) -> Any:
        """See `TaskHandle.signal`."""
        run = self._run
        run.check()
        if not isinstance(name, str) or not 0 < len(name) <= _NAME_MAX or not name.isprintable():
            raise Refused(f"a signal is named by 1 to {_NAME_MAX} printable characters, not {repr(name)[:40]}")
        key, number = SIGNAL + name, self._taken.get(name, 0)
        self._taken[name] = number + 1
        earlier = await self._before_the_run()
        if (entry := earlier.nth(key, number)) is not None:
            return entry.result
        number -= earlier.count(key)
        if not await self._comes(key, number):
            await run.record(c.Wait(run.fence, "signal", name=name, taken=number))
            if not run.goes_on:
                run.unwind()
        entry = run.actor.ahead.journal.nth(key, number)
        if entry is None:
            run.unwind()
        return entry.result

    def look(self) -> None:
        """Something has been appended to the task."""
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)

    async def _comes(self, key: str, number: int) -> bool:
        """True as soon as that signal is there, False when it does not come within a moment."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + IN_PLACE_S
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
            await self._run.patiently(self._read)
        return self._earlier or EMPTY

    async def _read(self) -> None:
        run, known = self._run, Folded[Task](Task())
        upto = run.assignment.version
        async for batch in run.desk.log.read([aggregate_pattern("task", run.id)], until=upto):
            for record in batch:
                if record.seq <= upto:
                    known = fold(TASK, e.CODEC, known, record)
        self._earlier = known.state.journal
