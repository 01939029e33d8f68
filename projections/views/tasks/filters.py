"""Questions that choose tasks by a filter: how many there are, and what all of them can name."""

from typing import Any, Final

from msgspec.structs import replace

from clawactors.projections.engine.index import Effort, newest
from clawactors.projections.engine.keys import LAST, PLACE_BYTES, number, place
from clawactors.projections.engine.pages import InvalidQuery, checked_silence_ns, cursor_key, cursor_of, mark_of
from clawactors.projections.engine.questions import QueryContext, QuestionHandler, ViewQuestion
from clawactors.projections.engine.store import Reading
from clawactors.projections.views.tasks.dimensions import ALL, BY
from clawactors.projections.views.tasks.selection import TaskFilter, select, walks_of
from clawactors.projections.views.tasks.sums import statuses_of
from clawactors.systems.tasks import STATUSES

__all__ = [
    "COUNT_QUESTION",
    "CountQuestion",
    "FilterQuestion",
    "below_of",
    "count_of",
    "rest_of",
    "wanted_of",
]

_SEEKS: Final = 30_000
"""What one part of a count may cost, about 2 us each."""
_A_ROW: Final = 10
_DELETED: Final = "archived"
"""The status of tasks that were deleted, and of those in the archive, which are on no list."""


_AS_ASKED: Final = tuple(name for name in TaskFilter.__struct_fields__ if name != "silent_since_ns")
"""The conditions that a question has under the same names."""


class FilterQuestion(ViewQuestion, frozen=True, kw_only=True):
    """Tasks that meet all of these conditions; `cursor` is that of the answer before.

    `error` is a class of errors; `interrupted`: the last attempts were cut short; `silent_s`: it runs, and nothing has
    come from it for so long; `text`: words of its name or last error, `conn*` for the beginning of one.
    """

    status: tuple[str, ...] = ()
    node: str = ""
    user: str = ""
    skill: str = ""
    tag: str = ""
    parent: str = ""
    error: str = ""
    interrupted: bool = False
    text: str = ""
    silent_s: float | None = None
    since_ns: int | None = None
    until_ns: int | None = None
    cursor: str = ""


class CountQuestion(FilterQuestion, frozen=True, kw_only=True):
    """How many tasks there are; with a cursor in the answer, those up to there: ask on and add up."""


def wanted_of(question: FilterQuestion, context: QueryContext) -> TaskFilter:
    """The filter of a question. Raises: `InvalidQuery`."""
    if unknown := set(question.status) - set(STATUSES):
        raise InvalidQuery(f"there is no status {min(unknown)!r}; use one of {', '.join(STATUSES)}")
    silence_ns = checked_silence_ns(question.silent_s)
    same = {name: getattr(question, name) for name in _AS_ASKED}
    return TaskFilter(**same, silent_since_ns=None if silence_ns is None else context.now_ns - silence_ns)


def below_of(question: FilterQuestion) -> bytes:
    """The key from which on downwards the question goes on. Raises: `InvalidQuery`."""
    key = cursor_key(question.cursor, mark_of(question))
    return place(max(0, number(key[:PLACE_BYTES]) - 1)) if key else LAST


def rest_of(effort: Effort) -> bytes | None:
    """What the cursor to the rest of a search names, the key above; None where it is complete."""
    return None if effort.stopped_at is None else place(number(effort.stopped_at) + 1)


def _count(question: CountQuestion, context: QueryContext) -> dict[str, Any]:
    effort = Effort(_SEEKS)
    first = not question.cursor
    count = count_of(context.reading, wanted_of(question, context), below_of(question), effort, first=first)
    rest = rest_of(effort)
    return {"count": count, "cursor": None if rest is None else cursor_of(mark_of(question), rest)}


def count_of(reading: Reading, wanted: TaskFilter, below: bytes, effort: Effort, *, first: bool = True) -> int:
    """How many tasks meet all conditions, from the sums where they have it, else as far as the effort goes.

    `first` is False where a search goes on.
    """
    named = {name: value for name in ("node", "user", "skill", "tag", "error") if (value := getattr(wanted, name))}
    if len(named) > 1 or wanted != TaskFilter(status=wanted.status, **named):
        return _listed(reading, wanted, below, effort)
    field, value = next(((BY[name], value) for name, value in named.items()), (ALL, ""))
    counts, statuses = statuses_of(reading, field, value), wanted.status or STATUSES
    count = sum(counts[status] for status in statuses if status != _DELETED) if first else 0
    if _DELETED in statuses:  # the sums have those in the archive as well
        count += _listed(reading, replace(wanted, status=(_DELETED,)), below, effort)
    return count


def _listed(reading: Reading, wanted: TaskFilter, below: bytes, effort: Effort) -> int:
    """How many are on the lists, as far as the effort goes. Rows are read only where lists do not tell."""
    if wanted.text or (wanted.since_ns, wanted.until_ns, wanted.silent_since_ns) != (None, None, None):
        count = 0
        for _ in select(reading, wanted, below, effort):
            count += 1
            effort.left -= _A_ROW
        return count
    return sum(1 for _ in newest(walks_of(reading, wanted), below, b"\0" * PLACE_BYTES, effort))


COUNT_QUESTION: Final = QuestionHandler("count", CountQuestion, _count)
