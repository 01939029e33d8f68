"""The checks of `claw doctor`, one function each; a check says what it found and, if it failed, what to do."""

import shutil
from collections.abc import AsyncIterator
from typing import Final

import msgspec

from clawactors.app.client import Client
from clawactors.app.datafolder import RESERVE_BYTES
from clawactors.app.discovery import Found
from clawactors.eventlog import EventLogError
from clawactors.eventlog.jetstream import Connection, lacking, syncs_always
from clawactors.eventlog.jetstream.wire.api import call
from clawactors.runtime.client.checks import Check

__all__ = ["check_cluster", "check_disk", "check_middleware", "check_server", "check_sync"]

_DEAD: Final = "CLAW_DEAD"


class _Middleware(msgspec.Struct):
    chain: tuple[str, ...]


async def check_server(found: Found) -> AsyncIterator[Check]:
    """Checks that the server answers and is new enough."""
    try:
        connection = await Connection.open(found.address, "claw-doctor")
    except EventLogError as error:
        yield Check("server", "failed", f"{error}; it is {found.why}")
        return
    try:
        version = ".".join(map(str, connection.version))
        yield Check("server", "ok", f"nats-server {version} at {found.shown}: {found.why}")
        found_lacking = await lacking(connection)
        yield Check("requirements", "failed" if found_lacking else "ok", "; ".join(found_lacking) or "all met")
    except EventLogError as error:
        yield Check("requirements", "failed", str(error))
    finally:
        await connection.aclose()


async def check_sync(found: Found) -> Check:
    """Whether acknowledged means synced: only a user of the system account may ask, so only of a server of our own."""
    address = found.run.sys_url if found.run is not None and found.is_own else ""
    try:
        system = await Connection.open(address, "claw-doctor") if address else None
    except EventLogError as error:
        return Check("sync", "unknown", f"the server does not say: {error}")
    try:
        always = await syncs_always(system)
    finally:
        if system is not None:
            await system.aclose()
    match always:
        case True:
            return Check("sync", "ok", "sync_interval: always")
        case False:
            return Check(
                "sync", "failed", "a power cut loses minutes: set sync_interval: always in the jetstream block"
            )
        case None:
            return Check("sync", "unknown", "can't be seen from here: the server must run with sync_interval: always")


def check_disk(found: Found) -> Check:
    """Checks the free space of the data folder."""
    if not found.data.is_dir():
        return Check("disk", "unknown", f"there is no data folder {found.data} on this machine")
    free = shutil.disk_usage(found.data).free
    detail = f"{free / 1e9:.1f} GB free for {found.data}"
    if free <= RESERVE_BYTES:
        return Check("disk", "failed", f"{detail}, appends are refused: free some space")
    return Check("disk", "warning" if free <= 4 * RESERVE_BYTES else "ok", detail)


async def check_cluster(client: Client) -> AsyncIterator[Check]:
    """Streams, control process, views, nodes, tasks, memory, and what could not be read."""
    yield Check("streams", "ok", "present and configured as needed")
    async for check in client.checks(client.memories.ask):
        yield check
    yield await _check_dead_letters(client)


async def check_middleware(client: Client) -> Check:
    """The middleware that a command passes in control before it is appended, in order."""
    try:
        answer = await client.views.answer(_Middleware, "middleware")
    except EventLogError as error:
        return Check("middleware", "unknown", str(error))
    return Check("middleware", "ok", " -> ".join(answer.chain))


async def _check_dead_letters(client: Client) -> Check:
    info = await call(client.connection, f"STREAM.INFO.{_DEAD}")
    count = info["state"]["messages"]
    return Check("dead letters", "warning" if count else "ok", f"{count} in the stream {_DEAD}" if count else "none")
