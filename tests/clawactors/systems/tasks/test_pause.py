"""Held by a person: an attempt that ran ends at its next step, everything else goes on as it was."""

import pytest

from clawactors.systems.tasks import OPEN, Status
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from tests.clawactors.systems.tasks.vocabulary import (
    FENCE,
    HISTORIES,
    PENDING,
    RUNNING,
    SCHEDULED,
    failed,
    given,
    scheduled,
)
from tests.spec import SECOND


def test_code_that_waited_runs_after_a_pause_and_finds_what_came_meanwhile() -> None:
    paused = given(*RUNNING, e.Waiting("signal", 0, "go", parked=True), e.Paused(), e.Signalled("go"))
    assert paused.when(c.Resume()).then(e.Resumed(), e.Readied()).life.status == "pending"


@pytest.mark.parametrize("status", sorted(OPEN - {"paused", "waiting"}))
def test_whatever_is_open_can_be_paused_and_goes_on_as_before(status: Status) -> None:
    before = given(*HISTORIES[status])
    was = before.state.life
    assert before.when(c.Pause("ada")).then(e.Paused("ada")).life.status == "paused"
    life = before.when(c.Resume()).then(e.Resumed()).life
    assert life.status == ("pending" if status in ("scheduled", "running") else status)
    assert (life.waiting_for, life.until_ns, life.blocked_reason) == (was.waiting_for, was.until_ns, was.blocked_reason)
    assert (life.node, life.incarnation, life.attempt) == ("", "", was.attempt)


def test_a_retry_that_was_due_meanwhile_is_still_waited_for() -> None:
    life = given(*RUNNING, failed("retry", 5 * SECOND), e.Paused(), e.Resumed()).state.life
    assert (life.status, life.waiting_for, life.until_ns) == ("waiting", "retry", 5 * SECOND)


def test_code_that_waits_and_is_in_no_memory_is_run_up_to_its_wait_again() -> None:
    for wait in (e.Waiting("timer", 60 * SECOND), e.Waiting("signal", 0, "go")):
        assert given(*RUNNING, wait).when(c.Resume()).then(e.Readied()).life.status == "pending"
    parked = e.Waiting("signal", 0, "go", parked=True)
    assert given(*RUNNING, parked, e.Unparked()).when(c.Resume()).then(e.Readied()).life.status == "pending"
    given(*RUNNING, parked).when(c.Resume()).quietly()  # its node has the code
    given(*RUNNING, failed("retry", 5 * SECOND)).when(c.Resume()).quietly()
    given(e.Submitted(skill="echo", not_before_ns=60 * SECOND)).when(c.Resume()).quietly()
    given(e.Submitted(skill="echo", after=("t-1",))).when(c.Resume()).quietly()


def test_the_step_that_ran_when_the_pause_came_is_recorded() -> None:
    paused = given(*HISTORIES["paused"])
    assert paused.when(c.CompleteStep(FENCE, "copy", 7)).then(e.StepCompleted("copy", 7)).life.status == "paused"
    paused.when(c.CompleteStep(FENCE, "copy", 7)).refused("completed already")
    paused.when(c.StartStep(FENCE, "next")).refused("the task is paused, not running")
    paused.when(c.Complete(FENCE)).refused("the task is paused, not running")


def test_the_old_run_has_no_say_once_the_task_goes_on() -> None:
    given(*HISTORIES["paused"], e.Resumed()).when(c.CompleteStep(FENCE, "copy")).refused("not running")
    twice = given(*HISTORIES["paused"], e.Resumed(), e.Paused())
    twice.when(c.CompleteStep(FENCE, "copy")).refused("is over")


def test_a_scheduled_task_that_is_paused_is_not_started() -> None:
    given(*SCHEDULED, e.Paused()).when(c.StartTask(FENCE)).refused("the task is paused, not running")
    given(*SCHEDULED, e.Paused(), e.Resumed()).when(c.ScheduleTask("n1", "i1")).then(scheduled(2))


def test_a_paused_task_can_be_cancelled_blocked_and_signalled() -> None:
    given(*HISTORIES["paused"]).when(c.Cancel()).then(e.CancelRequested(), e.Cancelled())
    given(*PENDING, e.Paused()).when(c.Block("look")).then(e.Blocked("look"))
    given(*PENDING, e.Paused()).when(c.Signal("go")).then(e.Signalled("go"))


def test_a_run_on_a_lost_node_that_was_paused_before_needs_no_interruption() -> None:
    given(*HISTORIES["paused"]).when(c.Interrupt(FENCE, "n1 is gone")).quietly()
