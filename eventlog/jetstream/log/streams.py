"""The streams of the log and of the stores beside it, as data: what `$JS.API.STREAM.CREATE` takes.

Only the stream of timers allows `Nats-Rollup`, because the server allows it wherever it allows schedules: a message
can erase timers there, and control sets them again. Elsewhere one message could erase all leases, or all blobs.
Therefore no marker tells that a lease has expired: the server writes such markers by rollup.
"""

from collections.abc import Sequence
from typing import Any, Final

__all__ = ["BLOBS", "CREATED", "EVENTS", "KEYS", "LIVE", "SCHEMA", "Store", "created_of", "events", "stores_beside"]

EVENTS: Final = "CLAW_EVENTS"
LIVE: Final = "KV_claw-live"
BLOBS: Final = "OBJ_claw-blobs"
KEYS: Final = "KV_claw-keys"
SCHEMA: Final = 2
CREATED: Final = "claw.created"
"""The metadata of a restored stream: when it was made. Servers of a cluster each have a time of their own for it."""

_SECOND_NS: Final = 1_000_000_000
_DAY_NS: Final = 86_400 * _SECOND_NS

type Store = dict[str, Any]


def created_of(config: Store, created: str) -> str:
    """When the stream was made, which tells it from another of its name; `created` is what the server says."""
    metadata = config.get("metadata") or {}
    return str(metadata.get(CREATED, created))


def _common(replicas: int) -> Store:
    from importlib.metadata import PackageNotFoundError, version

    try:
        release = version("clawactors")
    except PackageNotFoundError:
        release = "0"
    return {"num_replicas": replicas, "metadata": {"claw.schema": str(SCHEMA), "claw.version": release}}


def events(kinds: Sequence[str], replicas: int = 1) -> Store:
    """The stream of the log, for these kinds of aggregates."""
    return _common(replicas) | {
        "storage": "file",
        "name": EVENTS,
        "subjects": [f"claw.{kind}.>" for kind in kinds],
        "allow_atomic": True,
        "allow_direct": True,
        "deny_delete": True,
    }


def stores_beside(replicas: int = 1) -> list[Store]:
    """The streams of the stores beside the log."""
    common = _common(replicas)
    file = common | {"storage": "file"}
    # What may be lost with the machine need not wait for its disk; replicated streams don't support this mode.
    unsynced = {"persist_mode": "async"} if replicas == 1 else {}
    return [
        file | {"name": "CLAW_COMMANDS", "subjects": ["claw.cmd.>"], "retention": "workqueue", "allow_direct": True},
        file
        | {
            "name": "CLAW_TIMERS",
            "subjects": ["claw.timer.>", "claw.fired.>"],
            "allow_msg_schedules": True,
            "allow_msg_ttl": True,
            "allow_rollup_hdrs": True,  # the server sets it with schedules: only rights keep clients from timers
            "allow_direct": True,
        },
        file
        | {
            "name": "CLAW_OUTPUT",
            "subjects": ["claw.output.>"],
            **unsynced,
            "max_age": 7 * _DAY_NS,
            "max_bytes": 256 << 20,
            "duplicate_window": 30 * _SECOND_NS,
            "allow_direct": True,
        },
        file
        | {
            "name": "CLAW_DEAD",
            "subjects": ["claw.dead.>"],
            **unsynced,
            "duplicate_window": 3600 * _SECOND_NS,
            "max_bytes": 64 << 20,
            "allow_direct": True,
        },
        common
        | {
            "name": LIVE,
            "storage": "memory",
            "subjects": ["$KV.claw-live.>"],
            "max_msgs_per_subject": 1,
            "max_msg_size": 16 << 10,  # foreign values must not use up the memory that leases need
            "max_age": 600 * _SECOND_NS,
            "discard": "new",
            "allow_rollup_hdrs": False,
            "allow_direct": True,
            "deny_delete": True,
            "allow_msg_ttl": True,
        },
        file
        | {
            "name": KEYS,
            "subjects": ["$KV.claw-keys.>"],
            "max_msgs_per_subject": 1,
            "max_msg_size": 1 << 10,
            "discard": "new",
            "allow_rollup_hdrs": False,
            "allow_direct": True,
        },
        file
        | {
            "name": BLOBS,
            "subjects": ["$O.claw-blobs.C.>", "$O.claw-blobs.M.>"],
            "discard": "new",
            "allow_rollup_hdrs": False,
            "allow_direct": True,
        },
    ]
