"""What can be checked of a cluster through its views: each check says what it found, and what to do if it failed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from clawactors.eventlog import NoResponders, Unavailable
from clawactors.kernel.errors import Refused
from clawactors.kernel.time import iso
from clawactors.runtime.asking import LogReply
from clawactors.runtime.client.backuprows import verdict_on
from clawactors.runtime.client.rows import NodeRow
from clawactors.runtime.logtime import MOMENT_NS, off_by
from clawactors.runtime.questions import read_log_end

if TYPE_CHECKING:
    from clawactors.runtime.client.reader import ClusterReader

__all__ = ["LOST", "Check", "check_cluster"]

type Verdict = Literal["ok", "warning", "unknown", "failed"]

_ROWS_S: Final = 60.0
_RESTART_S: Final = 20.0
_AGAIN_S: Final = 0.2
_SHOWN: Final = 5
_RECENT_NS: Final = 7 * 86_400 * 1_000_000_000

LOST: Final = (
    "history may have been lost or written by somebody else; claw task ID --history shows the task, and "
    "claw doctor --accept says that you know"
)
"""Of commits that do not follow from those before them."""

_NO_CONTROL: Final = "no control process answers: claw up starts one"
_NO_LEADER: Final = "no control process leads, so no task is placed: claw up starts one"


class Check(msgspec.Struct, frozen=True):
    """What one check found. Only `failed` is not ok: a warning is for a person to read, unknown can't be seen here."""

    name: str
    verdict: Verdict
    detail: str

    @property
    def ok(self) -> bool:
        """False for a check that failed."""
        return self.verdict != "failed"

    @property
    def row(self) -> dict[str, Any]:
        """As `claw doctor --json` prints it."""
        return {"name": self.name, "ok": self.ok, "detail": self.detail, "verdict": self.verdict}


class _FaultCount(msgspec.Struct):
    kind: str
    fault: str
    count: int
    last_seq: int
    reason: str


class _FrozenRow(msgspec.Struct):
    kind: str
    id: str
    reason: str


class _Healed(msgspec.Struct):
    at_ns: int
    reason: str
    folder: str


class _Health(msgspec.Struct):
    damage: str
    healed: _Healed | None
    rows: int
    checking: bool


class _Missing(msgspec.Struct):
    records: int
    ranges: list[tuple[int, int]]
    trouble: str = ""


class _Faults(msgspec.Struct):
    faults: list[_FaultCount]
    frozen: list[_FrozenRow]


async def check_cluster(
    reader: "ClusterReader", memory: Callable[..., Awaitable[dict[str, Any]]], accepted: int = 0
) -> AsyncIterator[Check]:
    """Leader, views, faults, nodes, tasks, memory. Faults up to the log position `accepted` are known to a person."""
    try:
        asked_ns = reader.process.time.asking()
        end = await read_log_end(reader.questions, absent_s=0)
    except NoResponders:
        yield Check("leader", "failed", _NO_CONTROL)
        yield Check("views", "failed", _NO_CONTROL)
    else:
        yield Check("leader", "ok", end.leader) if end.leader else Check("leader", "failed", _NO_LEADER)
        reader.process.time.follow(end.at_ns, asked_ns)
        yield _of_clocks(end, reader.process.time.own_ahead_ns)
        try:
            async for check in _check_views(reader, accepted):
                yield check
        except (Unavailable, Refused) as error:
            yield Check("views", "failed", str(error))
    async for check in _check_memory(memory, reader.process.time.now_ns()):
        yield check


def _of_clocks(end: LogReply, here_ns: int) -> Check:
    """The server's, control's and the one here, by how far they are ahead of the time of the log."""
    clocks = ("the server", end.server_ahead_ns), ("control", end.own_ahead_ns), ("this machine", here_ns)
    off = [f"that of {of} is {off_by(ns)}" for of, ns in clocks if abs(ns) > MOMENT_NS]
    detail = f"{', '.join(off)} of the time of the log, by which timers go: set it right"
    return Check("clocks", "warning" if off else "ok", detail if off else "the server, control and this machine agree")


async def _check_views(reader: "ClusterReader", accepted: int) -> AsyncIterator[Check]:
    behind = (await reader.status()).projection.lag
    status = await reader.status(fresh=True)
    yield Check("views", "ok", f"up to date with all {status.log.last_seq} commits; {behind} behind when asked")
    yield await _of_rows(
        "view rows", lambda: reader.views.answer(_Health, "health", check=True), reader.process.time.now_ns()
    )
    found = await reader.views.answer(_Faults, "faults")
    yield _of_faults(found.faults, accepted)
    if status.needs_upgrade and found.frozen:
        first = found.frozen[0]
        text = f"{status.needs_upgrade} need a newer release, such as {first.kind} {first.id}: {first.reason}"
        yield Check("upgrade", "failed", f"{text}; install it")
    yield _of_nodes(await reader.nodes(fresh=False))
    yield _of_tasks(status.tasks)
    yield _of_losses(await reader.views.answer(_Missing, "missing"))
    yield Check("backup", *verdict_on(status.backup, reader.process.time.now_ns()))


async def _of_rows(name: str, ask: Callable[[], Awaitable[_Health]], now_ns: int) -> Check:
    """Reads them all: what a disk has changed shows nowhere else before it is needed."""
    loop = asyncio.get_running_loop()
    end_s = loop.time() + _ROWS_S
    while True:
        found = await _answered(ask)
        if not (found.checking or found.damage) or loop.time() > end_s:
            break
        await asyncio.sleep(_AGAIN_S)  # it is being read, or made again
    if found.damage:
        return Check(name, "failed", f"damaged, and being made again from the log: {found.damage}")
    text = f"{found.rows} are sound" if not found.checking else f"still reading them after {_ROWS_S:g} s"
    if (healed := found.healed) is not None and now_ns - healed.at_ns < _RECENT_NS:
        made = f"made again at {iso(healed.at_ns)}, because {healed.reason}"
        return Check(name, "warning", f"{text}; {made}; the damaged files are in {healed.folder}")
    return Check(name, "ok", text)


async def _answered(ask: Callable[[], Awaitable[_Health]]) -> _Health:
    """The answer, also of a process that has died of what it read and is started again."""
    loop = asyncio.get_running_loop()
    end_s = loop.time() + _RESTART_S
    while True:
        try:
            return await ask()
        except Unavailable:
            if loop.time() > end_s:
                raise
        await asyncio.sleep(_AGAIN_S)


def _of_faults(faults: Sequence[_FaultCount], accepted: int) -> Check:
    """What nobody can read is somebody else's mistake; an illegal commit is ours, or what came before it was lost."""
    if not faults:
        return Check("faults", "ok", "none")
    parts = (
        f"{each.count} {each.fault} ({each.kind or 'unknown'}), last {each.last_seq}: {each.reason}" for each in faults
    )
    text = "; ".join(parts)
    if any(each.fault == "illegal" and each.last_seq > accepted for each in faults):
        return Check("faults", "failed", f"{text}: {LOST}")
    return Check("faults", "warning", text)


def _of_nodes(rows: Sequence[NodeRow]) -> Check:
    alive = [row.id for row in rows if row.status in ("online", "busy")]
    away = [f"{row.id} is {row.status}" for row in rows if row.id not in alive]
    if not alive:
        return Check("nodes", "warning", "no node takes work: claw join or claw up starts one")
    return Check("nodes", "warning" if away else "ok", "; ".join([f"{len(alive)} take work", *away]))


def _of_losses(missing: _Missing) -> Check:
    """Only archiving takes records away; anything else was done by somebody who had the rights."""
    if missing.trouble:
        return Check("history", "failed", f"it can't be seen whether anything is missing: {missing.trouble}")
    if not missing.records:
        return Check("history", "ok", "nothing is missing from the log")
    shown = ", ".join(f"{first}" if first == last else f"{first} to {last}" for first, last in missing.ranges[:_SHOWN])
    more = ", …" if len(missing.ranges) > _SHOWN else ""
    return Check(
        "history",
        "failed",
        f"{missing.records} records are missing from CLAW_EVENTS, sequences {shown}{more}: somebody purged or deleted "
        "them; restore a backup, and leave that right to control alone",
    )


def _of_tasks(counts: dict[str, int]) -> Check:
    left = {status: n for status in ("dead", "blocked") if (n := counts.get(status, 0))}
    if not left:
        return Check("tasks", "ok", "none is dead or blocked")
    text = ", ".join(f"{n} {status}" for status, n in left.items())
    return Check("tasks", "warning", f"{text}: claw tasks --status dead,blocked lists them")


async def _check_memory(memory: Callable[..., Awaitable[dict[str, Any]]], now_ns: int) -> AsyncIterator[Check]:
    """Tasks run without memory, and memory works without hnswlib: neither is a failure."""

    async def health() -> _Health:
        return msgspec.convert(await memory("memory.health", check=True), _Health)

    try:
        stats = await memory("memory.stats")
        rows = await _of_rows("memory rows", health, now_ns)
    except (Unavailable, Refused) as error:
        yield Check("memory", "warning", f"the memory process does not answer, so recall does not work: {error}")
        return
    yield Check("memory", "ok", f"{stats['items']} memories, {stats['in_index']} in the index")
    yield rows
    index = stats["vector_index"]
    yield Check("vector index", "warning" if "(" in index else "ok", index)
    if models := stats.get("models"):
        yield _of_models(models)


def _of_models(models: dict[str, Any]) -> Check:
    """Memory works without its models too: what they add is missing then."""
    text = f"searches use {models['served']}"
    if models["missing"]:
        text += f"; {models['missing']} vectors of {models['embedder']} are still to be computed"
    if trouble := models["trouble"]:
        return Check("memory models", "warning", f"{text}; {trouble}")
    return Check("memory models", "ok", text)
