"""The queue of commands from outside: the port, and its adapter within one process."""

import asyncio
import itertools
from collections.abc import Iterable
from typing import Protocol

from clawactors.eventlog.record import Record

__all__ = ["Commands", "InProcessCommands"]


class Commands(Protocol):
    """A queue of what other programs want. What is taken and not done comes again, to whoever takes then."""

    @property
    def identity(self) -> str:
        """Which queue this is, once something was taken: sequences of another one mean other commands."""
        ...

    async def take(self, wait_s: float) -> list[Record]:
        """What waits now, or comes first within the time; empty when nothing does. Raises: `Unavailable`."""
        ...

    async def bury(self, record: Record, reason: str) -> None:
        """Keeps it for people, who see why; once, however often it is done. Raises: `Unavailable`."""
        ...

    def done(self, seqs: Iterable[int]) -> None:
        """These are dealt with."""
        ...


class InProcessCommands:
    """A queue of commands; `publish` fills it, `again` gives out once more what is not done. `letters` are buried."""

    identity = "inprocess"

    def __init__(self) -> None:
        self._waiting: list[Record] = []
        self._taken: dict[int, Record] = {}
        self._numbers = itertools.count(1)
        self._more = asyncio.Event()
        self.letters: dict[int, tuple[Record, str]] = {}

    @property
    def open_count(self) -> int:
        """How many are not done."""
        return len(self._waiting) + len(self._taken)

    def publish(self, subject: str, body: bytes) -> None:
        """Puts one in."""
        self._waiting.append(Record(next(self._numbers), 0, subject, body))
        self._more.set()

    def again(self) -> None:
        """What was taken and not done waits again."""
        self._waiting = [*self._taken.values(), *self._waiting]
        self._taken.clear()
        self._more.set()

    async def take(self, wait_s: float) -> list[Record]:
        """What waits now, or comes first within the time."""
        if not self._waiting:
            self._more.clear()
            try:
                async with asyncio.timeout(wait_s):
                    await self._more.wait()
            except TimeoutError:
                return []
        took, self._waiting = self._waiting, []
        self._taken.update((record.seq, record) for record in took)
        return took

    async def bury(self, record: Record, reason: str) -> None:
        """Keeps it once."""
        self.letters.setdefault(record.seq, (record, reason))

    def done(self, seqs: Iterable[int]) -> None:
        """These are dealt with."""
        for seq in seqs:
            self._taken.pop(seq, None)
