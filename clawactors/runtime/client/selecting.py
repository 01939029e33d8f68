"""One change of all tasks that are named or that a filter selects."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import msgspec

from clawactors.kernel.errors import InvalidQuery
from clawactors.kernel.fold import Snapshot
from clawactors.runtime.client.listing import TaskFilters
from clawactors.runtime.client.redriving import retry_dead
from clawactors.runtime.client.rows import TaskRow
from clawactors.systems.tasks import Task

if TYPE_CHECKING:
    from clawactors.runtime.client.bulk import BulkChanges

__all__ = ["CHANGEABLE", "ChangeName", "ChangeOptions", "ChangeSummary", "ChangedTask", "change_tasks"]

type ChangeName = Literal["cancel", "pause", "resume", "retry", "delete", "redrive"]

_OPEN: Final = ("pending", "waiting", "scheduled", "running", "blocked")
CHANGEABLE: Final[dict[str, Sequence[str]]] = {
    "cancel": (*_OPEN, "paused"),
    "pause": _OPEN,
    "resume": ("paused",),
    "retry": ("failed", "dead", "cancelled", "blocked"),
    "delete": ("completed", "failed", "dead", "cancelled"),
    "redrive": ("dead",),
}
"""The states that a filter selects where none are given."""
LIMIT_MAX: Final = 10_000


class ChangeOptions(msgspec.Struct, frozen=True):
    """See `BulkChanges.change_tasks`."""

    change: str
    limit: int
    dry_run: bool
    undo: bool
    now: bool
    deadline_ns: int | None
    rate_per_s: float | None


class ChangedTask(msgspec.Struct, frozen=True):
    """A task after the change, with the status that it has then; or why it was left as it is."""

    id: str
    status: str | None
    refusal: str | None = None


class ChangeSummary(msgspec.Struct, frozen=True, kw_only=True):
    """How many tasks were found and how many of them changed; `more`: the limit has left some out."""

    change: str
    dry_run: bool
    found: int
    changed: int
    more: bool
    rows: tuple[ChangedTask, ...]


async def change_tasks(
    client: "BulkChanges", options: ChangeOptions, ids: Sequence[str], wanted: TaskFilters
) -> ChangeSummary:
    """See `BulkChanges.change_tasks`."""
    if options.change not in CHANGEABLE:
        raise InvalidQuery(f"{options.change!r} is none of {', '.join(get_args(ChangeName.__value__))}")
    if not 0 < options.limit <= LIMIT_MAX:
        raise InvalidQuery(f"the limit is {options.limit}; it must be from 1 to {LIMIT_MAX}")
    if options.rate_per_s is not None and not options.rate_per_s > 0:
        raise InvalidQuery(f"the rate is {options.rate_per_s:g}/s; it must be more than 0")
    chosen = any(value not in ("", None, (), [], False) for value in wanted.values())
    if bool(ids) is chosen:
        raise InvalidQuery("which tasks? give ids or a filter, and not both")
    rows, more = await (_named(client, ids, options.limit) if ids else _selected(client, options, wanted))
    if options.dry_run:
        listed = tuple(ChangedTask(id, row.status if row else None) for id, row in rows.items())
        return ChangeSummary(change=options.change, dry_run=True, found=len(rows), changed=0, more=more, rows=listed)
    reports = await client.change_many(list(rows), _paced(_change_of(client, options, rows), options.rate_per_s))
    done = tuple(
        ChangedTask(each.id, each.row.status) if each.row else ChangedTask(each.id, None, each.refusal)
        for each in reports
    )
    changed = sum(each.refusal is None for each in done)
    return ChangeSummary(change=options.change, dry_run=False, found=len(rows), changed=changed, more=more, rows=done)


type _Change = Callable[[str], Awaitable[Snapshot[Task]]]


def _change_of(client: "BulkChanges", options: ChangeOptions, rows: dict[str, TaskRow | None]) -> _Change:
    async def redrive(id: str) -> Snapshot[Task]:
        row = rows[id]
        return await retry_dead(client, id, row.version if row else None)

    changes: dict[str, _Change] = {
        "cancel": lambda each: client.cancel(each, undo=options.undo, now=options.now),
        "pause": client.pause,
        "resume": client.resume,
        "retry": lambda each: client.retry(each, deadline_ns=options.deadline_ns),
        "delete": client.delete,
        "redrive": redrive,
    }
    return changes[options.change]


def _paced(change: _Change, rate_per_s: float | None) -> _Change:
    """The change, begun at most so often a second."""
    if rate_per_s is None:
        return change
    loop, number = asyncio.get_running_loop(), 0
    began_s = loop.time()

    async def paced(id: str) -> Snapshot[Task]:
        nonlocal number
        number += 1
        await asyncio.sleep(began_s + (number - 1) / rate_per_s - loop.time())
        return await change(id)

    return paced


async def _named(client: "BulkChanges", ids: Sequence[str], limit: int) -> tuple[dict[str, Any], bool]:
    named = dict.fromkeys(ids)
    return dict.fromkeys(list(named)[:limit]), len(named) > limit


async def _selected(client: "BulkChanges", options: ChangeOptions, wanted: TaskFilters) -> tuple[dict[str, Any], bool]:
    """The rows by id, and whether there are more of them than the limit."""
    if not wanted.get("status"):
        wanted = {**wanted, "status": CHANGEABLE[options.change]}
    rows: dict[str, Any] = {}
    async for row in client.each_task(**wanted):
        if len(rows) == options.limit:
            return rows, True
        rows[row.id] = row
    return rows, False
