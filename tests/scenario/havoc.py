"""Kills, stops and continues processes of a cluster at random, by a seed; at the end everything runs again."""

import asyncio
import random
import signal
from collections.abc import Sequence
from typing import Self

from tests.scenario.system import System, until

__all__ = ["Havoc"]


class Havoc:
    """Use it in an `async with`; `strikes` tells what was done, in order."""

    def __init__(self, system: System, seed: int, victims: Sequence[str], *, every_s: float, stopped_s: float) -> None:
        self._system, self._victims, self._every_s, self._stopped_s = system, victims, every_s, stopped_s
        self._chance = random.Random(seed)
        self._stopped: set[str] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self.strikes: list[str] = []

    async def __aenter__(self) -> Self:
        self._tasks.append(asyncio.create_task(self._strike()))
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for victim in self._stopped:
            self._system.signal(victim, signal.SIGCONT)
        for victim in set(self._victims):
            await until(lambda victim=victim: self._system.pid(victim) > 0, f"{victim} runs again")

    async def _strike(self) -> None:
        while True:
            await asyncio.sleep(self._chance.uniform(0.3, 1.7) * self._every_s)
            victim, kills = self._chance.choice(self._victims), self._chance.random() < 0.5
            length_s = self._chance.uniform(0.1, 1) * self._stopped_s
            if victim in self._stopped:
                continue
            if kills:
                if self._system.signal(victim, signal.SIGKILL):
                    self.strikes.append(f"killed {victim}")
            elif self._system.signal(victim, signal.SIGSTOP):
                self.strikes.append(f"stopped {victim} for {length_s:.1f} s")
                self._stopped.add(victim)
                self._tasks.append(asyncio.create_task(self._continue(victim, length_s)))

    async def _continue(self, victim: str, after_s: float) -> None:
        await asyncio.sleep(after_s)
        self._system.signal(victim, signal.SIGCONT)
        self._stopped.discard(victim)
