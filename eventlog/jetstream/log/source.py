"""A stream to read from: its present end and identity, as its leader knows them."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from clawactors.eventlog.errors import Corrupt
from clawactors.eventlog.jetstream.log.streams import created_of
from clawactors.eventlog.jetstream.wire.api import StoredMessage, call, next_message
from clawactors.eventlog.jetstream.wire.connection import Connection
from clawactors.eventlog.rfc3339 import nanoseconds

__all__ = ["StreamSource"]

_READINGS: Final = 64
"""How many reads may begin at once: a thousand concurrent reads would all time out, retry, and time out again."""


class StreamSource:
    """A stream to read from, with its identity when this process first saw it."""

    def __init__(self, connection: Connection, info: dict[str, Any]) -> None:
        config = info["config"]
        self.connection, self.stream, self.replicas = connection, str(config["name"]), int(config["num_replicas"])
        self.created = created_of(config, info["created"])
        self.gate = asyncio.Semaphore(_READINGS)

    @property
    def identity(self) -> str:
        """Name and time of creation: another identity means another log."""
        return f"{self.stream}@{self.created}"

    async def state(self) -> dict[str, Any]:
        """The stream's present state, `at_ns` by its clock. Raises: `Corrupt` if the stream was recreated."""
        info = await call(self.connection, f"STREAM.INFO.{self.stream}")
        created = created_of(info["config"], info["created"])
        if created != self.created:
            raise Corrupt(f"the stream {self.stream} was created anew at {created}: all views must be rebuilt")
        state: dict[str, Any] = info["state"]
        return state | {"at_ns": nanoseconds(info.get("ts", ""))}

    async def following(self, after: int, patterns: Sequence[str]) -> StoredMessage | None:
        """The first matching message after `after`, asked of the leader."""
        found = await asyncio.gather(*(next_message(self.connection, self.stream, after, each) for each in patterns))
        return min((each for each in found if each is not None), key=lambda message: message.seq, default=None)
