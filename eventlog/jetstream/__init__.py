"""The log on JetStream; the only package that imports nats.

In: `JetStreamLog.append` sends each commit with its version guard, alone or in an atomic batch with others.
Out: `follow` and `read` are push consumers parsed straight from the socket.
Beside it, on the same connection: leases in a key-value bucket, timers, large payloads, output of tasks, requests and
service endpoints, commands from outside, dead letters.

It never decides what is in a commit, never reads with a lock, and never reports a lost race that it has not proved.
Decisions: ADR 20 (batches and verdicts), 21 (the parser), 22 (leases).
"""

from clawactors.eventlog.jetstream.advisories import Disconnects
from clawactors.eventlog.jetstream.blobs import JetStreamBlobs
from clawactors.eventlog.jetstream.commands import JetStreamCommands
from clawactors.eventlog.jetstream.connection import Connection
from clawactors.eventlog.jetstream.contexts import Address
from clawactors.eventlog.jetstream.dead import JetStreamDeadLetters
from clawactors.eventlog.jetstream.inspection import lacking, syncs_always
from clawactors.eventlog.jetstream.leases import JetStreamLease, JetStreamLeases
from clawactors.eventlog.jetstream.live import LiveFeed
from clawactors.eventlog.jetstream.log import JetStreamLog
from clawactors.eventlog.jetstream.outputs import JetStreamOutputs
from clawactors.eventlog.jetstream.requests import JetStreamRequests, JetStreamServing
from clawactors.eventlog.jetstream.timers import JetStreamTimers

__all__ = [
    "Address",
    "Connection",
    "Disconnects",
    "JetStreamBlobs",
    "JetStreamCommands",
    "JetStreamDeadLetters",
    "JetStreamLease",
    "JetStreamLeases",
    "JetStreamLog",
    "JetStreamOutputs",
    "JetStreamRequests",
    "JetStreamServing",
    "JetStreamTimers",
    "LiveFeed",
    "lacking",
    "syncs_always",
]
