"""The queue of commands from outside: the port, and its adapter within one process."""

import asyncio
import itertools
from collections.abc import Iterable
from typing import Protocol

from clawactors.eventlog.record import Record

__all__ = ["Commands", "InProcessCommands"]


class Commands(Protocol):
    """A queue of commands from other programs. A command that was taken but not done is delivered again."""

    @property
    def identity(self) -> str:
        """Identifies the queue, once something was taken: in another queue, the same sequence is another command."""
        ...

    async def take(self, wait_s: float) -> list[Record]:
        """The waiting commands, or the first to arrive within `wait_s` seconds, maybe none. Raises: `Unavailable`."""
        ...

    async def bury(self, record: Record, reason: str) -> None:
        """Moves it to the dead letters, with the reason. Order: idempotent. Raises: `Unavailable`."""
        ...

    def done(self, seqs: Iterable[int]) -> None:
        """Removes them: they were carried out, refused or buried."""
        ...


class InProcessCommands:
    """A queue of commands: `publish` adds one, `again` redelivers what is not done, `letters` holds the buried ones."""

    identity = "inprocess"

    def __init__(self) -> None:
        self._waiting: list[Record] = []
        self._taken: dict[int, Record] = {}
        self._numbers = itertools.count(1)
        self._more = asyncio.Event()
        self.letters: dict[int, tuple[Record, str]] = {}

    @property
    def open_count(self) -> int:
        """How many are not done yet."""
        return len(self._waiting) + len(self._taken)

    def publish(self, subject: str, body: bytes) -> None:
        """Adds a command."""
        self._waiting.append(Record(next(self._numbers), 0, subject, body))
        self._more.set()

    def again(self) -> None:
        """Redelivers what was taken and is not done."""
        self._waiting = [*self._taken.values(), *self._waiting]
        self._taken.clear()
        self._more.set()

    async def take(self, wait_s: float) -> list[Record]:
        """The commands that wait, or the first to arrive within `wait_s` seconds."""
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
        """Moves it to `letters`, once."""
        self.letters.setdefault(record.seq, (record, reason))

    def done(self, seqs: Iterable[int]) -> None:
        """Removes them: they were carried out, refused or buried."""
        for seq in seqs:
            self._taken.pop(seq, None)
