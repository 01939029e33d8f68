"""A worker as its node runs it: one child, many attempts at once, started again when it dies.

1. When the child dies, each of its attempts is interrupted as if its node had died: five in a row end a task as dead,
   and a suspect runs alone. It is started again after 0.5 s, 1 s, 2 s … up to 30 s; 60 s of life begin anew.
2. A line that can't be read, or makes no sense, is counted, noted in the node's log and answered with its number.
3. A child that answers no ping is killed. A keeper ends it, and all that it has started, with its node.
"""

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Sequence
from typing import Any, Final, Self

from clawactors.eventlog import Misconfigured
from clawactors.runtime.node.context import TaskContext
from clawactors.runtime.node.workers.child import WorkerChild
from clawactors.runtime.node.workers.offers import WorkerSkill, skill_of
from clawactors.runtime.node.workers.protocol import FromWorker, WorkerHello, WorkerPong
from clawactors.runtime.node.workers.serving import ServedAttempt

__all__ = ["Worker", "Workers"]

_WAITS_S: Final = 30.0
"""How long an attempt waits for a worker that is started again."""
_BACK_OFF_S: Final = (0.5, 30.0)
_STEADY_S: Final = 60.0

_log = logging.getLogger(__name__)


class Worker:
    """One worker. `skills` are what it declared first, `malformed` the lines that were refused, `deaths` its ends."""

    def __init__(self, command: str, node: str) -> None:
        self.command, self._node = command, node
        self.skills: list[WorkerSkill] = []
        self.malformed = self.deaths = 0
        self._served: dict[str, ServedAttempt] = {}
        self._keys = itertools.count(1)
        self._child: WorkerChild | None = None
        self._ready = asyncio.Event()
        self._life: asyncio.Task[None] | None = None
        self._is_closing = False

    async def start(self) -> None:
        """Returns when it has told its skills. Raises: `Misconfigured`."""
        child = await WorkerChild.begin(self, self._node)
        try:
            self.skills = [skill_of(declared, self._run) for declared in child.hello.skills]
        except Misconfigured as error:
            await child.kill()
            raise Misconfigured(f"--worker {self.command}: {error}") from None
        self._life = asyncio.create_task(self._live(child))

    async def aclose(self) -> None:
        """Lets it end by itself within 5 s. Order: idempotent."""
        self._is_closing = True
        if self._child is not None:
            await self._child.end()
        if self._life is not None:
            self._life.cancel()
            await asyncio.wait((self._life,))
            self._life = None

    async def _live(self, child: "WorkerChild") -> None:
        loop, wait_s = asyncio.get_running_loop(), _BACK_OFF_S[0]
        while True:
            began_s = loop.time()
            self._child = child
            self._ready.set()
            how = await child.serve()
            self._ready.clear()
            self._child = None
            if self._is_closing:
                return
            self.deaths += 1
            self._lose(how)
            wait_s = _BACK_OFF_S[0] if loop.time() - began_s > _STEADY_S else wait_s
            while True:
                _log.error("worker %s %s; started again in %g s", self.command, how, wait_s)
                await asyncio.sleep(wait_s)
                wait_s = min(2 * wait_s, _BACK_OFF_S[1])
                try:
                    child = await WorkerChild.begin(self, self._node)
                except Misconfigured as error:
                    how = str(error)
                    continue
                break
            self._compare(child.hello)

    def _lose(self, how: str) -> None:
        for served in [*self._served.values()]:
            served.attempt.crashed_by = f"its worker {self.command} {how}"
            served.attempt.stop("crashed")

    def _compare(self, hello: WorkerHello) -> None:
        if gone := {each.name for each in self.skills} - {each.name for each in hello.skills}:
            _log.error("worker %s offers %s no longer: restart the node", self.command, ", ".join(sorted(gone)))

    async def _run(self, task: TaskContext, skill: str, params: dict[str, Any]) -> Any:
        """What the code of the skill returns. Raises: what it raises; `ConnectionError` where there is no worker."""
        if not self._ready.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_WAITS_S):
                    await self._ready.wait()
        if (child := self._child) is None:
            raise ConnectionError(f"the worker {self.command} is being started again")
        key = f"{task.id}/{next(self._keys)}"
        served = self._served[key] = ServedAttempt(child, key, task, task._attempt)
        try:
            return await served.serve(skill, params)
        finally:
            del self._served[key]

    def receive(self, child: "WorkerChild", message: FromWorker) -> None:
        """Hands it to the attempt that it is of."""
        match message:
            case WorkerPong():
                pass
            case WorkerHello():
                child.refuse("it said hello before")
            case _ if (served := self._served.get(message.attempt)) is not None:
                served.deliver(message)
            case _:
                pass  # of a run that has been dropped

    def say(self, text: str) -> None:
        """What it wrote to standard error: for the task's log where it runs one, else for the node's."""
        if len(self._served) == 1:
            next(iter(self._served.values())).attempt.values.output().write("stderr", f"{text}\n")
        else:
            _log.warning("worker %s: %s", self.command, text)


class Workers:
    """All workers of a node, between `async with`; `skills` are theirs."""

    def __init__(self, commands: Sequence[str], node: str) -> None:
        self._workers = [Worker(command, node) for command in commands]

    @property
    def skills(self) -> list[WorkerSkill]:
        """What they offer. Raises: `Misconfigured` where two offer one name."""
        named: dict[str, WorkerSkill] = {}
        for worker in self._workers:
            for each in worker.skills:
                if named.setdefault(each.name, each) is not each:
                    raise Misconfigured(f"two workers offer the skill {each.name!r}: rename one")
        return list(named.values())

    async def __aenter__(self) -> Self:
        try:
            for worker in self._workers:
                await worker.start()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*(worker.aclose() for worker in self._workers))
