"""Creates, checks and upgrades the streams: the one place that changes their configuration."""

import asyncio
import logging
from collections.abc import Awaitable, Iterable, Sequence
from typing import Any, Final

from clawactors.eventlog.errors import Misconfigured, NoSuchLog, Unavailable
from clawactors.eventlog.jetstream.log.inspection import lacking
from clawactors.eventlog.jetstream.log.replicas import replicas_of, replicated, update
from clawactors.eventlog.jetstream.log.room import is_full
from clawactors.eventlog.jetstream.log.streams import EVENTS, SCHEMA, Store, events, stores_beside
from clawactors.eventlog.jetstream.log.survey import StreamFault, differing, faults_of, is_ours
from clawactors.eventlog.jetstream.wire.api import Refusal, call
from clawactors.eventlog.jetstream.wire.codes import NAME_IN_USE, NO_PEERS, NO_ROOM, NO_STREAM
from clawactors.eventlog.jetstream.wire.connection import Connection

__all__ = ["RESTORING", "check", "check_log", "ensure", "ensure_store"]

RESTORING: Final = "claw.restoring"
"""The metadata of a stream of which a restore has not ended; the value names the backup."""

_PEERS_S: Final = 10.0
_PEERS_AGAIN_S: Final = 0.2
_LEAST_RESERVED_BYTES: Final = 1 << 20
_OF_ACCOUNT: Final = ": raise max_streams, max_file or max_mem of this account, or of the server, in its configuration"
_CHOSEN: Final = ("max_age", "max_bytes", "duplicate_window")
"""Beside the log a person may have chosen these."""
_GONE_SINCE_1: Final = ("republish", "subject_delete_marker_ttl")


_log = logging.getLogger(__name__)


async def ensure(connection: Connection, kinds: Sequence[str], replicas: int | None = None) -> dict[str, Any]:
    """Creates what is missing, checks what is there; returns the server's description of the events stream.

    Raises: `Misconfigured` (something is missing, or the schema is newer), `Unavailable`, `PermissionDenied`.
    Order: idempotent.
    """
    await _refuse_unfit(connection)
    wanted = _stores(connection, kinds, replicas)
    described = await _all(_ensure_one(connection, store) for store in wanted)
    return described[0]


async def check(connection: Connection) -> dict[str, Any]:
    """Checks the streams and changes nothing; returns the server's description of the events stream.

    Raises: `NoSuchLog` if there is none, else as `ensure`.
    """
    await _refuse_unfit(connection)
    events, *_ = await _all(_find(connection, store) for store in _stores(connection, ()))
    if events is None:
        raise NoSuchLog(f"this account of the server has no stream {EVENTS}")
    return events


async def check_log(connection: Connection) -> dict[str, Any]:
    """As `check`, of the log alone."""
    await _refuse_unfit(connection)
    if (info := await _find(connection, events(()))) is None:
        raise NoSuchLog(f"this account of the server has no stream {EVENTS}")
    return info


async def survey(connection: Connection, kinds: Sequence[str]) -> list[StreamFault]:
    """Everything that is wrong with the streams. Raises: `Unavailable`, `PermissionDenied`."""
    faults: list[StreamFault] = []
    for store in _stores(connection, kinds):
        info = await _info(connection, store["name"])
        faults += faults_of(store, None if info is None else info["config"])
    return faults


async def _refuse_unfit(connection: Connection) -> None:
    found = await lacking(connection)
    if found:
        raise Misconfigured(found[0])


async def _all[T](looks: Iterable[Awaitable[T]]) -> list[T]:
    """All results, once all have ended. Raises the first error."""
    described = []
    for info in await asyncio.gather(*looks, return_exceptions=True):
        if isinstance(info, BaseException):
            raise info
        described.append(info)
    return described


def _stores(connection: Connection, kinds: Sequence[str], replicas: int | None = None) -> list[Store]:
    count = replicas or replicas_of(connection)
    return [events(kinds, count), *stores_beside(count)]


async def ensure_store(connection: Connection, name: str) -> None:
    """Creates one store beside the log again: a store in memory is lost when its server restarts."""
    stores = stores_beside(replicas_of(connection))
    await _ensure_one(connection, next(store for store in stores if store["name"] == name))


async def _ensure_one(connection: Connection, store: Store) -> dict[str, Any]:
    name = store["name"]
    if (info := await _info(connection, name)) is None:
        try:
            return await _create(connection, store)
        except Refusal as refusal:
            if refusal.err_code == NO_ROOM and store.get("max_bytes", 0) > _LEAST_RESERVED_BYTES:
                # The server reserves the full size of a store: on a small disk the size must be smaller.
                return await _ensure_one(connection, store | {"max_bytes": store["max_bytes"] // 2})
            if refusal.err_code != NAME_IN_USE or (info := await _info(connection, name)) is None:
                hint = _OF_ACCOUNT if is_full(refusal) or "maximum" in refusal.description else ""
                raise Misconfigured(f"the stream {name} can't be created: {refusal.description}{hint}") from None
    return await _brought_up(connection, store, info)


async def _create(connection: Connection, store: Store) -> dict[str, Any]:
    """The server's description of the new store; waits for the servers of a cluster that is starting."""
    clock = asyncio.get_running_loop().time
    deadline_s = clock() + _PEERS_S
    while True:
        try:
            created: dict[str, Any] = await call(connection, f"STREAM.CREATE.{store['name']}", store, timeout_s=15)
            return created
        except Refusal as refusal:
            if refusal.err_code != NO_PEERS or "offline" not in refusal.description:
                raise
            if clock() > deadline_s:
                raise Unavailable(f"the stream {store['name']} can't be created: {refusal.description}") from None
        await asyncio.sleep(_PEERS_AGAIN_S)


async def _info(connection: Connection, name: str) -> dict[str, Any] | None:
    """The server's description of a stream, None if it does not exist."""
    try:
        info: dict[str, Any] = await call(connection, f"STREAM.INFO.{name}")
    except Refusal as refusal:
        if refusal.err_code != NO_STREAM:
            raise
        return None
    return info


async def _find(connection: Connection, store: Store) -> dict[str, Any] | None:
    """The server's description of a suitable store, None if it does not exist. Raises: `Misconfigured`."""
    info = await _info(connection, store["name"])
    if info is not None:
        if (schema := _schema(info["config"])) < SCHEMA:
            raise Misconfigured(
                f"the stream {store['name']} has schema {schema}, this release needs {SCHEMA}: `claw up` upgrades it"
            )
        _refuse_other(store, info["config"])
    return info


async def _brought_up(
    connection: Connection, store: Store, info: dict[str, Any], *, everything: bool = False
) -> dict[str, Any]:
    """Adds the subjects of new kinds, upgrades the schema, and sets back what would lose history or rights.

    Replicas are raised to what the servers allow, and never lowered.
    A person decides about a stream that no release of ours made, and about how much is stored beside the log.
    """
    have = info["config"]
    schema = _schema(have)
    missing = [subject for subject in store["subjects"] if subject not in have["subjects"]]
    wanted = have | {"subjects": have["subjects"] + missing}
    if schema < SCHEMA:
        wanted |= {"metadata": store["metadata"], "allow_rollup_hdrs": store.get("allow_rollup_hdrs", False)}
        for key in _GONE_SINCE_1:
            if key not in store:
                wanted.pop(key, None)
    changes = _changes(store, wanted, everything=everything) if is_ours(have) else {}
    wanted |= {key: needed for key, needed in changes.items() if key in store}
    _refuse_other(store, wanted)
    if wanted != have:
        info = await update(connection, wanted)
    for key in changes.keys() - store.keys():
        # One that the server does not take back is told by `survey`; it must not keep a cluster from starting.
        try:
            info = await update(connection, info["config"] | {key: changes[key]})
        except Misconfigured as error:
            _log.error("%s = %r stays: %s", key, have.get(key), error)
    return await replicated(connection, store, info) if is_ours(have) else info


def _changes(store: Store, config: Store, *, everything: bool) -> Store:
    """The settings of a stream that are to be changed, with what they become."""
    changes = {}
    for key, (is_now, needed) in differing(store, config).items():
        if everything or key not in _CHOSEN or store["name"] == EVENTS:
            _log.warning("the stream %s has %s = %r where %r is needed", store["name"], key, is_now, needed)
            changes[key] = needed
    return changes


async def repair(connection: Connection, kinds: Sequence[str]) -> list[str]:
    """Creates what is missing beside the log and sets back what differs; returns the names of changed streams.

    Raises: as `ensure`; `NoSuchLog` where the log itself is missing.
    """
    done = []
    for store in _stores(connection, kinds):
        name = store["name"]
        if (info := await _info(connection, name)) is not None:
            if await _brought_up(connection, store, info, everything=True) != info:
                done.append(f"{name} was changed")
        elif name == EVENTS:
            raise NoSuchLog(f"the stream {name} is missing, and the history with it: claw restore brings a backup back")
        else:
            await _ensure_one(connection, store)
            done.append(f"{name} was created")
    return done


def _schema(config: Store) -> int:
    """The schema of a stream, 1 if it names none.

    Raises: `Misconfigured` (the schema of a newer release, a mirror, or a restore that has not ended).
    """
    if config.get("mirror"):
        raise Misconfigured(
            f"the stream {config['name']} is a mirror of another cluster's: `claw up --take-over` goes on from it"
        )
    if RESTORING in config.get("metadata", {}):
        raise Misconfigured(
            f"the stream {config['name']} is being restored: wait for `claw restore`, or run it again if it was stopped"
        )
    schema = config.get("metadata", {}).get("claw.schema", "1")
    if not schema.isdecimal() or int(schema) > SCHEMA:
        raise Misconfigured(
            f"the stream {config['name']} has schema {schema}, this release knows {SCHEMA}: upgrade first"
        )
    return int(schema)


def _refuse_other(store: Store, config: Store) -> None:
    for key, value in store.items():
        if key in ("name", "metadata", "num_replicas", "subjects", *_CHOSEN):
            continue
        if config.get(key, False) != value:
            raise Misconfigured(f"the stream {store['name']} has {key} = {config.get(key)!r} where {value!r} is needed")
