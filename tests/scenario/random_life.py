"""A cluster that is asked for everything at random, by a seed: the users of the soak."""

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from clawactors.eventlog import EventLogError, Unavailable
from clawactors.kernel.errors import NotFound, Refused
from clawactors.systems.tasks import TASK, Task
from tests.scenario.audit import read_all
from tests.scenario.secondly import record_schedule
from tests.scenario.system import System

__all__ = ["Users"]

_PAUSE_S: Final = 0.03
_OPEN_MAX: Final = 150
"""More open tasks than that and nothing new is asked for: the end has to come in time."""

_KNOWN_MAX: Final = 400


class Users:
    """`live` until the time is over, then `settle`: whatever waits for a person gets its person."""

    def __init__(self, system: System, seed: int) -> None:
        self.system, self.client, self.trace = system, system.client, str(system.trace)
        self.chance = random.Random(seed)
        self.done: Counter[str] = Counter()
        self.open: dict[str, None] = {}
        self.known: list[str] = []
        self.schedules: set[str] = set()
        self._number = 0
        self._picked = "nobody"

    async def live(self, seconds: float, users: int = 4) -> None:
        """That many users at once."""
        end_s = time.monotonic() + seconds

        async def user() -> None:
            while time.monotonic() < end_s:
                await self._act()
                await asyncio.sleep(self.chance.random() * 2 * _PAUSE_S)

        await asyncio.gather(*(user() for _ in range(users)))

    async def _act(self) -> None:
        acts: dict[str, tuple[int, Callable[[], Awaitable[Any]]]] = {
            "submit": (10 if len(self.open) < _OPEN_MAX else 0, self._submit),
            "signal": (6, lambda: self.client.signal(self._any_open(), "go", self._payload())),
            "signal by command": (2, self._signal_by_command),
            "cancel": (2, lambda: self.client.cancel(self._any_open())),
            "pause": (2, lambda: self.client.pause(self._any_open())),
            "resume": (4, lambda: self.client.resume(self._any_open())),
            "fork": (1, self._fork),
            "retry": (2, lambda: self.client.retry(self._any_known())),
            "redrive": (1, lambda: self.client.redrive(limit=5)),
            "schedule": (1, self._schedule),
            "delete": (1, lambda: self.client.delete(self._any_known())),
            "drain": (1, lambda: self._tell_node("drain")),
            "uncordon": (3, lambda: self._tell_node("uncordon")),
            "edit": (1, lambda: self.client.edit(self._any_open(), priority=self.chance.choice(("low", "high")))),
        }
        [name] = self.chance.choices(list(acts), [weight for weight, _ in acts.values()])
        try:
            await acts[name][1]()
            self.done[name] += 1
        except (Refused, NotFound):
            self.done[f"{name} refused"] += 1
            await self._forget_ended()
        except (EventLogError, TimeoutError):
            self.done["unavailable"] += 1

    async def _forget_ended(self) -> None:
        with contextlib.suppress(EventLogError, NotFound):
            if TASK.is_final((await self.client.snapshot(self._picked)).state):
                self.open.pop(self._picked, None)

    def _any_open(self) -> str:
        self._picked = self.chance.choice(list(self.open) or ["nobody"])
        return self._picked

    def _any_known(self) -> str:
        return self.chance.choice(self.known or ["nobody"])

    def _new_id(self) -> str:
        self._number += 1
        return f"u{self._number}"

    async def _submit(self) -> None:
        id, options = self._new_id(), self._random_options()
        skill, params = self.chance.choice(
            [
                ("plods", {"steps": self.chance.randint(1, 6), "seconds": self.chance.random() * 0.2}),
                ("plods-in-thread", {"steps": 3}),
                ("plods-few", {"steps": 2, "seconds": self.chance.random() * 0.2}),
                ("stumbles", {"times": self.chance.randint(0, 3)}),
                ("dies", {}),
                ("naps", {"how_long": f"{self.chance.randint(1000, 4000)}ms"}),
                ("asks", {"limit": f"{self.chance.choice((500, 2000, 3_600_000))}ms"}),
            ]
        )
        await self.client.submit(skill, {"trace": self.trace} | params, id=id, **options)
        self._remember(id)
        self.system.submitted.append(id)

    def _random_options(self) -> dict[str, Any]:
        options: dict[str, Any] = {"priority": self.chance.choice(("low", "normal", "high", "urgent"))}
        if self.chance.random() < 0.2:
            options["delay_s"] = self.chance.random() * 4
        if self.chance.random() < 0.1:
            options["deadline_ns"] = time.time_ns() + int(self.chance.uniform(5, 20) * 1e9)
        if self.known and self.chance.random() < 0.15:
            options["after"] = list({self._any_known() for _ in range(self.chance.randint(1, 3))})
            options["on_dead"] = self.chance.choice(("block", "fail", "run"))
        return options

    def _remember(self, id: str) -> None:
        self.open[id] = None
        self.known.append(id)
        del self.known[:-_KNOWN_MAX]

    def _payload(self) -> Any:
        return "large" * 60_000 if self.chance.random() < 0.05 else self.chance.randint(0, 99)

    async def _tell_node(self, what: str) -> None:
        body = msgspec.json.encode({"type": f"node.{what}"})
        await self.client.connection.ask(f"claw.cmd.node.n{self.chance.randint(1, 3)}", body)

    async def _signal_by_command(self) -> None:
        body = msgspec.json.encode({"type": "task.signal", "name": "go", "payload": "by command"})
        await self.client.connection.ask(f"claw.cmd.task.{self._any_open()}", body)

    async def _fork(self) -> None:
        source_id = self._any_known()
        source = await self.client.snapshot(source_id)
        steps = [entry.name for entry in source.state.journal.steps() if entry.status == "completed"]
        if steps:
            id = self._new_id()
            await self.client.fork(source_id, self.chance.choice(steps), new_id=id)
            self._remember(id)

    async def _schedule(self) -> None:
        name, schedules = f"every-{self.chance.randint(1, 3)}", self.client.schedules
        self.schedules.add(name)
        match self.chance.randint(0, 3):
            case 0:
                await schedules.remove(name)
            case 1:
                await schedules.pause(name)
            case 2:
                await schedules.resume(name)
            case _:
                await record_schedule(
                    self.client, self.system.log, name, "*/2 * * * * *", "echo", {"text": name}, catch_up="fire"
                )

    async def settle(self, patience_s: float) -> None:
        """Returns when all tasks of the log have ended. Raises: `AssertionError` with those that have not."""
        for name in self.schedules:
            with contextlib.suppress(NotFound, Refused):
                await self.client.schedules.remove(name)
        end_s = time.monotonic() + patience_s
        while left := await self._left():
            if time.monotonic() > end_s:
                lives = {id: task.life for id, task in list(left.items())[:5]}
                raise AssertionError(f"{len(left)} tasks are stuck: {lives}")
            for node in ("n1", "n2", "n3"):
                with contextlib.suppress(Unavailable):
                    await self.client.connection.ask(f"claw.cmd.node.{node}", b'{"type":"node.uncordon"}')
            for id, task in left.items():
                with contextlib.suppress(Refused, Unavailable):
                    await self._help(id, task)
            await asyncio.sleep(0.5)

    async def _left(self) -> dict[str, Task]:
        tasks = (await read_all(self.system.log)).tasks
        return {id: task for id, task in tasks.items() if not TASK.is_final(task)}

    async def _help(self, id: str, task: Task) -> None:
        life = task.life
        if life.status == "paused":
            await self.client.resume(id)
        elif life.status == "blocked":
            await self.client.cancel(id)
        elif life.waiting_for == "signal" and not life.until_ns - time.time_ns() < 5e9:
            await self.client.signal(id, "go", "in the end")
