"""Answers what happened lately: what placement has folded, and the figures of heartbeats."""

from typing import TYPE_CHECKING, Final

from clawactors.kernel.durations import DurationSketch
from clawactors.kernel.errors import InvalidQuery
from clawactors.runtime.activity import ActivityQuestion, ActivityReply, SeriesReply, TookReply
from clawactors.systems.placement.activity import KEPT_S, Second

if TYPE_CHECKING:
    from clawactors.runtime.control.control import Control

__all__ = ["recent_activity"]

_SECOND_NS: Final = 1_000_000_000
_COUNTS: Final = ("commits", "submitted", "started", "completed", "failed", "dead", "cancelled")
_SHARES: Final = (0.5, 0.9, 0.95, 0.99)


def recent_activity(control: "Control", question: ActivityQuestion, trouble: str) -> ActivityReply:
    """The answer. `trouble` is why nothing can be appended, '' where it can. Raises: `InvalidQuery`."""
    window_s, series_s = question.window_s, question.series_s
    if not 1 <= window_s <= KEPT_S or not 0 <= series_s <= KEPT_S:
        raise InvalidQuery(f"what happened lately is known of 1 to {KEPT_S} s, not of {window_s} s and {series_s} s")
    state, now_ns = control.state, control.context.time.now_ns()
    now, activity = now_ns // _SECOND_NS, state.activity
    first = max(now - window_s + 1, activity.since_ns // _SECOND_NS)
    total = activity.total(first, now)
    begin_ns = max(first * _SECOND_NS, activity.since_ns)
    live = [capacity for capacity in state.nodes.by_id.values() if capacity.node.alive and not capacity.frozen]
    figures = [(control.watch.figures[each.id].disk, each.id) for each in live if each.id in control.watch.figures]
    percent, fullest = max(figures, default=(0.0, ""))
    return ActivityReply(
        at_ns=now_ns,
        window_s=max(1.0, round((now_ns - begin_ns) / 1e9, 3)),
        **{name: getattr(total, name) for name in _COUNTS},
        errors=total.errors,
        wait=_took(total.wait),
        took=_took(total.took),
        slots=sum(each.node.joined.slots for each in live),
        given=sum(len(each.assigned) for each in live),
        longest_ns=_longest_ns(control),
        fullest=fullest,
        fullest_percent=percent,
        trouble=trouble,
        series=_series(list(activity.between(now - series_s, now - 1)), now) if series_s else None,
    )


def _took(sketch: DurationSketch) -> TookReply:
    p50_s, p90_s, p95_s, p99_s = sketch.percentiles_s(_SHARES)
    return TookReply(runs=sketch.runs, p50_s=p50_s, p90_s=p90_s, p95_s=p95_s, p99_s=p99_s)


def _longest_ns(control: "Control") -> int:
    tasks = control.state.tasks
    firsts = (found.id for queue in tasks.pending.values() if (found := queue.first(-1)) is not None)
    return min((tasks.by_id[id].since_ns for id in firsts), default=0)


def _series(seconds: list[Second], now: int) -> SeriesReply:
    columns = {name: [getattr(second, name) for second in seconds] for name in _COUNTS}
    return SeriesReply(until_ns=now * _SECOND_NS, **columns)
