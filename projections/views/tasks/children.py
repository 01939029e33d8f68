"""The children of tasks, looked up by the id of their parent: counted, and as a tree."""

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from clawactors.kernel.errors import NotFound
from clawactors.projections.engine.faults import absence
from clawactors.projections.engine.index import ascending
from clawactors.projections.engine.keys import term
from clawactors.projections.engine.pages import checked_limit
from clawactors.projections.engine.questions import QueryContext, QuestionHandler, ViewQuestion, checked_id
from clawactors.projections.engine.store import Reading
from clawactors.projections.views.tasks import table as t
from clawactors.projections.views.tasks.lists import PARENT
from clawactors.systems.tasks import TaskStatus
from clawactors.systems.tasks.children import made_by

__all__ = ["CHILDREN_QUESTIONS", "ChildrenQuestion", "TreeQuestion", "children_of"]

_ERROR_MAX: Final = 200


class ChildrenQuestion(ViewQuestion, frozen=True, kw_only=True):
    """How many children of a task are in each status."""

    id: str


class TreeQuestion(ViewQuestion, frozen=True, kw_only=True):
    """A task, its children and theirs, each before its own children: the first `limit` of them."""

    id: str
    limit: int = 1000


def children_of(reading: Reading, parent: str, run: int | None = None) -> Iterator[tuple[str, int, TaskStatus]]:
    """Id, version and status of each child, of one run of the parent or of all, in the order of their submission."""
    for key in _keys_of_children(reading, parent):
        if run is not None and made_by(t.load_spec(reading, key))[1] != run:
            continue
        id = (reading.get(t.SPECS, key) or b"").partition(b"\n")[0].decode()
        yield id, *t.load_status(reading, key)


def _keys_of_children(reading: Reading, parent: str) -> Iterator[bytes]:
    prefix = term(PARENT, parent)
    for at, _ in ascending(reading, t.INDEX, prefix):
        if not at.startswith(prefix):
            return
        yield at[len(prefix) :]


def _children(question: ChildrenQuestion, context: QueryContext) -> dict[str, Any]:
    reading, id = context.reading, checked_id(question.id)
    if t.find(reading, id) is None:
        raise NotFound(absence(reading, "task", id))
    return {"statuses": dict(Counter(life.status for _, _, life in children_of(reading, id)))}


def _tree(question: TreeQuestion, context: QueryContext) -> dict[str, Any]:
    """Its rows, and how many tasks the tree has beyond them, at most `limit` are counted."""
    reading, id, limit = context.reading, checked_id(question.id), checked_limit(question.limit)
    if (key := t.find(reading, id)) is None:
        raise NotFound(absence(reading, "task", id))
    rows: list[dict[str, Any]] = []
    todo = [(key, 0)]
    while todo and len(rows) < limit:
        key, level = todo.pop()
        stored = t.load(reading, key, newest_entries=0)
        children = list(islice(_keys_of_children(reading, stored.id), limit - len(rows) + 1))
        rows.append(_tree_row(stored, level))
        todo += [(child, level + 1) for child in reversed(children)]
    return {"rows": rows, "more": bool(todo)}


def _tree_row(stored: t.StoredTask, level: int) -> dict[str, Any]:
    task = stored.task
    spec, life = task.spec, task.life
    return {
        "id": stored.id,
        "level": level,
        "parent": spec.parent or None if spec else None,
        "skill": spec.skill if spec else "",
        "name": spec.name if spec else "",
        "status": life.status,
        "progress": round(100 * life.progress, 2),
        "error": f"{life.error.kind}: {life.error.message[:_ERROR_MAX]}" if life.error else None,
    }


CHILDREN_QUESTIONS: Final = (
    QuestionHandler("children", ChildrenQuestion, _children),
    QuestionHandler("tree", TreeQuestion, _tree),
)
