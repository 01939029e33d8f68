"""Applies one change to many tasks, a few at a time; one refusal does not stop the others."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from itertools import batched
from typing import TYPE_CHECKING, Any, Final, Unpack, cast

import msgspec

from clawactors.kernel.errors import NotFound, Refused
from clawactors.kernel.fold import Snapshot
from clawactors.runtime.client.changing import TaskChanges
from clawactors.runtime.client.listing import TaskFilters
from clawactors.runtime.client.reader import ClusterReader
from clawactors.runtime.client.rows import TaskRow, task_row
from clawactors.runtime.client.waiting import several_ids
from clawactors.runtime.times import Moment
from clawactors.systems.tasks import Task

if TYPE_CHECKING:
    from clawactors.runtime.client.client import ClusterClient
    from clawactors.runtime.client.deadletters import ClientDeadLetters
    from clawactors.runtime.client.selecting import ChangeName, ChangeSummary

__all__ = ["BulkChanges", "ChangeReport"]

_AT_ONCE: Final = 32
_PAGE: Final = 1000
_ENDED: Final = ("completed", "failed", "dead", "cancelled")


class ChangeReport(msgspec.Struct, frozen=True):
    """The outcome for one task: its row after the change, or the refusal."""

    id: str
    row: TaskRow | None = None
    refusal: str = ""


class BulkChanges(ClusterReader, TaskChanges):
    """Changes many tasks, by id or by filter."""

    @property
    def dead_letters(self) -> "ClientDeadLetters":
        """What came to nothing and is kept for a person."""
        from clawactors.runtime.client.deadletters import ClientDeadLetters

        return ClientDeadLetters(cast("ClusterClient", self))

    async def change_many(
        self,
        ids: Iterable[str],
        change: Callable[[str], Awaitable[Snapshot[Task]]],
        *,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> list[ChangeReport]:
        """Changes each task, as in `claw.change_many(ids, claw.cancel)`; one refusal does not stop the others.

        `progress` is told how many of how many. Returns: a report for each, in the order of the ids.
        Raises: `Unavailable`; `Refused` for what is no list of ids.
        """
        wanted = several_ids(ids)
        slots, done = asyncio.Semaphore(_AT_ONCE), 0

        async def one(id: str) -> ChangeReport:
            nonlocal done
            async with slots:
                try:
                    report = ChangeReport(id, task_row(id, await change(id)))
                except (Refused, NotFound) as error:
                    report = ChangeReport(id, refusal=str(error))
            done += 1
            progress(done, len(wanted))
            return report

        progress(0, len(wanted))
        try:
            async with asyncio.TaskGroup() as group:
                changes = [group.create_task(one(id)) for id in wanted]
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None  # the others failed with it, or were cancelled over it
        return [each.result() for each in changes]

    async def delete_ended(self, *, until: Moment, status: Iterable[str] = _ENDED, **wanted: Any) -> int:
        """Deletes finished tasks submitted up to a time, with the filter of `tasks`; returns how many.

        Their histories stay readable. Raises: `InvalidQuery`, `Unavailable`.
        """
        deleted = 0
        ids = [row.id async for row in self.each_task(status=status, until=until, **wanted)]
        for some in batched(ids, _PAGE):
            deleted += sum(report.row is not None for report in await self.change_many(some, self.delete))
        return deleted

    async def change_tasks(
        self,
        change: "ChangeName",
        *,
        ids: Iterable[str] = (),
        limit: int = 1000,
        dry_run: bool = False,
        undo: bool = False,
        now: bool = False,
        deadline_ns: int | None = None,
        rate_per_s: float | None = None,
        **wanted: Unpack[TaskFilters],
    ) -> "ChangeSummary":
        """One change, by its name, of the tasks with these ids or by the filter of `tasks`: at most `limit` of them.

        Without `status`, a filter selects what is in a state that the change fits; `redrive` leaves a task alone that
        has moved on since it was listed. `undo` and `now` belong to `cancel`, `deadline_ns` to `retry`. `dry_run` only
        lists. Returns: what became of each. Raises: `InvalidQuery` (no such change, neither ids nor a filter),
        `Unavailable`.
        """
        from clawactors.runtime.client.selecting import ChangeOptions, change_tasks

        options = ChangeOptions(change, limit, dry_run, undo, now, deadline_ns, rate_per_s)
        return await change_tasks(self, options, several_ids(ids), wanted)
