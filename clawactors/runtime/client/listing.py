"""Reads tasks, nodes and skills from the views."""

from collections.abc import AsyncIterator, Iterable
from typing import Any, Final, TypedDict, Unpack

import msgspec

from clawactors.eventlog import is_id
from clawactors.kernel.errors import InvalidQuery
from clawactors.runtime.client.archivedrows import ArchivedRow
from clawactors.runtime.client.questions import ViewsReader
from clawactors.runtime.client.rows import ApprovalRow, NodeRow, Page, SkillRow, TaskRow, TaskTree
from clawactors.runtime.times import Moment, moment_ns

__all__ = ["Listing", "TaskFilters"]

_SEVERAL: Final = 6


class TaskFilters(TypedDict, total=False):
    """What tasks can be selected by, see `Listing.tasks`."""

    status: str | Iterable[str]
    node: str
    user: str
    skill: str
    tag: str
    parent: str
    error: str
    interrupted: bool
    text: str
    silent_s: float | None
    since: Moment | None
    until: Moment | None


class _Count(msgspec.Struct):
    count: int
    cursor: str | None


class _Ids(msgspec.Struct):
    ids: list[str]


def _statuses(status: object) -> tuple[object, ...]:
    if not isinstance(status, Iterable):
        raise InvalidQuery(f"status is one state or several, not {status!r}")
    return tuple(filter(None, (status,) if isinstance(status, str) else status))


class Listing(ViewsReader):
    """The lists of a cluster. All raise `InvalidQuery` and `Unavailable` (`NoResponders`: no control process runs)."""

    async def tasks(
        self,
        *,
        status: str | Iterable[str] = (),
        node: str = "",
        user: str = "",
        skill: str = "",
        tag: str = "",
        parent: str = "",
        error: str = "",
        interrupted: bool = False,
        text: str = "",
        silent_s: float | None = None,
        since: Moment | None = None,
        until: Moment | None = None,
        limit: int | None = 100,
        cursor: str = "",
        fresh: bool = False,
    ) -> Page[TaskRow]:
        """A page of the tasks that match, newest first; `limit` None lists all.

        `since` and `until` are times of submission; `parent` is a task whose children are wanted; `error` is a class of
        errors; `interrupted`: the last attempts were cut short; `silent_s`: running, and nothing has come from the task
        for so many seconds; `text`: words of the name or the last error, all of them, `conn*` for a beginning.
        `cursor` is that of the page before; `fresh` waits until the views hold all that is in the log now.
        Returns: the rows, and in `cursor` where the next page begins, None for the last one.
        Raises: `InvalidQuery`, `Unavailable`.
        """
        return await self.views.page(
            TaskRow,
            "tasks",
            limit,
            cursor,
            status=_statuses(status),
            node=node,
            user=user,
            skill=skill,
            tag=tag,
            parent=parent,
            error=error,
            interrupted=interrupted,
            text=text,
            silent_s=silent_s,
            since_ns=moment_ns(since),
            until_ns=moment_ns(until),
            fresh=fresh,
        )

    async def count(self, *, fresh: bool = False, most: int = 0, **wanted: Unpack[TaskFilters]) -> int:
        """How many tasks match the filter of `tasks`; those in the archive don't.

        By states and one of skill, user, node, tag and error it costs next to nothing; else 2 us a task on its lists,
        20 us with times or a text. With `most`, counting ends where it has taken long and found that many: then the
        answer is `most`. Raises: `InvalidQuery`, `Unavailable`.
        """
        question: dict[str, Any] = {name: value for name, value in wanted.items() if name not in ("since", "until")}
        question |= {"since_ns": moment_ns(wanted.get("since")), "until_ns": moment_ns(wanted.get("until"))}
        question["status"] = _statuses(wanted.get("status", ()))
        count, cursor = 0, ""
        while True:
            part = await self.views.answer(_Count, "count", cursor=cursor, fresh=fresh and not cursor, **question)
            count += part.count
            if part.cursor is None:
                return count
            if 0 < most <= count:
                return most
            cursor = part.cursor

    async def archived(
        self,
        *,
        ended: str | Iterable[str] = (),
        user: str = "",
        skill: str = "",
        since: Moment | None = None,
        until: Moment | None = None,
        limit: int | None = 100,
        cursor: str = "",
        fresh: bool = False,
    ) -> Page[ArchivedRow]:
        """A page of the tasks in the archive, newest first; `limit` None lists all.

        `ended` is how they had ended: `completed`, `failed`, `cancelled`, `dead` or `deleted`. The rest: see `tasks`.
        Raises: `InvalidQuery`, `Unavailable`.
        """
        return await self.views.page(
            ArchivedRow,
            "archived",
            limit,
            cursor,
            ended=_statuses(ended),
            user=user,
            skill=skill,
            since_ns=moment_ns(since),
            until_ns=moment_ns(until),
            fresh=fresh,
        )

    async def task_tree(self, id: str, *, limit: int = 1000, fresh: bool = True) -> TaskTree:
        """The task with its children and theirs, at most `limit` tasks. Raises: `NotFound`, `Unavailable`."""
        return await self.views.answer(TaskTree, "tree", id=id, limit=limit, fresh=fresh)

    async def approvals(self, *, by: str = "", limit: int = 1000, fresh: bool = True) -> list[ApprovalRow]:
        """What open tasks ask people for, the oldest task first; with `by`, what this user may answer.

        Raises: `InvalidQuery`, `Unavailable`.
        """
        return list((await self.views.answer(Page[ApprovalRow], "approvals", by=by, limit=limit, fresh=fresh)).rows)

    async def each_task(self, *, fresh: bool = True, **wanted: Unpack[TaskFilters]) -> AsyncIterator[TaskRow]:
        """Every task by the filter of `tasks`, newest first, with one page in memory.

        Raises: `InvalidQuery`, `Unavailable`.
        """
        cursor = ""
        while True:
            page = await self.tasks(limit=1000, cursor=cursor, fresh=fresh and not cursor, **wanted)
            for row in page:
                yield row
            if page.cursor is None:
                return
            cursor = page.cursor

    async def pending(self, *, limit: int | None = 100, cursor: str = "", fresh: bool = False) -> Page[TaskRow]:
        """A page of the pending tasks, the most urgent first, then the oldest; `queue` has them as they are placed.

        Raises: `InvalidQuery`, `Unavailable`.
        """
        return await self.views.page(TaskRow, "pending", limit, cursor, fresh=fresh)

    async def nodes(
        self,
        *,
        status: str = "",
        skill: str = "",
        available: bool = False,
        silent_s: float | None = None,
        fresh: bool = True,
    ) -> list[NodeRow]:
        """The nodes, by id, that have this status, this skill, or a free slot (`available`).

        With `silent_s`, only those that are said to live but were not heard for that many seconds.
        Raises: `InvalidQuery`, `Unavailable`.
        """
        page = await self.views.page(
            NodeRow, "nodes", status=status, skill=skill, available=available, silent_s=silent_s, fresh=fresh
        )
        return list(page)

    async def node(self, id: str, *, fresh: bool = True) -> NodeRow:
        """One node by its id. Raises: `NotFound`, `Unavailable`."""
        return await self.views.row(NodeRow, "node", id=id, fresh=fresh)

    async def skills_known(self, *, fresh: bool = True) -> list[SkillRow]:
        """The skills that nodes offer, by name. Raises: `Unavailable`."""
        return list(await self.views.page(SkillRow, "skills", fresh=fresh))

    async def ids(self, start: str, *, limit: int = 100, fresh: bool = False) -> list[str]:
        """The ids of tasks that begin with `start`, in their order. Raises: `InvalidQuery`, `Unavailable`."""
        return (await self.views.answer(_Ids, "ids", prefix=start, limit=limit, fresh=fresh)).ids

    async def resolve(self, start: str) -> str | None:
        """The id of the only task whose id starts with `start`, with or without the `t-` of generated ids; else None.

        Raises: `Unavailable`; `InvalidQuery` when several ids begin so; it lists up to five of them.
        """
        if not is_id(start):
            return None
        answers = [await self.ids(each, limit=_SEVERAL, fresh=True) for each in (start, f"t-{start}")]
        found = list(dict.fromkeys(id for answer in answers for id in answer))
        if start in found or len(found) == 1:
            return start if start in found else found[0]
        if not found:
            return None
        more = ", …" if len(found) >= _SEVERAL else ""
        raise InvalidQuery(f"{start!r} matches several ids: {', '.join(found[: _SEVERAL - 1])}{more}")
