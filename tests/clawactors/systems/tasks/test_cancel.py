"""Rule 7: a request to cancel outlives the run that is told of it. A cancel and a completion: exactly one wins."""

import pytest

from clawactors.systems.tasks import OPEN, Status
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from tests.clawactors.systems.tasks.vocabulary import ASKED_TO_END, ERROR, FENCE, HISTORIES, RUNNING, failed, given


@pytest.mark.parametrize("status", sorted(OPEN - {"running"}))
def test_what_does_not_run_is_cancelled_at_once(status: Status) -> None:
    life = given(*HISTORIES[status]).when(c.Cancel("ada")).then(e.CancelRequested("ada"), e.Cancelled()).life
    assert (life.status, life.waiting_for, life.until_ns) == ("cancelled", None, 0)
    assert life.completed_ns == life.updated_ns


def test_running_code_is_told_and_confirms() -> None:
    told = given(*RUNNING)
    life = told.when(c.Cancel("ada")).then(e.CancelRequested("ada")).life
    assert (life.status, life.cancel_requested) == ("running", True)
    assert told.when(c.ConfirmCancel(FENCE)).then(e.Cancelled()).life.status == "cancelled"


def test_nobody_confirms_what_was_not_asked() -> None:
    given(*RUNNING).when(c.ConfirmCancel(FENCE)).refused("nobody asked for a cancel")


def test_a_completion_that_is_first_wins() -> None:
    given(*HISTORIES["completed"]).when(c.Cancel()).refused("the task is completed; an ended task can't be cancelled")


def test_a_cancel_that_is_first_does_not_undo_what_is_done() -> None:
    given(*ASKED_TO_END).when(c.Complete(FENCE, 7)).then(e.Completed(7))
    given(*ASKED_TO_END).when(c.CompleteStep(FENCE, "copy", 7)).then(e.StepCompleted("copy", 7))


def test_a_confirmed_cancel_refuses_the_completion() -> None:
    given(*ASKED_TO_END, e.Cancelled()).when(c.Complete(FENCE, 7)).refused("the task is cancelled, not running")


@pytest.mark.parametrize(
    ("command", "event"),
    [
        (c.Wait(FENCE, "signal"), e.Waiting("signal")),
        (c.Interrupt(FENCE, "n1 is gone"), e.Interrupted("n1 is gone", counted=False)),
        (c.Block("it does not fit", FENCE), e.Blocked("it does not fit")),
        (c.Block("a person looks"), e.Blocked("a person looks")),
    ],
)
def test_what_would_make_it_go_on_ends_it(command: c.TaskCommand, event: e.TaskEvent) -> None:
    life = given(*ASKED_TO_END).when(command).then(event, e.Cancelled()).life
    assert (life.status, life.waiting_for) == ("cancelled", None)


def test_a_cancelled_task_does_not_come_back_for_a_retry() -> None:
    given(*ASKED_TO_END).when(c.Fail(FENCE, ERROR, "retry", 9)).then(failed("failed"))
    given(*ASKED_TO_END).when(c.Fail(FENCE, ERROR, "dead")).then(failed("dead"))


def test_what_is_about_to_end_is_not_paused() -> None:
    given(*ASKED_TO_END).when(c.Pause()).refused("the task is being cancelled")


def test_a_retry_takes_the_wish_back() -> None:
    again = given(*HISTORIES["cancelled"], e.Retried())
    assert not again.state.life.cancel_requested
    again.when(c.Cancel()).then(e.CancelRequested(), e.Cancelled())
