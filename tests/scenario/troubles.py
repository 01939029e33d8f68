"""Random faults on three machines, and nodes that come and go, by a seed; at the end everything runs again."""

import asyncio
import random
import signal
from collections.abc import Awaitable, Callable
from typing import Self

from tests.scenario.site import Site
from tests.waiting import until

__all__ = ["Churn", "Troubles"]

WHOLE_S = 90.0
_AT_ONCE = 3
"""So many come or go at the same time."""


class Troubles:
    """One fault after the other, each over before the next: no two servers are away at once. `done` lists them."""

    def __init__(self, site: Site, seed: int) -> None:
        self._site, self._chance = site, random.Random(seed)
        self.done: list[str] = []

    async def run(self, seconds: float) -> None:
        """Faults for that long."""
        acts: tuple[Callable[[], Awaitable[str]], ...] = (
            self._kill_server,
            self._freeze_server,
            self._cut,
            self._kill_control,
            self._freeze_control,
        )
        clock = asyncio.get_running_loop().time
        end_s = clock() + seconds
        while clock() < end_s:
            self.done.append(await self._chance.choice(acts)())
            await until(self._site.are_whole, f"all is whole again after {self.done[-1]}", WHOLE_S)
            await asyncio.sleep(self._chance.uniform(0, 2))

    async def _kill_server(self) -> str:
        server = self._chance.choice(self._site.three.servers)
        server.kill()
        await asyncio.sleep(self._chance.uniform(0, 12))
        await server.restart()
        return f"{server.name} was killed"

    async def _freeze_server(self) -> str:
        server = self._chance.choice(self._site.three.servers)
        server.freeze()
        await asyncio.sleep(self._chance.uniform(1, 12))
        server.signal(signal.SIGCONT)
        return f"{server.name} stood still"

    async def _cut(self) -> str:
        net = self._site.net
        one, other = self._chance.sample(net.members, 2)
        cut: Callable[[], None] = self._chance.choice(
            (lambda: net.silence(one, other), lambda: net.part(one, other), lambda: net.isolate(one))
        )
        cut()
        await asyncio.sleep(self._chance.uniform(1, 15))
        net.heal()
        return f"{one.name[-1]} was cut off from {other.name[-1]}"

    async def _kill_control(self) -> str:
        part = self._chance.choice(self._site.controls)
        await part.kill()
        await part.start()
        return f"{part.name} was killed"

    async def _freeze_control(self) -> str:
        part = self._chance.choice(self._site.controls)
        part.freeze()
        await asyncio.sleep(self._chance.uniform(1, 8))
        part.thaw()
        return f"{part.name} stood still"


class Churn:
    """Nodes that join, leave in good order, and are killed; `most` of them at once. Use it in an `async with`."""

    def __init__(self, site: Site, seed: int, most: int) -> None:
        self._site, self._chance, self._most = site, random.Random(seed), most
        self.joined = 0
        self._here: list[str] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._churn()) for _ in range(_AT_ONCE)]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        ended = await asyncio.gather(*self._tasks, return_exceptions=True)
        assert not [end for end in ended if isinstance(end, Exception)], ended

    async def _churn(self) -> None:
        while True:
            if len(self._here) < self._most and self._chance.random() < 0.6:
                self.joined += 1
                node = self._site.node(f"churn{self.joined}", self._chance.choice(self._site.net.members))
                if await node.start():
                    self._here.append(node.name)
            elif self._here:
                node = self._site.nodes[self._here.pop(self._chance.randrange(len(self._here)))]
                await (node.kill() if self._chance.random() < 0.5 else node.stop())
            await asyncio.sleep(self._chance.uniform(0, 1))
