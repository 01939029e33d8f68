"""The log on JetStream; the only package that imports nats.

In: `JetStreamLog.append` sends each commit with its version guard, alone or in an atomic batch with others.
Out: `follow` and `read` are push consumers parsed straight from the socket.
On the same connection: leases in a key-value bucket, timers, large payloads, streamed output, requests and endpoints,
the queue of commands, dead letters. `wire` holds the connection, `log` the log, `stores` the stores beside it.

It never decides what is in a commit, and never reports a lost race without proof.
Decisions: ADR 20 (batches and verdicts), 21 (the parser), 22 (leases).
"""

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from clawactors.eventlog.jetstream.log.held import HeldLog
    from clawactors.eventlog.jetstream.log.inspection import lacking, syncs_always, why_too_old
    from clawactors.eventlog.jetstream.log.log import JetStreamLog
    from clawactors.eventlog.jetstream.log.room import health_of
    from clawactors.eventlog.jetstream.stores.blobs import JetStreamBlobs
    from clawactors.eventlog.jetstream.stores.commands import JetStreamCommands
    from clawactors.eventlog.jetstream.stores.dead import JetStreamDeadLetters
    from clawactors.eventlog.jetstream.stores.leases import JetStreamLease, JetStreamLeases
    from clawactors.eventlog.jetstream.stores.outputs import JetStreamOutputs
    from clawactors.eventlog.jetstream.stores.timers import JetStreamTimers
    from clawactors.eventlog.jetstream.wire.advisories import Disconnects
    from clawactors.eventlog.jetstream.wire.connection import Connection
    from clawactors.eventlog.jetstream.wire.contexts import Address
    from clawactors.eventlog.jetstream.wire.requests import JetStreamRequests, JetStreamServing

__all__ = [
    "Address",
    "Connection",
    "Disconnects",
    "HeldLog",
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
    "health_of",
    "lacking",
    "syncs_always",
    "why_too_old",
]

_HERE: Final = "clawactors.eventlog.jetstream"
_HOMES: Final = {
    "Address": "wire.contexts",
    "Connection": "wire.connection",
    "Disconnects": "wire.advisories",
    "HeldLog": "log.held",
    "JetStreamBlobs": "stores.blobs",
    "JetStreamCommands": "stores.commands",
    "JetStreamDeadLetters": "stores.dead",
    "JetStreamLease": "stores.leases",
    "JetStreamLeases": "stores.leases",
    "JetStreamLog": "log.log",
    "JetStreamOutputs": "stores.outputs",
    "JetStreamRequests": "wire.requests",
    "JetStreamServing": "wire.requests",
    "JetStreamTimers": "stores.timers",
    "health_of": "log.room",
    "lacking": "log.inspection",
    "syncs_always": "log.inspection",
    "why_too_old": "log.inspection",
}


def __getattr__(name: str) -> Any:
    """The public name, imported now: no process needs all of them."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(f"{_HERE}.{_HOMES[name]}"), name)
    return value
