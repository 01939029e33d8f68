"""What became of an append that the server refused with 10071, as the leader of the stream knows it.

A guard that held makes our commit the first one after the expected version; so that one message tells.
"""

import re
from typing import Final

from eventlog.errors import WrongVersion
from eventlog.jetstream.api import last_message, message_at, next_message
from eventlog.jetstream.connection import Connection
from eventlog.jetstream.frames import Append
from eventlog.record import ROOT

__all__ = ["judge", "loser", "named_sequence"]

_SEQUENCE: Final = re.compile(r"(\d+)\s*$")


def named_sequence(description: str) -> int:
    """The sequence that a refusal names, 0 where it names none."""
    found = _SEQUENCE.search(description)
    return int(found[1]) if found else 0


async def loser(connection: Connection, stream: str, seq: int) -> str:
    """The aggregate, as `kind/id`, of the message at this sequence; '' when there is no such message."""
    message = await message_at(connection, stream, seq)
    parts = message.subject.split(".") if message is not None else []
    return f"{parts[1]}/{parts[2]}" if len(parts) >= 4 and parts[0] == ROOT else ""


async def judge(connection: Connection, stream: str, append: Append, named: int = 0) -> int | WrongVersion | None:
    """The version that the append got, or the race that it lost, or None while the leader shows neither.

    `named` is the aggregate's last sequence where the refusal told it.
    """
    first = await next_message(connection, stream, append.expected, append.pattern)
    if first is None:
        return None
    if first.commit == append.commit:
        return first.seq
    if not named:
        last = await last_message(connection, stream, append.pattern)
        named = last.seq if last is not None else first.seq
    return WrongVersion(append.aggregate, append.expected, max(named, first.seq))
