"""The log of a process that the server lets append and follow what is addressed to it, but not read."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from typing import Self, override

from clawactors.eventlog.jetstream.log import provision
from clawactors.eventlog.jetstream.log.log import TIMEOUT_S, JetStreamLog
from clawactors.eventlog.jetstream.log.source import StreamSource
from clawactors.eventlog.jetstream.wire.connection import Connection
from clawactors.eventlog.keys import Keys
from clawactors.eventlog.record import Record

__all__ = ["HeldLog", "Records"]

type Records = Callable[[str, int, int | None], AsyncIterator[Record]]
"""The records of an aggregate, by its pattern, after a sequence and up to one, as the leader of the stream has them."""


class _AskedWitness:
    """Of an aggregate the first record decides; what else a witness may know is not asked for."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def first_after(self, pattern: str, after: int) -> Record | None:
        """The first record of an aggregate after that sequence, None where there is none yet."""
        return await anext(self._records(pattern, after, None), None)

    async def last(self, _pattern: str) -> int:
        """Not known."""
        return 0

    async def subject_at(self, _seq: int) -> str:
        """Not known."""
        return ""


class HeldLog(JetStreamLog):
    """A log whose records are asked for. Its `records` come opened; what is followed is opened with `keys`."""

    _records: Records

    @classmethod
    async def open(cls, connection: Connection, records: Records, keys: Keys) -> Self:
        """Over a connection that is open already; checks the log alone. Raises: as `JetStreamLog.connect`."""
        source = StreamSource(connection, await provision.check_log(connection))
        log = cls(connection, source, TIMEOUT_S, _AskedWitness(records), keys)
        log._records = records
        return log

    @override
    async def read(
        self,
        patterns: Sequence[str],
        *,
        after: int = 0,
        since_ns: int | None = None,
        until: int | None = None,
        ahead: bool = False,
    ) -> AsyncGenerator[list[Record]]:
        """The records of one aggregate. Raises: what `records` raises."""
        (pattern,) = patterns
        async for record in self._records(pattern, after, until):
            yield [record]
