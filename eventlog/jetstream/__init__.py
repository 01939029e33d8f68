"""The log on JetStream; the only package that imports nats.

In: `JetStreamLog.append` sends each commit with its version guard, alone or in an atomic batch with others.
Out: `follow` and `read` are push consumers parsed straight from the socket.
Beside it, on the same connection: leases in a key-value bucket, timers, large payloads, output of tasks, requests and
service endpoints, commands from outside, dead letters.

It never decides what is in a commit, never reads with a lock, and never reports a lost race that it has not proved.
Decisions: ADR 20 (batches and verdicts), 21 (the parser), 22 (leases).
"""

from eventlog.jetstream.advisories import Disconnects
from eventlog.jetstream.blobs import JetStreamBlobs
from eventlog.jetstream.commands import JetStreamCommands
from eventlog.jetstream.connection import Connection
from eventlog.jetstream.contexts import Address
from eventlog.jetstream.dead import JetStreamDeadLetters
from eventlog.jetstream.inspection import lacking, syncs_always
from eventlog.jetstream.leases import JetStreamLease, JetStreamLeases
from eventlog.jetstream.live import LiveFeed
from eventlog.jetstream.log import JetStreamLog
from eventlog.jetstream.outputs import JetStreamOutputs
from eventlog.jetstream.requests import JetStreamRequests, JetStreamServing
from eventlog.jetstream.timers import JetStreamTimers

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
