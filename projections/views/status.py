"""Questions about the whole cluster: its status in a few figures, and statistics."""

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

import msgspec

from clawactors.kernel.durations import DurationSketch
from clawactors.projections.engine.faults import FROZEN, counts
from clawactors.projections.engine.pages import PAGE_BYTES, InvalidQuery, checked_limit
from clawactors.projections.engine.questions import QueryContext, QuestionHandler, ViewQuestion
from clawactors.projections.engine.store import Reading
from clawactors.projections.engine.view import ViewDefinition
from clawactors.projections.views.backups import backup_row
from clawactors.projections.views.nodes.questions import node_counts
from clawactors.projections.views.tasks.dimensions import ALL, BY, BY_HOUR, BY_STATUS, hour_of, shown_hour
from clawactors.projections.views.tasks.durations import sketch_of
from clawactors.projections.views.tasks.sums import counts_by, counts_by_hour, skill_figures, status_counts

__all__ = ["STATUS_VIEW", "StatisticsQuestion", "StatusQuestion"]

_COUNTS_BYTES: Final = 250
_LAST_HOUR: Final = (1 << 63) // (3600 * 10**9)
_RAN: Final = ("completed", "failed", "dead")
"""The statuses in which a run can end its task."""
_PERCENTILES: Final = {"p50_s": 0.5, "p90_s": 0.9, "p95_s": 0.95, "p99_s": 0.99}


class StatusQuestion(ViewQuestion, frozen=True, kw_only=True):
    """How many tasks and nodes there are in each state; `needs_upgrade` and `faults` count what is not folded."""


class StatisticsQuestion(ViewQuestion, frozen=True, kw_only=True):
    """Tasks by status in each dimension of `by`, so many values of each at most: those with the most tasks, or the
    newest hours; and how long runs took.

    `since_ns` and `until_ns` bound the hours, and with them what `window` sums up. `store` says what the views take.
    """

    by: tuple[str, ...] = tuple(BY)
    since_ns: int | None = None
    until_ns: int | None = None
    limit: int = 100


def _status(question: StatusQuestion, context: QueryContext) -> dict[str, Any]:
    reading = context.reading
    return {
        "tasks": status_counts(reading),
        "nodes": node_counts(context),
        "needs_upgrade": reading.count(FROZEN),
        "faults": sum(count.count for count in counts(reading)),
        "events": context.state.events,
        "size_bytes": context.store.size_bytes,
        "damage": context.store.damage,
        "backup": backup_row(reading),
    }


def _statistics(question: StatisticsQuestion, context: QueryContext) -> dict[str, Any]:
    limit, reading = checked_limit(question.limit), context.reading
    if unknown := set(question.by) - BY.keys():
        raise InvalidQuery(f"tasks are not counted by {min(unknown)!r}; use one of {', '.join(BY)}")
    answer: dict[str, Any] = {"tasks": status_counts(reading), "nodes": node_counts(context)}
    took: dict[str, dict[str, Any]] = {"status": {status: _took(reading, BY_STATUS, status) for status in _RAN}}
    size_bytes = PAGE_BYTES // (2 * len(question.by) + 2)  # values come twice
    first, last = _hours(question)
    for name in question.by:
        if name == "hour":
            found = list(islice(counts_by_hour(reading, first, last), limit))
        else:
            found = sorted(counts_by(reading, BY[name]), key=lambda each: (-sum(each[1].values()), each[0]))
        shown = shown_hour if name == "hour" else str
        fitting = list(_fitting(found[:limit], size_bytes))
        answer[f"by_{name}"] = {shown(value): counts for value, counts in fitting}
        took[name] = {shown(value): _took(reading, BY[name], value) for value, _ in fitting}
    if "skill" in question.by:
        skills = took["skill"]
        answer["durations"] = {skill: skill_figures(reading, skill) | skills[skill] for skill in skills}
    if question.since_ns is not None or question.until_ns is not None:
        answer["window"] = _window(reading, first, last)
    return answer | {"took": took, "took_all": _took(reading, ALL, ""), "store": _store(context)}


def _hours(question: StatisticsQuestion) -> tuple[int, int]:
    """The first and the last hour that the question asks for."""
    since_ns, until_ns = question.since_ns, question.until_ns
    first = 0 if since_ns is None else int(hour_of(since_ns))
    return first, _LAST_HOUR if until_ns is None else int(hour_of(until_ns))


def _window(reading: Reading, first: int, last: int) -> dict[str, Any]:
    """Tasks that were submitted in those hours by status, and how long their successful runs took."""
    tasks: Counter[str] = Counter()
    hours: list[str] = []
    for hour, counts_of_hour in counts_by_hour(reading, first, last):
        tasks.update(counts_of_hour)
        hours.append(hour)
    return {"tasks": dict(tasks), "took": _figures(sketch_of(reading, BY_HOUR, hours))}


def _took(reading: Reading, field: bytes, value: str) -> dict[str, Any]:
    return _figures(sketch_of(reading, field, (value,)))


def _figures(sketch: DurationSketch) -> dict[str, Any]:
    """Seconds of runs from start to end: half of them took `p50_s` at most."""
    return {"runs": sketch.runs} | dict(zip(_PERCENTILES, sketch.percentiles_s(_PERCENTILES.values()), strict=True))


def _fitting(values: list[tuple[str, dict[str, int]]], left_bytes: int) -> Iterator[tuple[str, dict[str, int]]]:
    """As many of them as fit into so many bytes."""
    for value, counts_by_status in values:
        left_bytes -= len(msgspec.json.encode(value)) + _COUNTS_BYTES
        if left_bytes < 0:
            return
        yield value, counts_by_status


def _store(context: QueryContext) -> dict[str, Any]:
    return {
        "size_bytes": context.store.size_bytes,
        "events": context.state.events,
        "tables": {name: {"rows": rows, "size_bytes": size} for name, rows, size in context.reading.sizes()},
    }


STATUS_VIEW: Final = ViewDefinition(
    questions=(
        QuestionHandler("status", StatusQuestion, _status, quick=True),
        QuestionHandler("statistics", StatisticsQuestion, _statistics),
    )
)
