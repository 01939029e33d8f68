"""A task begins anew under its id: what stays and what goes, and what a lost node leaves to be recovered."""

from datetime import UTC, datetime

import pytest

from clawactors.systems.tasks import TASK, Entry, Journal, Task, TaskStatus
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.approvals import APPROVAL
from clawactors.systems.tasks.children import CHILDREN, child_id
from clawactors.systems.tasks.continuing import IDLE_NS
from clawactors.systems.tasks.journal import RECOVERY, SIGNAL
from clawactors.systems.tasks.lost import LostStep, lost_work
from clawactors.systems.tasks.row import row
from clawactors.systems.tasks.stepevents import Undo
from tests.clawactors.systems.tasks.vocabulary import ERROR, FENCE, OTHER_FENCES, RUNNING, SPEC, given, scheduled
from tests.spec import SECOND

AGAIN = c.ContinueRun(FENCE, {"text": "ho"}, {"go": 1})
DONE = e.StepCompleted("copy", 1, fingerprint="copy:1", undo=Undo(":undo", auto=True))
BUSY = (*RUNNING, DONE, e.Signalled("go", 1), e.Signalled("go", 2), e.Signalled("other", 3))


def test_a_run_ends_and_the_next_one_begins_with_signals_that_were_not_taken() -> None:
    task = given(*BUSY).when(AGAIN).then(e.Continued(run=2, params={"text": "ho"}, taken={"go": 1}))
    assert [(entry.name, entry.result) for entry in task.journal] == [(SIGNAL + "go", 2), (SIGNAL + "other", 3)]
    assert (task.life.status, task.life.run, task.life.steps_completed, task.life.undoable) == ("pending", 2, 0, 0)
    assert task.spec is not None
    assert task.spec.params == {"text": "ho"}


def test_attempts_and_retries_begin_anew_and_fences_do_not() -> None:
    history = (*RUNNING, e.AttemptFailed(error=ERROR, then="retry", retry_at_ns=9, elsewhere=True), e.Readied())
    task = (
        given(*history, scheduled(2), e.Started(), DONE)
        .when(c.ContinueRun(e.Fence("n1", "i1", 2), {}))
        .then(e.Continued(run=2))
    )
    assert (task.life.attempt, task.life.tries, task.life.failures, task.life.error, task.life.avoid) == (
        2,
        0,
        0,
        None,
        "",
    )
    given(*history, scheduled(2), e.Started(), DONE, e.Continued(run=2)).when(c.ScheduleTask("n1", "i1")).then(
        e.Scheduled(node="n1", incarnation="i1", attempt=3, skill="echo", timeout_s=9.0, max_retries=2)
    )


def test_what_the_cluster_told_the_old_run_is_gone_with_it() -> None:
    told = (
        e.Signalled(CHILDREN, [{"id": "c-1", "version": 1, "status": "completed"}]),
        e.Signalled(APPROVAL + "a", {}),
    )
    task = (
        given(*BUSY, *told, e.ApprovalAsked(name="b", question="?"))
        .when(AGAIN)
        .then(e.Continued(run=2, params={"text": "ho"}, taken={"go": 1}))
    )
    assert len(task.journal) == 2
    assert task.life.approvals == ()


def test_a_run_that_recorded_nothing_is_followed_a_second_later() -> None:
    task = given(*RUNNING, e.Signalled("go", 1)).when(c.ContinueRun(FENCE, {})).then(e.Continued(run=2, idle=True))
    assert (task.life.status, task.life.waiting_for) == ("waiting", "timer")
    assert task.life.until_ns - task.life.updated_ns == IDLE_NS
    assert len(task.journal) == 1
    given(*RUNNING, e.Signalled("go", 1), e.Continued(run=2, idle=True)).when(c.Ready()).then(e.Readied())


def test_a_requested_cancel_ends_the_task_instead() -> None:
    given(*RUNNING, e.CancelRequested("ada")).when(AGAIN).then(e.Cancelled())
    given(*RUNNING, DONE, e.CancelRequested("ada", undo=True)).when(AGAIN).then(e.Compensating("cancelled"))
    given(*RUNNING, DONE, e.Compensating("failed", ERROR)).when(AGAIN).refused("undone")


@pytest.mark.parametrize("fence", OTHER_FENCES)
def test_only_the_attempt_that_holds_the_task_ends_its_run(fence: e.Fence) -> None:
    given(*BUSY).when(c.ContinueRun(fence, {})).refused("is over")
    given(*BUSY, e.Paused("ada")).when(AGAIN).refused("paused")


def test_an_event_of_another_run_changes_nothing() -> None:
    task = given(*BUSY).state
    for run in (0, 1, 3):
        assert TASK.evolve(task, e.Continued(run=run), SECOND) is task


def test_who_submits_it_again_as_at_first_finds_it() -> None:
    again = (*BUSY, e.Continued(run=2, params={"text": "ho"}), scheduled(2), e.Started(), DONE, e.Continued(run=3))
    given(*again).when(c.Submit(SPEC)).quietly()
    given(*again).when(c.Submit(e.Spec(skill="echo", timeout_s=9.0, max_retries=2))).refused("different parameters")
    given(*again).when(c.Submit(e.Spec(skill="echo", params={"text": "hi"}))).refused("different timeout")


def test_the_row_tells_the_run_and_a_child_of_a_later_run_has_another_id() -> None:
    assert row("t", 1, given(*BUSY).state)["run"] == 1
    assert row("t", 1, given(*BUSY, e.Continued(run=2)).state)["run"] == 2
    assert len({child_id("t", "#1"), child_id("t", "#1", 2), child_id("t", "#1", 3), child_id("t", "2/#1")}) == 4


# What a lost node leaves behind

LOST = (*RUNNING, e.StepStarted("copy"), e.Interrupted("it is gone"), scheduled(2, "n2", interruptions=1), e.Started())


def test_a_step_that_was_in_progress_is_told_with_its_attempt_and_time() -> None:
    found = lost_work(given(*LOST).state)
    assert found is not None
    assert (found.attempt, found.number) == (1, 1)
    assert found.steps == (LostStep("copy", 1, datetime.fromtimestamp(4, UTC)),)


def test_a_node_that_hands_its_task_back_has_lost_nothing() -> None:
    assert lost_work(given(*RUNNING, e.Interrupted("it stops", counted=False)).state) is None
    assert lost_work(given(*RUNNING).state) is None


def test_each_loss_is_recovered_once() -> None:
    mark = e.StepCompleted(f"{RECOVERY}1")
    taken = e.StepCompleted(f"{RECOVERY}1/look", "paid")
    halfway = given(*LOST, taken).state
    assert (found := lost_work(halfway)) is not None
    assert found.number == 1, "its steps are still those of the first recovery"
    assert lost_work(given(*LOST, taken, mark).state) is None
    again = given(*LOST, taken, mark, e.Interrupted("gone too")).state
    assert (found := lost_work(again)) is not None
    assert (found.attempt, found.number) == (2, 2)


def test_steps_of_a_recovery_do_not_count_as_progress() -> None:
    life = given(*LOST, e.StepCompleted(f"{RECOVERY}1/look"), e.StepCompleted(f"{RECOVERY}1")).state.life
    assert life.interruptions == 1
    assert given(*LOST, e.StepCompleted("copy")).state.life.interruptions == 0


def test_a_forged_time_of_a_step_is_held_to_what_a_time_can_be() -> None:
    entry = Entry("copy", "running", 5 * SECOND, 1, took_s=1e300)
    task = Task(e.Submitted(skill="echo"), TaskStatus(lost=1), Journal([entry]))
    assert lost_work(task).steps[0].started_at == datetime.fromtimestamp(0, UTC)  # type: ignore[union-attr]
