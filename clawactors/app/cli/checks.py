"""What `claw doctor` looks at, one function a check; each says what it found, and what to do where that is not well."""

import shutil
from collections.abc import AsyncIterator
from typing import Any, Final, Literal

import msgspec

from clawactors.app.cli.problem import Problem
from clawactors.app.cli.session import ask, ask_memory, ask_rows
from clawactors.app.client import Client
from clawactors.app.datafolder import RESERVE_BYTES
from clawactors.app.discovery import Found
from clawactors.eventlog import EventLogError, NoResponders, Unavailable
from clawactors.eventlog.jetstream import Connection, JetStreamLeases, lacking, syncs_always
from clawactors.eventlog.jetstream.wire.api import call
from clawactors.runtime.control.leadership import LEADER_KEY

__all__ = ["Check", "check_cluster", "check_disk", "check_server", "check_sync", "leader_of"]

type Verdict = Literal["ok", "warning", "unknown", "failed"]

_DEAD: Final = "CLAW_DEAD"


class Check(msgspec.Struct, frozen=True):
    """What one look found. Only `failed` is not ok: a warning is for a person to read, unknown can't be seen here."""

    name: str
    verdict: Verdict
    detail: str

    @property
    def row(self) -> dict[str, Any]:
        """As scripts read it."""
        return {"name": self.name, "ok": self.verdict != "failed", "detail": self.detail, "verdict": self.verdict}


async def check_server(found: Found) -> AsyncIterator[Check]:
    """Whether it answers, and is new enough."""
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
        return Check("sync", "unknown", f"the server does not tell: {error}")
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
    """Whether the data folder has room."""
    if not found.data.is_dir():
        return Check("disk", "unknown", f"there is no data folder {found.data} on this machine")
    free = shutil.disk_usage(found.data).free
    detail = f"{free / 1e9:.1f} GB free for {found.data}"
    if free <= RESERVE_BYTES:
        return Check("disk", "failed", f"{detail}, appends are refused: free some space")
    return Check("disk", "warning" if free <= 4 * RESERVE_BYTES else "ok", detail)


async def check_cluster(client: Client) -> AsyncIterator[Check]:
    """Streams, control process, views, nodes, and what lies about."""
    yield Check("streams", "ok", "there and configured as needed")
    leader = await leader_of(client)
    if leader is None:
        yield Check("leader", "failed", "no control process leads, so nothing is placed: claw up starts one")
    else:
        yield Check("leader", "ok", leader)
    try:
        async for check in _check_views(client):
            yield check
    except NoResponders:
        yield Check("views", "failed", "no control process answers: claw up starts one")
    except (Unavailable, Problem) as error:
        yield Check("views", "failed", str(error))
    async for check in _check_memory(client):
        yield check
    yield await _check_dead_letters(client)


async def leader_of(client: Client) -> str | None:
    """The control process that appends, None where none does."""
    value = await JetStreamLeases(client.connection).get(LEADER_KEY)
    return None if value is None else value.decode(errors="replace")


async def _check_views(client: Client) -> AsyncIterator[Check]:
    head = await client.log.head()
    behind = head.last_seq - (await ask(client, "status"))["position"]
    status = await ask(client, "status", fresh=True)
    yield Check("views", "ok", f"hold all {head.last_seq} commits; were {max(0, behind)} behind when asked")
    faults = await ask(client, "faults")
    yield _of_faults(faults["faults"])
    if status["needs_upgrade"]:
        first = faults["frozen"][0]
        text = (
            f"{status['needs_upgrade']} need a newer release, such as {first['kind']} {first['id']}: {first['reason']}"
        )
        yield Check("upgrade", "failed", f"{text}; install it")
    yield _of_nodes((await ask_rows(client, "nodes"))[0])
    yield _of_tasks(status["tasks"])


def _of_faults(faults: list[dict[str, Any]]) -> Check:
    if not faults:
        return Check("faults", "ok", "none")
    parts = (
        f"{each['count']} {each['fault']} ({each['kind'] or 'unknown'}), last {each['last_seq']}: {each['reason']}"
        for each in faults
    )
    return Check("faults", "warning", "; ".join(parts))


def _of_nodes(rows: list[dict[str, Any]]) -> Check:
    alive = [row["id"] for row in rows if row["status"] in ("online", "busy")]
    away = [f"{row['id']} is {row['status']}" for row in rows if row["id"] not in alive]
    if not alive:
        return Check("nodes", "warning", "none takes work: claw join or claw up starts one")
    return Check("nodes", "warning" if away else "ok", "; ".join([f"{len(alive)} take work", *away]))


def _of_tasks(counts: dict[str, int]) -> Check:
    left = {status: n for status in ("dead", "blocked") if (n := counts.get(status, 0))}
    if not left:
        return Check("tasks", "ok", "none is dead or blocked")
    text = ", ".join(f"{n} {status}" for status, n in left.items())
    return Check("tasks", "warning", f"{text}: claw tasks --status dead,blocked lists them")


async def _check_memory(client: Client) -> AsyncIterator[Check]:
    """Tasks run without memory, and memory works without hnswlib: neither is a failure."""
    try:
        stats = await ask_memory(client, "stats")
    except (Unavailable, Problem) as error:
        yield Check("memory", "warning", f"it does not answer, nothing can be recalled: {error}")
        return
    yield Check("memory", "ok", f"{stats['items']} memories, {stats['in_index']} in the index")
    vector_index = stats["vector_index"]
    yield Check("vector index", "ok" if vector_index == "hnswlib" else "warning", vector_index)


async def _check_dead_letters(client: Client) -> Check:
    info = await call(client.connection, f"STREAM.INFO.{_DEAD}")
    count = info["state"]["messages"]
    return Check("dead letters", "warning" if count else "ok", f"{count} in the stream {_DEAD}" if count else "none")
