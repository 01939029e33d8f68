"""The outcome of appends that the server refused with 10071, as the leader of the stream knows it.

If the guard held, our commit is the first one after the expected version: so one message tells.
"""

import asyncio
import itertools
import re
from collections.abc import Sequence
from typing import Final

from clawactors.eventlog.errors import WrongVersion
from clawactors.eventlog.jetstream.wire.api import last_message, message_at, next_message
from clawactors.eventlog.jetstream.wire.connection import Connection
from clawactors.eventlog.jetstream.wire.frames import Append
from clawactors.eventlog.record import ROOT

__all__ = ["accused", "judge_all", "named_sequence"]

AT_ONCE: Final = 100

_SEQUENCE: Final = re.compile(r"(\d+)\s*$")

type Verdict = int | WrongVersion | None
"""The version of the append, the race that it lost, or None while the leader shows neither."""


def named_sequence(description: str) -> int:
    """The sequence that a refusal names, 0 if it names none."""
    found = _SEQUENCE.search(description)
    return int(found[1]) if found else 0


async def accused(connection: Connection, stream: str, appends: Sequence[Append], named: int) -> list[Append]:
    """Those of a refused batch whose aggregate has the message at sequence `named`; all if none has."""
    message = await message_at(connection, stream, named) if named else None
    parts = message.subject.split(".") if message is not None else []
    aggregate = f"{parts[1]}/{parts[2]}" if len(parts) >= 4 and parts[0] == ROOT else ""
    return [append for append in appends if append.aggregate == aggregate] or list(appends)


async def judge_all(connection: Connection, stream: str, appends: Sequence[Append], named: int) -> list[Verdict]:
    """A verdict for each; `named` is the last sequence of the aggregate if there is only one append."""
    verdicts: list[Verdict] = []
    for some in itertools.batched(appends, AT_ONCE):
        verdicts += await asyncio.gather(
            *(_judge(connection, stream, append, named if len(appends) == 1 else 0) for append in some)
        )
    return verdicts


async def _judge(connection: Connection, stream: str, append: Append, named: int) -> Verdict:
    first = await next_message(connection, stream, append.expected, append.pattern)
    if first is None:
        return None
    if first.record.commit == append.commit:
        return first.seq
    if not named:
        last = await last_message(connection, stream, append.pattern)
        named = last.seq if last is not None else first.seq
    return WrongVersion(append.aggregate, append.expected, max(named, first.seq))
