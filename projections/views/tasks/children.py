"""The children of tasks: looked up by the id of their parent."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from clawactors.kernel.errors import NotFound
from clawactors.projections.engine.faults import absence
from clawactors.projections.engine.index import ascending
from clawactors.projections.engine.keys import term
from clawactors.projections.engine.questions import QueryContext, QuestionHandler, ViewQuestion, checked_id
from clawactors.projections.engine.store import Reading
from clawactors.projections.views.tasks import table as t
from clawactors.systems.tasks import TaskStatus

__all__ = ["CHILDREN_QUESTION", "ChildrenQuestion", "children_of"]


class ChildrenQuestion(ViewQuestion, frozen=True, kw_only=True):
    """How many children of a task are in each status."""

    id: str


def children_of(reading: Reading, parent: str) -> Iterator[tuple[str, int, TaskStatus]]:
    """Id, version and status of each child, in the order of their submission."""
    prefix = term(t.PARENT, parent)
    for at, _ in ascending(reading, t.INDEX, prefix):
        if not at.startswith(prefix):
            return
        key = at[len(prefix) :]
        id = (reading.get(t.SPECS, key) or b"").partition(b"\n")[0].decode()
        yield id, *t.load_status(reading, key)


def _children(question: ChildrenQuestion, context: QueryContext) -> dict[str, Any]:
    reading, id = context.reading, checked_id(question.id)
    if t.find(reading, id) is None:
        raise NotFound(absence(reading, "task", id))
    return {"statuses": dict(Counter(life.status for _, _, life in children_of(reading, id)))}


CHILDREN_QUESTION: Final = QuestionHandler("children", ChildrenQuestion, _children)
