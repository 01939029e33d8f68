"""Retries dead tasks, rate-limited.

1. A task is retried only if it has not changed since it was listed.
   So to redrive twice, or from two places at once, is to redrive once.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from clawactors.kernel.errors import Refused
from clawactors.kernel.fold import Snapshot
from clawactors.systems.tasks import Task
from clawactors.systems.tasks.submission import checked_id

if TYPE_CHECKING:
    from clawactors.runtime.client.changing import TaskChanges
    from clawactors.runtime.client.client import ClusterClient

__all__ = ["RedriveReport", "redrive", "retry_dead"]

_PAGE: Final = 1000
_AT_ONCE: Final = 32


class RedriveReport(msgspec.Struct, frozen=True):
    """The outcome for one task: its new state, or why it was skipped."""

    id: str
    task: Snapshot[Task] | None = None
    left: str = ""


class _TasksAnswer(msgspec.Struct):
    rows: list[dict[str, Any]] = []
    cursor: str | None = None
    error: dict[str, Any] | None = None


async def redrive(
    client: "ClusterClient",
    ids: Sequence[str],
    *,
    skill: str,
    error: str,
    limit: int | None,
    rate_per_s: float | None,
    progress: Callable[[int, int], None],
) -> list[RedriveReport]:
    """See `ClusterClient.redrive`."""
    if rate_per_s is not None and not rate_per_s > 0:
        raise Refused(f"the rate must be more than 0/s, not {rate_per_s:g}")
    wanted: list[tuple[str, int | None]]
    if ids:
        wanted = [(checked_id(id), None) for id in dict.fromkeys(ids)]
        for id in ids:
            await client.snapshot(id, brief=True)
    else:
        wanted = [each async for each in _dead(client, skill, error)]
    wanted = wanted[:limit]
    await client.now_ns()  # from here on the time of the log is known well enough
    loop, done = asyncio.get_running_loop(), 0
    began_s, slots = loop.time(), asyncio.Semaphore(_AT_ONCE)

    async def one(place: int, id: str, version: int | None) -> RedriveReport:
        nonlocal done
        if rate_per_s is not None:
            await asyncio.sleep(began_s + place / rate_per_s - loop.time())
        async with slots:
            outcome = await _retry(client, id, version)
        done += 1
        progress(done, len(wanted))
        return outcome

    progress(0, len(wanted))
    async with asyncio.TaskGroup() as group:
        works = [group.create_task(one(place, *each)) for place, each in enumerate(wanted)]
    return [work.result() for work in works]


async def _dead(client: "ClusterClient", skill: str, error: str) -> AsyncIterator[tuple[str, int | None]]:
    """`(id, version)` of every dead task of that skill and error class."""
    cursor = ""
    while True:
        question = {"status": ["dead"], "skill": skill, "limit": _PAGE, "cursor": cursor, "fresh": not cursor}
        answer = msgspec.json.decode(await client.ask("tasks", question), type=_TasksAnswer)
        if answer.error is not None:
            raise Refused(answer.error["message"])
        for row in answer.rows:
            if not error or (row["error"] or {}).get("class") == error:
                yield row["id"], row["version"]
        if not answer.cursor:
            return
        cursor = answer.cursor


async def _retry(client: "ClusterClient", id: str, version: int | None) -> RedriveReport:
    try:
        return RedriveReport(id, await retry_dead(client, id, version))
    except Refused as refusal:
        return RedriveReport(id, left=str(refusal))


async def retry_dead(client: "TaskChanges", id: str, version: int | None = None) -> Snapshot[Task]:
    """Retries a dead task; one that was listed, only as long as it has that `version`. Raises: `Refused`."""
    known = await client.snapshot(id, brief=True)
    status = known.state.life.status
    if status != "dead":
        raise Refused(f"the task is {status}, not dead")
    if version not in (None, known.version):
        raise Refused(f"it has moved on: it is {status}")
    return await client.retry(id)
