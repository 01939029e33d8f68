"""The approvals that open tasks ask for, the oldest task first."""

from collections.abc import Iterator
from typing import Any, Final

from clawactors.kernel.time import iso
from clawactors.projections.engine.index import ascending
from clawactors.projections.engine.keys import term
from clawactors.projections.engine.pages import checked_limit
from clawactors.projections.engine.questions import QueryContext, QuestionHandler, ViewQuestion
from clawactors.projections.engine.store import Reading
from clawactors.projections.views.tasks import table as t
from clawactors.projections.views.tasks.lists import APPROVAL

__all__ = ["APPROVALS_QUESTION", "ApprovalsQuestion"]


class ApprovalsQuestion(ViewQuestion, frozen=True, kw_only=True):
    """What people are asked for now; with `by`, what this principal may answer. At most `limit`."""

    by: str = ""
    limit: int = 1000


def _approvals(question: ApprovalsQuestion, context: QueryContext) -> dict[str, Any]:
    limit = checked_limit(question.limit)
    rows: list[dict[str, Any]] = []
    for row in _rows(context.reading):
        if question.by and row["by"] and question.by not in row["by"]:
            continue
        if len(rows) == limit:
            return {"rows": rows, "more": True}
        rows.append(row)
    return {"rows": rows, "more": False}


def _rows(reading: Reading) -> Iterator[dict[str, Any]]:
    prefix = term(APPROVAL, "")
    for at, _ in ascending(reading, t.INDEX, prefix):
        if not at.startswith(prefix):
            return
        stored = t.load(reading, at[len(prefix) :], newest_entries=0)
        spec = stored.task.spec
        for each in stored.task.life.approvals:
            yield {
                "task": stored.id,
                "name": each.name,
                "question": each.question,
                "by": list(each.by),
                "until": iso(each.until_ns),
                "default": each.default,
                "asked_at": iso(each.asked_ns),
                "reminders": each.reminders,
                "skill": spec.skill if spec else "",
                "user": spec.user if spec else "",
            }


APPROVALS_QUESTION: Final = QuestionHandler("approvals", ApprovalsQuestion, _approvals)
