"""Questions about the whole cluster: its status in a few figures, and statistics."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from clawactors.projections.engine.faults import FROZEN, counts
from clawactors.projections.engine.pages import PAGE_BYTES, InvalidQuery, checked_limit
from clawactors.projections.engine.questions import QueryContext, QuestionHandler, ViewQuestion
from clawactors.projections.engine.view import ViewDefinition
from clawactors.projections.views.nodes.questions import node_counts
from clawactors.projections.views.tasks.sums import BY, counts_by, percentiles_s, skill_figures, status_counts

__all__ = ["STATUS_VIEW", "StatisticsQuestion", "StatusQuestion"]

_DIMENSION_BYTES: Final = PAGE_BYTES // 8  # skills come twice
_COUNTS_BYTES: Final = 250


class StatusQuestion(ViewQuestion, frozen=True, kw_only=True):
    """How many tasks and nodes there are in each state; `needs_upgrade` and `faults` count what is not folded."""


class StatisticsQuestion(ViewQuestion, frozen=True, kw_only=True):
    """Tasks by status in each dimension of `by`, the values with the most tasks first, so many of each at most.

    Skills come with the durations of their runs; `store` says what the views take on disk.
    """

    by: tuple[str, ...] = tuple(BY)
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
    }


def _statistics(question: StatisticsQuestion, context: QueryContext) -> dict[str, Any]:
    limit, reading = checked_limit(question.limit), context.reading
    if unknown := set(question.by) - BY.keys():
        raise InvalidQuery(f"tasks are not counted by {min(unknown)!r}; use one of {', '.join(BY)}")
    answer: dict[str, Any] = {"tasks": status_counts(reading), "nodes": node_counts(context)}
    for name in question.by:
        found = sorted(counts_by(reading, BY[name]), key=lambda each: (-sum(each[1].values()), each[0]))
        answer[f"by_{name}"] = dict(_fitting(found[:limit]))
    if "skill" in question.by:
        answer["durations"] = {skill: _durations(skill, context) for skill in answer["by_skill"]}
    return answer | {"store": _store(context)}


def _fitting(values: list[tuple[str, dict[str, int]]]) -> Iterator[tuple[str, dict[str, int]]]:
    """As many of them as fit into a message."""
    left_bytes = _DIMENSION_BYTES
    for value, counts_by_status in values:
        left_bytes -= len(msgspec.json.encode(value)) + _COUNTS_BYTES
        if left_bytes < 0:
            return
        yield value, counts_by_status


def _durations(skill: str, context: QueryContext) -> dict[str, Any]:
    """Seconds of runs from start to end; half of the successful ones took `p50_s` at most."""
    p50_s, p95_s = percentiles_s(context.reading, skill, (0.5, 0.95))
    return skill_figures(context.reading, skill) | {"p50_s": p50_s, "p95_s": p95_s}


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
