"""Questions about tasks: one, lists of them, and the queue of the pending ones."""

from itertools import islice
from typing import Any, Final

import msgspec

from clawactors.kernel.errors import NotFound
from clawactors.projections.engine.faults import absence, frozen_of
from clawactors.projections.engine.index import Effort
from clawactors.projections.engine.pages import (
    checked_limit,
    cursor_key,
    mark_of,
    page,
    trimmed,
)
from clawactors.projections.engine.questions import QueryContext, QuestionHandler, ViewQuestion, checked_id
from clawactors.projections.engine.view import ViewDefinition
from clawactors.projections.views.tasks import table as t
from clawactors.projections.views.tasks.approvals import APPROVALS_QUESTION
from clawactors.projections.views.tasks.archived import ARCHIVE_QUESTIONS
from clawactors.projections.views.tasks.children import CHILDREN_QUESTIONS
from clawactors.projections.views.tasks.filters import COUNT_QUESTION, FilterQuestion, below_of, rest_of, wanted_of
from clawactors.projections.views.tasks.selection import pending, select
from clawactors.projections.views.tasks.view import TasksView
from clawactors.systems.tasks import Entry, TaskStatus
from clawactors.systems.tasks.approvalevents import Approval
from clawactors.systems.tasks.events import Submitted, TaskArchived, TaskError
from clawactors.systems.tasks.row import row
from clawactors.systems.tasks.stepevents import Undo
from clawactors.systems.tasks.task import Undoing

__all__ = ["TASKS_VIEW", "IdsQuestion", "PendingQuestion", "StatusesQuestion", "TaskQuestion", "TasksQuestion"]


_SEEKS: Final = 1000
_SEEKS_A_ROW: Final = 10
"""What the search for one page may cost, about 2 us each."""


class TasksQuestion(FilterQuestion, frozen=True, kw_only=True):
    """A page of tasks, newest first.

    Where conditions seldom meet, it ends after some milliseconds of search, with fewer rows and a cursor.
    """

    limit: int = 100


class TaskQuestion(ViewQuestion, frozen=True, kw_only=True):
    """One task."""

    id: str


class IdsQuestion(ViewQuestion, frozen=True, kw_only=True):
    """The ids of tasks that begin so, in their order."""

    prefix: str
    limit: int = 6


class StatusesQuestion(ViewQuestion, frozen=True, kw_only=True):
    """The statuses of these tasks, as many as a page has rows; those that do not exist are left out."""

    ids: tuple[str, ...]


class PendingQuestion(ViewQuestion, frozen=True, kw_only=True):
    """The pending tasks in the order in which they are due."""

    limit: int = 100
    cursor: str = ""


def _tasks(question: TasksQuestion, context: QueryContext) -> dict[str, Any]:
    effort = Effort(_SEEKS + _SEEKS_A_ROW * checked_limit(question.limit))
    selected = select(context.reading, wanted_of(question, context), below_of(question), effort)
    found = ((stored.key, _row(stored, context)) for stored in selected)
    return page(found, question.limit, mark_of(question), lambda: rest_of(effort))


def _task(question: TaskQuestion, context: QueryContext) -> dict[str, Any]:
    reading, id = context.reading, checked_id(question.id)
    key = t.find(reading, id)
    if key is None:
        raise NotFound(absence(reading, "task", id))
    return {"row": msgspec.Raw(trimmed(_row(t.load(reading, key), context)))}


def _ids(question: IdsQuestion, context: QueryContext) -> dict[str, Any]:
    found = t.ids_from(context.reading, checked_id(question.prefix))
    return {"ids": list(islice(found, checked_limit(question.limit)))}


def _statuses(question: StatusesQuestion, context: QueryContext) -> dict[str, Any]:
    checked_limit(max(1, len(question.ids)))
    found = ((id, t.find(context.reading, checked_id(id))) for id in question.ids)
    return {"statuses": {id: t.load_status(context.reading, key)[1].status for id, key in found if key is not None}}


def _pending(question: PendingQuestion, context: QueryContext) -> dict[str, Any]:
    mark = mark_of(question)
    above = cursor_key(question.cursor, mark)
    found = ((at, _row(stored, context)) for at, stored in pending(context.reading, above))
    return page(found, question.limit, mark)


def _row(stored: t.StoredTask, context: QueryContext) -> dict[str, Any]:
    """The task's row, without a traceback; `needs_upgrade` where it is frozen, `omitted` where something is."""
    columns, life = row(stored.id, stored.version, stored.task), stored.task.life
    if life.status == "running" and (share := context.reported(stored.id, life.attempt, life.node)) > life.progress:
        columns["progress"] = round(100 * share, 2)
    if columns["error"]:
        columns["error"].pop("traceback", None)  # thousands of rows go into one answer
    if stored.omitted:
        columns["omitted"] = ["steps"]
    if context.some_frozen and (frozen := frozen_of(context.reading, "task", stored.id)) is not None:
        columns["needs_upgrade"] = frozen.reason
    return columns


TASKS_VIEW: Final = ViewDefinition(
    make=TasksView,
    stored=(Submitted, TaskStatus, Undoing, Approval, Entry, Undo, TaskError, TaskArchived),
    questions=(
        QuestionHandler("tasks", TasksQuestion, _tasks),
        COUNT_QUESTION,
        QuestionHandler("task", TaskQuestion, _task, quick=True),
        QuestionHandler("ids", IdsQuestion, _ids, quick=True),
        QuestionHandler("statuses", StatusesQuestion, _statuses),
        QuestionHandler("pending", PendingQuestion, _pending),
        *CHILDREN_QUESTIONS,
        APPROVALS_QUESTION,
        *ARCHIVE_QUESTIONS,
    ),
)
