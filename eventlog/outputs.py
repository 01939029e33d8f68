"""What tasks emit while they run, in streams by task and name: the port, and its adapter within one process."""

from collections.abc import AsyncIterator
from typing import Protocol

from clawactors.eventlog.inprocess import InProcessLog
from clawactors.eventlog.log import Follower
from clawactors.eventlog.record import Record

__all__ = ["InProcessOutputs", "Outputs"]


class Outputs(Protocol):
    """What tasks say while they run, in streams by task and name."""

    async def publish(self, id: str, stream: str, body: bytes, name: str) -> None:
        """Keeps it behind what is there; published again under its name it is kept once. Raises: `Unavailable`."""
        ...

    def read(self) -> AsyncIterator[list[Record]]:
        """All that is kept, of all tasks. Raises: `Unavailable`."""
        ...

    async def follow(self, id: str, stream: str, after: int = 0) -> Follower:
        """The records of a stream behind that place, and each as it comes. Raises: `Unavailable`."""
        ...


class InProcessOutputs:
    """Streams by task and name."""

    def __init__(self) -> None:
        self._log = InProcessLog()
        self._names: set[str] = set()

    async def publish(self, id: str, stream: str, body: bytes, name: str) -> None:
        """Keeps it behind what is there, once under its name."""
        if name not in self._names:
            self._names.add(name)
            self._log.publish(f"claw.output.{id}.{stream}", body)

    def read(self) -> AsyncIterator[list[Record]]:
        """All that is kept, of all tasks."""
        return self._log.read(["claw.output.>"])

    async def follow(self, id: str, stream: str, after: int = 0) -> Follower:
        """The records of a stream behind that place, and each as it comes."""
        return await self._log.follow([f"claw.output.{id}.{stream}"], after=after)
