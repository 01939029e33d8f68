"""Rule 3 (what a node says counts only with the fence of the attempt that runs now) and rule 4 (steps)."""

from collections.abc import Callable

import pytest

from clawactors.systems.tasks import Status
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from tests.clawactors.systems.tasks.vocabulary import (
    ERROR,
    FENCE,
    HISTORIES,
    OTHER_FENCES,
    RUNNING,
    SCHEDULED,
    given,
    scheduled,
)

type Says = Callable[[e.Fence], c.TaskCommand]

SAYS: dict[str, Says] = {
    "Start": c.StartTask,
    "Return": c.Return,
    "StartStep": lambda fence: c.StartStep(fence, "copy"),
    "CompleteStep": lambda fence: c.CompleteStep(fence, "copy", 7),
    "FailStep": lambda fence: c.FailStep(fence, "copy", "oops"),
    "Compensate": lambda fence: c.Compensate(fence, "count"),
    "Wait": lambda fence: c.Wait(fence, "signal"),
    "Fail": lambda fence: c.Fail(fence, ERROR, "retry"),
    "Complete": c.Complete,
    "ConfirmCancel": c.ConfirmCancel,
    "Block": lambda fence: c.Block("it does not fit", fence),
}
"""All that a node may say of a task."""


@pytest.mark.parametrize("status", HISTORIES)
@pytest.mark.parametrize("says", SAYS)
@pytest.mark.parametrize("fence", OTHER_FENCES, ids=str)
def test_a_zombie_is_refused_in_every_state(status: Status, says: str, fence: e.Fence) -> None:
    given(*HISTORIES[status]).when(SAYS[says](fence)).refused("")


@pytest.mark.parametrize("says", SAYS)
def test_a_node_whose_task_went_on_elsewhere_is_told_so(says: str) -> None:
    for history in (
        (*RUNNING, e.Interrupted("n1 is silent"), scheduled(2, "n2", "i5"), e.Started()),
        (*RUNNING, e.Interrupted("n1 is silent"), scheduled(2), e.Started()),
    ):
        given(*history).when(SAYS[says](FENCE)).refused("attempt 1 on n1 is over: the task is running, attempt 2")


@pytest.mark.parametrize("says", SAYS)
def test_a_zombie_of_a_retried_task_is_refused(says: str) -> None:
    given(*HISTORIES["dead"], e.Retried()).when(SAYS[says](FENCE)).refused("")
    given(*HISTORIES["dead"], e.Retried(), scheduled(2)).when(SAYS[says](FENCE)).refused("")


@pytest.mark.parametrize("fence", OTHER_FENCES, ids=str)
def test_an_interruption_of_another_run_changes_nothing(fence: e.Fence) -> None:
    given(*RUNNING).when(c.Interrupt(fence, "n1 is gone")).quietly()
    given(*SCHEDULED).when(c.Interrupt(fence, "n1 is gone")).quietly()


def test_nothing_runs_where_no_node_is_named() -> None:
    paused = given(e.Submitted(skill="echo"), e.Paused())
    paused.when(c.CompleteStep(e.Fence("", "", 0), "copy")).refused("is over")


@pytest.mark.parametrize("says", sorted(set(SAYS) - {"Start", "Return", "ConfirmCancel", "Block"}))
def test_a_node_says_first_that_it_runs_the_task(says: str) -> None:
    given(*SCHEDULED).when(SAYS[says](FENCE)).refused("the task is scheduled, not running")


@pytest.mark.parametrize("says", sorted(set(SAYS) - {"CompleteStep", "Block"}))
@pytest.mark.parametrize("status", ["waiting", "paused", "blocked"])
def test_a_run_that_is_over_says_no_more(status: Status, says: str) -> None:
    if (status, says) == ("paused", "Compensate"):  # what is undone is undone
        given(*HISTORIES[status]).when(SAYS[says](FENCE)).refused("is not completed")
        return
    given(*HISTORIES[status]).when(SAYS[says](FENCE)).refused(f"the task is {status}, not running")


# Steps


def test_a_step_is_in_the_journal_with_its_attempt_and_time() -> None:
    steps = (c.StartStep(FENCE, "copy"), c.FailStep(FENCE, "copy", "oops", 0.5), c.CompleteStep(FENCE, "copy", 7, 0.25))
    task = (
        given(*RUNNING)
        .when(*steps)
        .then(e.StepStarted("copy"), e.StepFailed("copy", "oops", 0.5), e.StepCompleted("copy", 7, 0.25))
    )
    told = [(entry.status, entry.at_ns, entry.attempt, entry.error, entry.took_s) for entry in task.journal]
    assert told == [
        ("running", 4_000_000_000, 1, "", 0.0),
        ("failed", 5_000_000_000, 1, "oops", 0.5),
        ("completed", 6_000_000_000, 1, "", 0.25),
    ]
    assert task.life.steps_completed == 1


@pytest.mark.parametrize("says", ["StartStep", "CompleteStep", "FailStep"])
def test_rule_4_a_completed_step_is_never_completed_again(says: str) -> None:
    for history in (
        (*RUNNING, e.StepCompleted("copy", 6)),
        (*RUNNING, e.StepCompleted("copy", 6), e.Interrupted("gone"), scheduled(2), e.Started()),
    ):
        done = given(*history)
        done.when(SAYS[says](done.state.fence)).refused("step 'copy' is completed already")


def test_progress_is_what_the_code_last_reported() -> None:
    done = given(*RUNNING, e.StepCompleted("a", progress=0.5), e.StepCompleted("b"))
    assert (done.state.life.progress, done.state.life.steps_completed) == (0.5, 2)


def test_a_completed_step_can_be_undone_and_then_done_again() -> None:
    done = given(*RUNNING, e.StepCompleted("count", 6))
    task = done.when(c.Compensate(FENCE, "count", 0.5)).then(e.StepCompensated("count", 0.5))
    assert task.life.steps_completed == 0
    done.when(c.CompleteStep(FENCE, "count", 7)).then(e.StepCompleted("count", 7))
    given(*RUNNING).when(c.Compensate(FENCE, "count")).refused("there is nothing to undo")
