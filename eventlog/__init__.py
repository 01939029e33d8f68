"""The append-only log that everything else is a fold of.

In: `EventLog.append` takes a `Draft` (the encoded events of one aggregate) guarded by the version the writer saw.
Out: `EventLog.read` and `EventLog.follow` give `Record`s in log order; a `Codec` turns their bodies into events.

Adapters: `InProcessLog` for tests and simulations, `JetStreamLog` for a real nats-server. One set of contract tests
covers both. Beside the log lie its stores, one module each: the port and its adapter within one process. The package
does not know what a task or a node is, and it never stops at a message that it can't read.
"""

from typing import TYPE_CHECKING, Any

from clawactors.eventlog.codec import UNREADABLE, Codec
from clawactors.eventlog.errors import (
    Closed,
    Corrupt,
    EventLogError,
    FromTheFuture,
    Malformed,
    Misconfigured,
    Missing,
    NoResponders,
    NoSpace,
    NoSuchLog,
    PermissionDenied,
    TooLarge,
    Unavailable,
    WrongVersion,
)
from clawactors.eventlog.log import EventLog, Follower, Head
from clawactors.eventlog.record import Draft, Record, aggregate_pattern, is_id, parse_subject, subject_of, writer_of

if TYPE_CHECKING:
    from clawactors.eventlog.inprocess import InProcessLog

__all__ = [
    "UNREADABLE",
    "Closed",
    "Codec",
    "Corrupt",
    "Draft",
    "EventLog",
    "EventLogError",
    "Follower",
    "FromTheFuture",
    "Head",
    "InProcessLog",
    "Malformed",
    "Misconfigured",
    "Missing",
    "NoResponders",
    "NoSpace",
    "NoSuchLog",
    "PermissionDenied",
    "Record",
    "TooLarge",
    "Unavailable",
    "WrongVersion",
    "aggregate_pattern",
    "is_id",
    "parse_subject",
    "subject_of",
    "writer_of",
]


def __getattr__(name: str) -> Any:
    """`InProcessLog`, imported when it is used: only tests and simulations need it."""
    if name != "InProcessLog":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from clawactors.eventlog.inprocess import InProcessLog

    globals()[name] = InProcessLog
    return InProcessLog
