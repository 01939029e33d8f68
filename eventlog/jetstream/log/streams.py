"""The six stores of the log as data, and the one place that creates or checks them."""

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from typing import Any, Final

from clawactors.eventlog.errors import Misconfigured, NoSuchLog, Unavailable
from clawactors.eventlog.jetstream.log.inspection import lacking
from clawactors.eventlog.jetstream.wire.api import Refusal, call
from clawactors.eventlog.jetstream.wire.connection import Connection

__all__ = ["EVENTS", "KINDS", "LIVE", "SCHEMA", "check", "ensure", "ensure_store", "stores"]

EVENTS: Final = "CLAW_EVENTS"
LIVE: Final = "KV_claw-live"
KINDS: Final = ("task", "node", "chat", "memory", "schedule")
SCHEMA: Final = 1

_SECOND_NS: Final = 1_000_000_000
_DAY_NS: Final = 86_400 * _SECOND_NS
_NOT_FOUND: Final = 10059
_ALREADY_THERE: Final = 10058
_NO_ROOM: Final = 10047
_NO_PEERS: Final = 10005
_PEERS_S: Final = 10.0
_PEERS_AGAIN_S: Final = 0.2
_LEAST_RESERVED_BYTES: Final = 1 << 20

type Store = dict[str, Any]


def stores(kinds: Sequence[str] = KINDS, replicas: int = 1) -> list[Store]:
    """The configuration of every store, as `$JS.API.STREAM.CREATE` takes it."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        release = version("clawactors")
    except PackageNotFoundError:
        release = "0"
    common = {
        "num_replicas": replicas,
        "metadata": {"claw.schema": str(SCHEMA), "claw.version": release},
    }
    file = common | {"storage": "file"}
    # What may be lost with the machine need not wait for its disk; a replicated stream does not know this mode.
    unsynced = {"persist_mode": "async"} if replicas == 1 else {}
    return [
        file
        | {
            "name": EVENTS,
            "subjects": [f"claw.{kind}.>" for kind in kinds],
            "allow_atomic": True,
            "allow_direct": True,
            "deny_delete": True,
        },
        file | {"name": "CLAW_COMMANDS", "subjects": ["claw.cmd.>"], "retention": "workqueue", "allow_direct": True},
        file
        | {
            "name": "CLAW_TIMERS",
            "subjects": ["claw.timer.>", "claw.fired.>"],
            "allow_msg_schedules": True,
            "allow_msg_ttl": True,
            "allow_rollup_hdrs": True,
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
            "max_msg_size": 16 << 10,  # what others put there must not take the memory that leases need
            "max_age": 600 * _SECOND_NS,
            "discard": "new",
            "allow_rollup_hdrs": True,
            "allow_direct": True,
            "deny_delete": True,
            "allow_msg_ttl": True,
            "subject_delete_marker_ttl": _SECOND_NS,
        },
        file
        | {
            "name": "OBJ_claw-blobs",
            "subjects": ["$O.claw-blobs.C.>", "$O.claw-blobs.M.>"],
            "discard": "new",
            "allow_rollup_hdrs": True,
            "allow_direct": True,
        },
    ]


async def ensure(connection: Connection, kinds: Sequence[str] = KINDS, replicas: int | None = None) -> dict[str, Any]:
    """Creates what is missing, checks what is there; returns the server's description of the events stream.

    Raises: `Misconfigured` (what lacks, or a newer schema), `Unavailable`, `PermissionDenied`. Order: idempotent.
    """
    await _refuse_unfit(connection)
    wanted = stores(kinds, replicas or _replicas(connection))
    described = await _all(_ensure_one(connection, store) for store in wanted)
    return described[0]


async def check(connection: Connection, kinds: Sequence[str] = KINDS) -> dict[str, Any]:
    """Checks what is there, changes nothing; returns the server's description of the events stream.

    Raises: `NoSuchLog` where there is none, else as `ensure`.
    """
    await _refuse_unfit(connection)
    events, *_ = await _all(_find(connection, store) for store in stores(kinds, _replicas(connection)))
    if events is None:
        raise NoSuchLog(f"this account of the server has no stream {EVENTS}")
    return events


async def _refuse_unfit(connection: Connection) -> None:
    found = await lacking(connection)
    if found:
        raise Misconfigured(found[0])


async def _all[T](looks: Iterable[Awaitable[T]]) -> list[T]:
    """Their results, once all have ended; the first error where there was one."""
    described = []
    for info in await asyncio.gather(*looks, return_exceptions=True):
        if isinstance(info, BaseException):
            raise info
        described.append(info)
    return described


def _replicas(connection: Connection) -> int:
    """Three on a cluster, else one."""
    return 3 if connection.is_clustered else 1


async def ensure_store(connection: Connection, name: str) -> None:
    """Creates one store again: those in memory vanish with a server that restarts."""
    replicas = _replicas(connection)
    await _ensure_one(connection, next(store for store in stores(replicas=replicas) if store["name"] == name))


async def _ensure_one(connection: Connection, store: Store) -> dict[str, Any]:
    name = store["name"]
    if (info := await _find(connection, store)) is None:
        try:
            return await _create(connection, store)
        except Refusal as refusal:
            if refusal.err_code == _NO_ROOM and store.get("max_bytes", 0) > _LEAST_RESERVED_BYTES:
                # The server sets aside what a store may grow to: on a small disk it may grow to less.
                return await _ensure_one(connection, store | {"max_bytes": store["max_bytes"] // 2})
            if refusal.err_code != _ALREADY_THERE or (info := await _find(connection, store)) is None:
                raise Misconfigured(f"the stream {name} can't be created: {refusal.description}") from None
    return await _with_subjects(connection, store, info)


async def _create(connection: Connection, store: Store) -> dict[str, Any]:
    """The server's description of the new store; waits for servers of a cluster that is just coming up."""
    clock = asyncio.get_running_loop().time
    deadline_s = clock() + _PEERS_S
    while True:
        try:
            created: dict[str, Any] = await call(connection, f"STREAM.CREATE.{store['name']}", store, timeout_s=15)
            return created
        except Refusal as refusal:
            if refusal.err_code != _NO_PEERS or "offline" not in refusal.description:
                raise
            if clock() > deadline_s:
                raise Unavailable(f"the stream {store['name']} can't be created: {refusal.description}") from None
        await asyncio.sleep(_PEERS_AGAIN_S)


async def _find(connection: Connection, store: Store) -> dict[str, Any] | None:
    """The server's description of a store that will do, None where there is none. Raises: `Misconfigured`."""
    try:
        info: dict[str, Any] = await call(connection, f"STREAM.INFO.{store['name']}")
    except Refusal as refusal:
        if refusal.err_code != _NOT_FOUND:
            raise
        return None
    have, name = info["config"], store["name"]
    schema = have.get("metadata", {}).get("claw.schema", str(SCHEMA))
    if not schema.isdecimal() or int(schema) > SCHEMA:
        raise Misconfigured(f"the stream {name} has schema {schema}, this release knows {SCHEMA}: upgrade first")
    for key, value in store.items():
        if key in ("name", "metadata", "num_replicas", "subjects", "max_age", "max_bytes", "duplicate_window"):
            continue
        if have.get(key, False) != value:
            raise Misconfigured(f"the stream {name} has {key} = {have.get(key)!r} where {value!r} is needed")
    return info


async def _with_subjects(connection: Connection, store: Store, info: dict[str, Any]) -> dict[str, Any]:
    """Adds the subjects of new kinds; anything else that differs is for a person to decide."""
    have = info["config"]
    missing = [subject for subject in store["subjects"] if subject not in have["subjects"]]
    if not missing:
        return info
    updated: dict[str, Any] = await call(
        connection, f"STREAM.UPDATE.{store['name']}", have | {"subjects": have["subjects"] + missing}, timeout_s=15
    )
    return updated
