"""The memory process of a test cluster: it starts when it is first asked, since most tests need none.

It is the only part that needs files: a temporary folder, which it removes when it ends.
"""

import asyncio
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from clawactors.kernel.kind import Home
from clawactors.runtime.memory import SEARCH
from clawactors.testing.inprocess import InProcessCluster

__all__ = ["LazyMemory"]

_PROCESS: Final = "memory"
_QUESTIONS: Final = re.compile(rf"claw\.query\.([^.]+\.)?{SEARCH.partition('.')[0]}\.").match


class LazyMemory:
    """Hears of every request before it is sent, and starts the process for those that it answers."""

    def __init__(self, cluster: InProcessCluster) -> None:
        self._cluster = cluster
        self._kinds = frozenset(kind.name for kind in cluster.kinds.of(Home.MEMORY))
        self._folder: TemporaryDirectory[str] | None = None
        self._starting = asyncio.Lock()

    async def before_request(self, subject: str) -> None:
        """Returns when the process runs, where the request is for it."""
        if _QUESTIONS(subject) or (subject.startswith("claw.do.") and subject.rpartition(".")[2] in self._kinds):
            async with self._starting:
                if self._folder is None:
                    await self._start()

    async def _start(self) -> None:
        from clawactors.memory.process import MemoryActor  # brings numpy

        cluster = self._cluster
        self._folder = TemporaryDirectory(prefix="claw-test-", ignore_cleanup_errors=True)
        context = cluster.context(_PROCESS, f"{_PROCESS}/test")
        link = cluster.links[_PROCESS]
        link.ask_as(_PROCESS)
        actor = MemoryActor(context, cluster.kinds, link, link, Path(self._folder.name))
        await actor.listen()
        cluster.mains[_PROCESS] = cluster.spawn(_PROCESS, actor.serve())
        await actor.opened()

    def close(self) -> None:
        """Removes the files, once the process has ended."""
        if self._folder is not None:
            self._folder.cleanup()
