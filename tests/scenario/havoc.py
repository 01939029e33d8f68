"""Kills, stops and continues processes of a cluster at random, by a seed; at the end everything runs again."""

import asyncio
import contextlib
import random
import signal
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Self

from tests.scenario.system import System, until

__all__ = ["Havoc"]

_AMID_WORK = 0.75
"""Share of the strikes that wait until steps are being run; the others may hit a cluster that is down already."""
_WORK_S = 8.0


class Havoc:
    """Use it in an `async with`; `strikes` tells what was done, in order.

    Each round kills and stops every victim once, in an order of its own.
    """

    def __init__(self, system: System, seed: int, victims: Sequence[str], *, every_s: float, stopped_s: float) -> None:
        self._system, self._victims, self._every_s, self._stopped_s = system, victims, every_s, stopped_s
        self._chance = random.Random(seed)
        self._stopped: set[str] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self.strikes: list[str] = []

    @property
    def round(self) -> int:
        """How many strikes a round has."""
        return 2 * len(self._victims)

    async def __aenter__(self) -> Self:
        self._tasks.append(asyncio.create_task(self._strike()))
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        ended = await asyncio.gather(*self._tasks, return_exceptions=True)
        for victim in self._stopped:
            self._system.signal(victim, signal.SIGCONT)
        for victim in self._victims:
            await until(lambda victim=victim: self._system.pid(victim) > 0, f"{victim} runs again")
        assert not [end for end in ended if isinstance(end, Exception)], ended

    async def struck(self, times: int) -> None:
        """Returns when there were that many strikes."""
        await until(lambda: len(self.strikes) >= times or self._tasks[0].done(), f"{times} strikes")

    async def _strike(self) -> None:
        while True:
            strokes = [(victim, kills) for victim in self._victims for kills in (True, False)]
            self._chance.shuffle(strokes)
            for victim, kills in strokes:
                await asyncio.sleep(self._chance.uniform(0.3, 1.7) * self._every_s)
                length_s = self._chance.uniform(0.1, 1) * self._stopped_s
                if self._chance.random() < _AMID_WORK:
                    await self._work_goes_on()
                await until(lambda victim=victim: self._is_up(victim), f"{victim} runs again")
                if kills:
                    self._system.signal(victim, signal.SIGKILL)
                    self._note(f"killed {victim}")
                else:
                    self._system.signal(victim, signal.SIGSTOP)
                    self._note(f"stopped {victim} for {length_s:.1f} s")
                    self._stopped.add(victim)
                    self._tasks.append(asyncio.create_task(self._continue(victim, length_s)))

    def _note(self, strike: str) -> None:
        self.strikes.append(f"{datetime.now(UTC):%T} {strike}")

    async def _work_goes_on(self) -> None:
        """Returns when steps leave traces, or when they have not for a while: all may be done."""
        before = self._traced()
        with contextlib.suppress(AssertionError):
            await until(lambda: self._traced() > before + 100, "steps are run", _WORK_S)

    def _traced(self) -> int:
        trace = self._system.trace
        return trace.stat().st_size if trace.exists() else 0

    def _is_up(self, victim: str) -> bool:
        return victim not in self._stopped and self._system.pid(victim) > 0

    async def _continue(self, victim: str, after_s: float) -> None:
        await asyncio.sleep(after_s)
        self._system.signal(victim, signal.SIGCONT)
        self._stopped.discard(victim)
