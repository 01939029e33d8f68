"""What happened lately, as control folds it: by the log's seconds, for some minutes."""

import pytest

from clawactors.systems.placement.activity import KEPT_S, Activity
from clawactors.systems.tasks import TASK, Task
from clawactors.systems.tasks import events as e

SECOND_NS = 1_000_000_000
SUBMITTED = e.Submitted(skill="echo")
GIVEN = e.Scheduled(node="n1", incarnation="i", attempt=1, skill="echo")


def told(activity: Activity, *commits: tuple[float, tuple[e.TaskEvent, ...]]) -> Task:
    """One task's commits, each at a second of the log."""
    task = Task()
    for at_s, events in commits:
        at_ns = int(at_s * SECOND_NS)
        activity.apply(events, at_ns, task if task.exists else None)
        for event in events:
            task = TASK.evolve(task, event, at_ns)
    activity.ended(task.life)
    return task


def test_a_task_counts_in_the_seconds_in_which_things_happened() -> None:
    activity = Activity()
    told(activity, (100.0, (SUBMITTED,)), (103.0, (GIVEN,)), (103.5, (e.Started(),)), (105.5, (e.Completed(),)))
    total = activity.total(100, 105)
    assert (total.commits, total.submitted, total.started, total.completed) == (4, 1, 1, 1)
    assert total.wait.percentiles_s((0.5,)) == pytest.approx([3.0], rel=0.04)
    assert total.took.percentiles_s((0.5,)) == pytest.approx([2.0], rel=0.04)
    assert [second.commits for second in activity.between(99, 105)] == [0, 1, 0, 0, 2, 0, 1]


def test_a_run_in_one_commit_counts_from_where_a_node_was_given_it() -> None:
    activity = Activity()
    told(activity, (100.0, (SUBMITTED, GIVEN)), (100.25, (e.Started(), e.Completed())))
    total = activity.total(100, 100)
    assert total.took.percentiles_s((0.5,)) == pytest.approx([0.25], rel=0.04)
    assert total.wait.percentiles_s((0.5,)) == [0.0]


def test_failures_count_by_class_and_there_are_so_many_classes_at_most() -> None:
    activity = Activity()
    for n in range(100):
        failed = e.AttemptFailed(error=e.TaskError(f"Error{n % 50}", "no"), then="retry")
        told(activity, (100.0, (SUBMITTED, GIVEN)), (101.0, (e.Started(), failed)))
    total = activity.total(100, 101)
    assert (total.failed, sum(total.errors.values()), len(total.errors)) == (100, 100, 33)
    assert total.errors["(others)"] == 36


def test_old_seconds_are_forgotten_and_a_clock_that_steps_back_is_borne() -> None:
    activity = Activity()
    for second in (100, 101, 100, 99, 100 + 10 * KEPT_S, 100, 101):
        activity.apply((SUBMITTED,), second * SECOND_NS)
    assert activity.total(0, 200).commits == 0
    activity.apply((SUBMITTED,), (100 + 10 * KEPT_S - 5) * SECOND_NS)
    assert activity.total(101, 100 + 10 * KEPT_S).commits == 2
