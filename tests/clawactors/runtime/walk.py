"""A life of waits, wakes, children, undos, approvals and cancels, in which processes are killed at given appends.

Laws (the numbers stand in the complaints), read from the record:
1. What was acknowledged is in the log, and nothing that a process decided is illegal where it stands.
2. No step is completed twice, and none runs that is on record.
3. Every end that somebody waits for arrives, and is the one on record.
4. Steps are undone in reverse order, each once on record.
5. No child is made twice, and none is left open when its parent has ended.
6. No approval is answered twice; a signal is there once.
7. Nothing that waits is woken twice.
"""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final, Literal, NamedTuple

from clawactors import Retry, Task, skill, step
from clawactors.eventlog import Draft, Unavailable
from clawactors.eventlog.inprocess import FaultPoint
from clawactors.kernel.errors import Refused
from clawactors.runtime.client import ClusterClient, TaskFailed
from clawactors.systems.tasks import TASK
from clawactors.systems.tasks import events as e
from clawactors.testing.inprocess import _process
from tests.clawactors.runtime.cluster import Cluster
from tests.clawactors.runtime.simulation import Audit, AuditedLog, LoopClock

__all__ = ["VICTIMS", "Strike", "Victim", "Walk"]

type Victim = Literal["writer", "n1", "n2", "control", "server"]
VICTIMS: Final[tuple[Victim, ...]] = ("writer", "n1", "n2", "control", "server")
PATIENCE_S: Final = 300.0
_BOOKINGS: Final = ("room", "car", "seat")
_DEFAULTS: Final[tuple[Literal["approve", "deny"], ...]] = ("deny", "deny")


class Strike(NamedTuple):
    """Kills the victim at the `at`-th append, before or after it is stored."""

    at: int
    point: FaultPoint
    victim: Victim


async def unbook(booked: str, id: str, name: str) -> None:
    """Takes it back."""
    await asyncio.sleep(0.01)


class _StruckCluster(Cluster):
    struck: Callable[[str, FaultPoint, Draft], None]

    def link(self, name: str) -> Any:
        link = super().link(name)
        link.fault = partial(self.struck, name)
        return link


class Walk:
    """`live` is one life; it returns the complaints. `appends` counts the points at which it can be struck."""

    def __init__(self, seed: int, strikes: tuple[Strike, ...], *, children: int = 6) -> None:
        self.chance, self.strikes, self.children = random.Random(seed), list(strikes), children
        self.is_exact = len(strikes) < 2
        """With one kill it is known how each task ends; more of them may use up what a task is given."""
        self.cluster = _StruckCluster(LoopClock(self.chance), seed, AuditedLog)
        self.cluster.struck = self._struck
        self.audit = Audit()
        assert isinstance(self.cluster.log, AuditedLog)
        self.cluster.log.audit = self.audit
        self.appends = 0
        self.done: list[str] = []
        self._counting = False
        self._hits: asyncio.Queue[tuple[Victim, list[str]]] = asyncio.Queue()
        self.skills = self._skills()

    def complain(self, text: str) -> None:
        self.audit.complaints.append(text)

    # The code that runs

    async def _effect(self, id: str, name: str) -> str:
        found = _process.get()
        if found is None or (link := self.cluster.links.get(found[1])) is None or link._down:
            return name  # a killed process does nothing more
        entry = self.audit.tasks[id].state.journal.last(name)
        if entry is not None and entry.status == "completed":
            self.complain(f"2: {id} runs {name}, which is on record")
        await asyncio.sleep(self.chance.choice((0, 0, 0.01, 0.4)))
        return name

    def _skills(self) -> list[Any]:
        effect = self._effect

        book = step(undo=unbook)(effect)

        @skill("naps")
        async def naps(task: Task) -> list[Any]:
            async def late() -> str:
                try:
                    return str(await task.signal("never", timeout=3))
                except TimeoutError:
                    return await task.step("late", effect, task.id, "late")

            await task.step("before", effect, task.id, "before")
            got = await asyncio.gather(task.sleep(2), late(), task.signal("go"), task.sleep(4))
            await task.step("after", effect, task.id, "after")
            return got[1:3]

        @skill("asks")
        async def asks(task: Task) -> list[Any]:
            answers = [await task.approve("deploy?", timeout=4, default=default, remind=1.5) for default in _DEFAULTS]
            await task.step("after", effect, task.id, "after")
            return [[answer.approved, answer.by] for answer in answers]

        @skill("leaf")
        async def leaf(task: Task, n: int, waits: bool = False) -> int:
            await task.step("leaf", effect, task.id, "leaf")
            if waits:
                await task.signal("never")
            if n % 3 == 0:
                await task.sleep(1.5)
            return n

        @skill("fans")
        async def fans(task: Task, n: int, waits: bool = False) -> int:
            refs = [await task.submit("leaf", {"n": each, "waits": waits}) for each in range(n)]
            first = await asyncio.gather(*(task.run("leaf", {"n": n, "waits": waits}) for _ in range(2)))
            return sum(await task.gather(refs)) + sum(first)

        @skill("saga", on_failure="compensate", retry=Retry(max_retries=1, wait_s=0.5))
        async def saga(task: Task, fails: bool) -> None:
            for name in _BOOKINGS:
                await task.step(name, book, task.id, name)
                await task.sleep(1.2)
            if fails:
                raise ConnectionError("no")
            await task.signal("never")

        @skill("cleans")
        async def cleans(task: Task) -> None:
            try:
                await asyncio.gather(task.signal("never"), task.sleep("1h"))
            finally:
                await task.step("release", effect, task.id, "release")

        @skill("alone", concurrency=1)
        async def alone(task: Task) -> str:
            await task.step("before", effect, task.id, "before")
            await task.sleep(1.1)
            return await task.step("after", effect, task.id, "after")

        return [naps, asks, leaf, fans, saga, cleans, alone]

    # Kills

    def _struck(self, process: str, point: FaultPoint, draft: Draft) -> None:
        if not self._counting:
            return
        self.appends += point == "before"
        if not self.strikes or self.strikes[0][:2] != (self.appends, point):
            return
        victim = self.strikes.pop(0).victim
        names = self._names(victim, process)
        for name in names:
            self.cluster.links[name].unplug()
        self._hits.put_nowait((victim, names))
        if process in names or victim == "writer":
            raise Unavailable(f"{victim} was killed {point} it was stored")

    def _names(self, victim: Victim, process: str) -> list[str]:
        links = self.cluster.links
        match victim:
            case "server":
                return list(links)
            case "control":
                return [name for name in links if name.startswith("control/")]
            case "writer":
                return [process] if process.startswith(("control/", "node/")) else []
            case _:
                return [f"node/{victim}"] if f"node/{victim}" in links else []

    async def _revive(self) -> None:
        while True:
            victim, names = await self._hits.get()
            await asyncio.sleep(self.chance.choice((0, 0.3, 3)))
            if victim == "server":
                for link in self.cluster.links.values():
                    link.plug()
                continue
            for name in names:
                await self.cluster.kill(name)
            for name in names:
                if name.startswith("control/"):
                    await self.cluster.control(name)
                else:
                    await self._node(name.partition("/")[2])

    async def _node(self, id: str) -> None:
        while True:
            with contextlib.suppress(Unavailable, Refused):
                await self.cluster.node(id, self.skills, 3, lease_s=1.5, grace_s=1.0)
                return
            await self.cluster.kill(f"node/{id}")
            await asyncio.sleep(0.2)

    # Users

    async def _surely[T](self, call: Callable[[], Awaitable[T]]) -> T:
        """Calls it until it is answered."""
        while True:
            with contextlib.suppress(Unavailable):
                return await call()
            await asyncio.sleep(0.1)

    async def _submitted(self, client: ClusterClient, skill: str, id: str, **params: Any) -> None:
        await self._surely(lambda: client.submit(skill, params, id=id))
        if id not in self.audit.tasks:
            self.complain(f"1: {id} was acknowledged and is not in the log")

    async def _end(self, client: ClusterClient, id: str) -> tuple[str, Any]:
        """How the task ended, as who waits is told."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                told: tuple[str, Any] = "completed", await self._surely(client.ref(id).result)
        except TaskFailed as failed:
            told = failed.status, None
        except TimeoutError:
            self.complain(f"3: {id} has not ended: {self.audit.tasks[id].state.life} {self.cluster.named(id)}")
            return "", None
        life = self.audit.tasks[id].state.life
        if told != (life.status, life.result):
            self.complain(f"3: who waited for {id} was told {told}, the log says {life.status} {life.result}")
        return told

    async def _until(self, id: str, tag: str) -> None:
        """Returns when that is in the log, or the task has ended."""
        while tag not in self.cluster.named(id) and not TASK.is_final(self.audit.tasks[id].state):
            self.audit.changed.clear()
            await self.audit.changed.wait()

    async def _told(self, id: str, call: Callable[[], Awaitable[Any]]) -> None:
        """A command that may have been carried out already when it is sent again."""
        with contextlib.suppress(Refused):
            await self._surely(call)

    async def _expect(self, client: ClusterClient, id: str, *wanted: tuple[str, Any]) -> None:
        told = await self._end(client, id)
        if self.is_exact and told[0] and told not in wanted:
            self.complain(f"3: {id} ended {told}, not {wanted}: {self.cluster.named(id)}")

    async def _users(self) -> None:
        client = self.cluster.client()
        client.skills.add([skill.offer for skill in self.skills])

        async def naps() -> None:
            await self._submitted(client, "naps", "naps")
            await asyncio.sleep(self.chance.choice((0, 1, 2.5, 5)))
            await self._told("naps", lambda: client.signal("naps", "go", "now"))
            await self._expect(client, "naps", ("completed", ["late", "now"]))

        async def asks() -> None:
            await self._submitted(client, "asks", "asks")
            await self._until("asks", "task.approval_asked")
            await asyncio.sleep(self.chance.choice((0, 1, 3.5)))
            await self._told("asks", lambda: client.approve("asks", "approval", "well"))
            told = await self._end(client, "asks")
            if self.is_exact and (
                told[0] != "completed" or told[1][1] != [False, ""] or bool(told[1][0][1]) != told[1][0][0]
            ):
                self.complain(f"3: asks ended {told}")

        async def fans() -> None:
            n = self.children
            await self._submitted(client, "fans", "fans", n=n)
            await self._expect(client, "fans", ("completed", sum(range(n)) + 2 * n))

        async def cancelled(skill: str, id: str, at: str, undo: bool = False, **params: Any) -> None:
            await self._submitted(client, skill, id, **params)
            await self._until(id, at)
            await asyncio.sleep(self.chance.choice((0, 0.5, 2)))
            await self._told(id, lambda: client.cancel(id, undo=undo))
            await self._expect(client, id, ("cancelled", None))

        async def saga() -> None:
            await self._submitted(client, "saga", "saga", fails=True)
            await self._expect(client, "saga", ("dead", None))

        async def alone(id: str) -> None:
            await self._submitted(client, "alone", id)
            await self._expect(client, id, ("completed", "after"))

        async with asyncio.TaskGroup() as group:
            for work in (naps(), asks(), fans(), saga(), *(alone(f"alone-{n}") for n in range(3))):
                group.create_task(work)
            group.create_task(cancelled("fans", "fans-at-once", "task.submitted", n=3, waits=True))
            group.create_task(cancelled("fans", "fans-cancelled", "task.waiting", n=3, waits=True))
            group.create_task(cancelled("cleans", "cleans", "task.waiting"))
            for id, at in (("undone", "step.completed"), ("undone-parked", "task.waiting")):
                group.create_task(cancelled("saga", id, at, undo=True, fails=False))

    # A life

    async def live(self) -> list[str]:
        """Lives, and judges the log; returns the complaints."""
        async with self.cluster as cluster:
            await cluster.control("control/0")
            for id in ("n1", "n2"):
                await self._node(id)
            self._counting = True
            reviving = asyncio.create_task(self._revive())
            await self._users()
            await self._all_end()
            self._counting = False
            reviving.cancel()
            self._judge()
        return self.audit.complaints

    async def _all_end(self) -> None:
        """Returns when no task is open."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while any(not TASK.is_final(known.state) for known in self.audit.tasks.values()):
                    self.audit.changed.clear()
                    await self.audit.changed.wait()
        except TimeoutError:
            for id, known in self.audit.tasks.items():
                if not TASK.is_final(known.state):
                    self.complain(f"5: {id} is left {known.state.life}: {self.cluster.named(id)}")

    def _judge(self) -> None:
        for (id, name), times in self.audit.recorded.items():
            if times > 1:
                self.complain(f"2: {id} has completed {name} {times} times")
        for id, known in self.audit.tasks.items():
            events = self.cluster.events(id)
            self._judge_undo(id, known.state.life.status, events)
            answered = Counter(event.name for event in events if isinstance(event, e.ApprovalAnswered))
            twice = [name for name, times in answered.items() if times > 1]
            signals = sum(isinstance(event, e.Signalled) and event.name == "go" for event in events)
            if twice or signals > 1:
                self.complain(f"6: {id} has {signals} signals, and twice the answers to {twice}")
            self._judge_wakes(id, events)
        for id, wanted in (("fans", self.children + 2), ("fans-cancelled", 5), ("fans-at-once", 5)):
            children = [
                child for child, known in self.audit.tasks.items() if known.state.spec and known.state.spec.parent == id
            ]
            if len(children) > wanted or (id == "fans" and len(children) < wanted and self.is_exact):
                self.complain(f"5: {id} has {len(children)} children, not {wanted}")

    def _judge_undo(self, id: str, status: str, events: list[Any]) -> None:
        if not id.startswith(("saga", "undone")):
            return
        done = [event.step for event in events if isinstance(event, e.StepCompleted) and event.step in _BOOKINGS]
        undone = [event.step for event in events if isinstance(event, e.StepCompensated | e.StepUndoFailed)]
        if undone != done[::-1]:
            self.complain(f"4: {id} is {status}, has done {done}, and undone {undone}: {self.cluster.named(id)}")
        if self.is_exact and any(isinstance(event, e.StepUndoFailed) for event in events):
            self.complain(f"4: {id} could not be undone: {self.cluster.named(id)}")

    def _judge_wakes(self, id: str, events: list[Any]) -> None:
        waits = False
        for event in events:
            if isinstance(event, e.Readied):
                if not waits:
                    self.complain(f"7: {id} is woken, and does not wait: {self.cluster.named(id)}")
                waits = False
            elif isinstance(event, e.Waiting):
                waits = True
            elif isinstance(event, e.AttemptFailed):
                waits = event.then == "retry"
