"""The outcome of appends that the server refused with 10071, as the leader of the stream knows it.

If the guard held, our commit is the first one after the expected version: so one message tells.
"""

import asyncio
import itertools
import re
from collections.abc import Sequence
from typing import Final, Protocol

from clawactors.eventlog.errors import WrongVersion
from clawactors.eventlog.jetstream.wire.api import last_message, message_at, next_message
from clawactors.eventlog.jetstream.wire.connection import Connection
from clawactors.eventlog.jetstream.wire.frames import Append
from clawactors.eventlog.record import ROOT, Record

__all__ = ["StreamWitness", "Witness", "accused", "judge_all", "named_sequence"]

AT_ONCE: Final = 100

_SEQUENCE: Final = re.compile(r"(\d+)\s*$")

type Verdict = int | WrongVersion | None
"""The version of the append, the race that it lost, or None while the leader shows neither."""


def named_sequence(description: str) -> int:
    """The sequence that a refusal names, 0 if it names none."""
    found = _SEQUENCE.search(description)
    return int(found[1]) if found else 0


class Witness(Protocol):
    """Tells what the log holds, as its leader has it. All raise `Unavailable`, `PermissionDenied`."""

    async def first_after(self, pattern: str, after: int) -> Record | None:
        """The first record of an aggregate after that sequence, None where there is none yet."""
        ...

    async def last(self, pattern: str) -> int:
        """The sequence of the last record of an aggregate; 0 where that is not known."""
        ...

    async def subject_at(self, seq: int) -> str:
        """The subject of the record at that sequence; "" where that is not known."""
        ...


class StreamWitness:
    """The leader of the stream itself."""

    def __init__(self, connection: Connection, stream: str) -> None:
        self._connection, self._stream = connection, stream

    async def first_after(self, pattern: str, after: int) -> Record | None:
        """The first record of an aggregate after that sequence."""
        found = await next_message(self._connection, self._stream, after, pattern)
        return found.record if found is not None else None

    async def last(self, pattern: str) -> int:
        """The sequence of the last record of an aggregate."""
        found = await last_message(self._connection, self._stream, pattern)
        return found.seq if found is not None else 0

    async def subject_at(self, seq: int) -> str:
        """The subject of the record at that sequence."""
        found = await message_at(self._connection, self._stream, seq)
        return found.subject if found is not None else ""


async def accused(witness: Witness, appends: Sequence[Append], named: int) -> list[Append]:
    """Those of a refused batch whose aggregate has the message at sequence `named`; all if none has."""
    parts = (await witness.subject_at(named)).split(".") if named else []
    aggregate = f"{parts[1]}/{parts[2]}" if len(parts) >= 4 and parts[0] == ROOT else ""
    return [append for append in appends if append.aggregate == aggregate] or list(appends)


async def judge_all(witness: Witness, appends: Sequence[Append], named: int) -> list[Verdict]:
    """A verdict for each; `named` is the last sequence of the aggregate if there is only one append."""
    verdicts: list[Verdict] = []
    for some in itertools.batched(appends, AT_ONCE):
        verdicts += await asyncio.gather(
            *(_judge(witness, append, named if len(appends) == 1 else 0) for append in some)
        )
    return verdicts


async def _judge(witness: Witness, append: Append, named: int) -> Verdict:
    first = await witness.first_after(append.pattern, append.expected)
    if first is None:
        return None
    if first.commit == append.commit:
        return first.seq
    if not named:
        named = await witness.last(append.pattern)
    return WrongVersion(append.aggregate, append.expected, max(named, first.seq))
