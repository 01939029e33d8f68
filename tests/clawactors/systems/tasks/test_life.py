"""Rule 1 (a change is an event, the illegal is refused) and 2 (a repeated command is quiet) along a task's life."""

import pytest
from msgspec.structs import replace

from clawactors.systems.tasks import FINAL, OPEN, Status, Task
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.task import assigned
from clawactors.systems.tasks.timers import open_timers
from tests.clawactors.systems.tasks.vocabulary import (
    ASKED_TO_END,
    ERROR,
    FENCE,
    HISTORIES,
    PENDING,
    RUNNING,
    SCHEDULED,
    SPEC,
    SUBMITTED,
    failed,
    given,
    scheduled,
)
from tests.spec import SECOND


def test_a_submitted_task_is_pending() -> None:
    task = given().when(c.Submit(SPEC)).then(SUBMITTED)
    assert task.life.status == "pending"
    assert (task.life.submitted_ns, task.life.updated_ns) == (SECOND, SECOND)


def test_a_task_with_a_start_time_waits_for_it() -> None:
    later = e.Spec(skill="echo", not_before_ns=10 * SECOND)
    life = given().when(c.Submit(later)).then(e.Submitted(skill="echo", not_before_ns=10 * SECOND)).life
    assert (life.status, life.waiting_for, life.until_ns) == ("waiting", "timer", 10 * SECOND)


def test_a_task_whose_start_time_has_passed_is_pending() -> None:
    assert given(e.Submitted(skill="echo", not_before_ns=SECOND)).state.life.status == "pending"


def test_a_task_with_predecessors_waits_for_them_and_then_for_its_time() -> None:
    waits = given(e.Submitted(skill="echo", after=("t-0",), not_before_ns=10 * SECOND))
    assert (waits.state.life.status, waits.state.life.waiting_for) == ("waiting", "dependency")
    life = waits.when(c.Ready()).then(e.Readied()).life
    assert (life.status, life.waiting_for, life.until_ns) == ("waiting", "timer", 10 * SECOND)
    assert waits.when(c.Ready()).then(e.Readied()).life.status == "pending"


def test_a_waiting_task_becomes_pending_when_what_it_waits_for_comes() -> None:
    life = given(*HISTORIES["waiting"]).when(c.Ready()).then(e.Readied()).life
    assert (life.status, life.waiting_for, life.until_ns, life.node) == ("pending", None, 0, "")


def test_each_schedule_raises_the_attempt_and_tells_the_node_all_it_needs() -> None:
    task = given(*PENDING).when(c.ScheduleTask("n1", "i1")).then(scheduled(1))
    assert (task.life.status, task.fence) == ("scheduled", FENCE)
    again = given(*SCHEDULED, e.Returned("full"), scheduled(2), e.Started(), failed("retry"), e.Readied())
    assert again.when(c.ScheduleTask("n2", "i7")).then(scheduled(3, "n2", "i7", failures=1)).life.attempt == 3


def test_a_node_knows_from_the_schedule_alone_what_it_may_decide() -> None:
    task = assigned(scheduled(3, interruptions=2, failures=1), SECOND)
    assert task.spec == SPEC
    assert (task.life.attempt, task.life.interruptions, task.life.failures) == (3, 2, 1)
    assert task.fence == e.Fence("n1", "i1", 3)


def test_a_started_task_runs_and_a_repeated_start_is_quiet() -> None:
    task = given(*SCHEDULED).when(c.StartTask(FENCE)).then(e.Started())
    assert (task.life.status, task.life.started_ns) == ("running", 3 * SECOND)
    given(*RUNNING).when(c.StartTask(FENCE)).quietly()


def test_a_task_tells_when_it_started_first() -> None:
    again = given(*RUNNING, e.Interrupted("n1 is gone"), scheduled(2), e.Started())
    assert again.state.life.started_ns == 3 * SECOND
    assert again.state.life.scheduled_ns == 5 * SECOND


def test_a_node_returns_what_it_has_not_started() -> None:
    life = given(*SCHEDULED).when(c.Return(FENCE, "drains")).then(e.Returned("drains")).life
    assert (life.status, life.node, life.incarnation, life.attempt) == ("pending", "", "", 1)
    given(*RUNNING).when(c.Return(FENCE)).refused("running already")


def test_the_result_completes_a_task() -> None:
    ran = given(*RUNNING, failed("retry"), e.Readied(), scheduled(2), e.Started())
    life = ran.when(c.Complete(e.Fence("n1", "i1", 2), {"rows": 7})).then(e.Completed({"rows": 7})).life
    assert (life.status, life.result, life.error, life.progress) == ("completed", {"rows": 7}, None, 1.0)
    assert life.completed_ns == life.updated_ns == 8 * SECOND


def test_a_short_task_is_told_in_one_commit() -> None:
    step = c.CompleteStep(FENCE, "count", 3, 0.1, 0.5)
    told = given(*SCHEDULED).when(c.StartTask(FENCE), step, c.Complete(FENCE, 3))
    task = told.then(e.Started(), e.StepCompleted("count", 3, 0.1, 0.5), e.Completed(3))
    assert task.journal.last("count") is not None


@pytest.mark.parametrize(("then", "status"), [("failed", "failed"), ("dead", "dead")])
def test_a_failure_ends_a_task_when_the_policy_says_so(then: e.Outcome, status: Status) -> None:
    life = given(*RUNNING).when(c.Fail(FENCE, failed(then).error, then)).then(failed(then)).life
    assert (life.status, life.failures, life.error, life.completed_ns) == (status, 1, failed(then).error, 4 * SECOND)


def test_a_failure_is_retried_at_the_time_the_policy_says() -> None:
    fails = c.Fail(FENCE, failed("retry").error, "retry", 9 * SECOND)
    life = given(*RUNNING).when(fails).then(failed("retry", 9 * SECOND)).life
    assert (life.status, life.waiting_for, life.until_ns, life.failures) == ("waiting", "retry", 9 * SECOND, 1)
    assert (life.node, life.completed_ns) == ("", 0)


def test_code_that_waits_gives_its_slot_back() -> None:
    life = given(*RUNNING).when(c.Wait(FENCE, "timer", 9 * SECOND)).then(e.Waiting("timer", 9 * SECOND)).life
    assert (life.status, life.node, life.until_ns) == ("waiting", "", 9 * SECOND)
    life = given(*RUNNING).when(c.Wait(FENCE, "signal", name="approved")).then(e.Waiting("signal", 0, "approved")).life
    assert (life.waiting_for, life.waiting_name) == ("signal", "approved")


def test_a_timer_without_a_time_is_refused() -> None:
    given(*RUNNING).when(c.Wait(FENCE, "timer")).refused("a timer needs its time")


def test_signals_are_kept_in_order() -> None:
    task = (
        given(*PENDING)
        .when(c.Signal("a", 1), c.Signal("b"), c.Signal("a", 1))
        .then(e.Signalled("a", 1), e.Signalled("b"), e.Signalled("a", 1))
    )
    assert [entry.name for entry in task.journal] == ["signal:a", "signal:b", "signal:a"]
    assert [entry.status for entry in task.journal] == ["signalled"] * 3
    assert task.journal.count("signal:a") == 2


@pytest.mark.parametrize("status", sorted(FINAL - {"archived"}))
def test_an_ended_task_can_be_archived_and_keeps_its_id(status: Status) -> None:
    task = given(*HISTORIES[status]).when(c.ArchiveTask()).then(e.TaskArchived())
    assert task.life.status == "archived"
    assert task.exists


def test_a_repeated_archive_is_quiet() -> None:
    given(*HISTORIES["archived"]).when(c.ArchiveTask()).quietly()


@pytest.mark.parametrize("status", sorted(OPEN))
def test_an_open_task_can_not_be_archived(status: Status) -> None:
    given(*HISTORIES[status]).when(c.ArchiveTask()).refused("only an ended task can be archived")


@pytest.mark.parametrize("status", ["failed", "dead", "cancelled", "blocked"])
def test_a_retried_task_has_all_its_retries_again_and_keeps_its_steps(status: Status) -> None:
    history = HISTORIES[status]
    if status != "cancelled":
        history = (*history[:3], e.StepCompleted("count", 3), *history[3:])
    task = given(*history).when(c.RetryTask("ada")).then(e.Retried("ada"))
    life = task.life
    assert (life.status, life.failures, life.interruptions, life.completed_ns) == ("pending", 0, 0, 0)
    assert (life.cancel_requested, life.blocked_reason, life.node) == (False, "", "")
    assert task.journal.completed("count") == (status != "cancelled")


def test_what_is_going_or_done_can_not_be_retried() -> None:
    for status in sorted(OPEN - {"blocked"}):
        given(*HISTORIES[status]).when(c.RetryTask()).refused("still going")
    given(*HISTORIES["completed"]).when(c.RetryTask()).refused("submit it again under another id")


def test_a_task_whose_deadline_has_passed_is_retried_with_another_one_only() -> None:
    timed = replace(SUBMITTED, deadline_ns=60 * SECOND)
    expired = given(timed, scheduled(), e.Started(), e.Expired(ERROR))
    for at_s in (60, 61):
        expired.when(c.RetryTask("ada", at_s * SECOND)).refused(
            "its deadline 1970-01-01T00:01:00.000000+00:00 has passed"
        )
    expired.when(c.RetryTask("ada", 61 * SECOND, 61 * SECOND)).refused("has passed")
    later = c.RetryTask("ada", 61 * SECOND, 62 * SECOND)
    task = given(timed, e.Expired(ERROR)).when(later).then(e.Retried("ada", 62 * SECOND))
    assert (task.life.status, task.spec and task.spec.deadline_ns) == ("pending", 62 * SECOND)
    task = given(timed, e.Expired(ERROR)).when(c.RetryTask("ada", 61 * SECOND, 0)).then(e.Retried("ada", 0))
    assert (task.spec and task.spec.deadline_ns, open_timers(task)) == (0, (None, None))
    for early in (c.RetryTask("ada", 59 * SECOND), c.RetryTask("ada", 59 * SECOND, 60 * SECOND), c.RetryTask("ada")):
        task = given(timed, e.Expired(ERROR)).when(early).then(e.Retried("ada"))
        assert (task.spec and task.spec.deadline_ns) == 60 * SECOND


@pytest.mark.parametrize("status", sorted(OPEN - {"blocked"}))
def test_a_blocked_task_waits_for_a_person(status: Status) -> None:
    task = given(*HISTORIES[status]).when(c.Block("approve it")).then(e.Blocked("approve it"))
    assert (task.life.status, task.life.blocked_reason, task.life.waiting_for) == ("blocked", "approve it", None)
    blocked = given(*HISTORIES[status], e.Blocked("approve it"))
    life = blocked.when(c.Unblock()).then(e.Unblocked()).life
    assert (life.status, life.blocked_reason, life.node) == ("pending", "", "")


def test_a_run_can_block_its_own_task() -> None:
    given(*RUNNING).when(c.Block("a step name comes twice", FENCE)).then(e.Blocked("a step name comes twice"))


def test_repeated_commands_are_quiet() -> None:
    given(*HISTORIES["blocked"]).when(c.Block("again")).quietly()
    given(*HISTORIES["paused"]).when(c.Pause()).quietly()
    given(*ASKED_TO_END).when(c.Cancel()).quietly()
    given(*PENDING).when(c.Unblock(), c.Resume(), c.Ready()).quietly()


def test_nothing_can_be_asked_of_a_task_that_does_not_exist() -> None:
    for command in (
        c.Cancel(),
        c.StartTask(FENCE),
        c.Interrupt(FENCE, "gone"),
        c.ArchiveTask(),
        c.ScheduleTask("n1", "i1"),
    ):
        given().when(command).refused("there is no such task")


def test_only_a_pending_task_is_scheduled() -> None:
    for status in HISTORIES:
        if status not in ("pending", "archived"):
            given(*HISTORIES[status]).when(c.ScheduleTask("n2", "i2")).refused(f"the task is {status}, not pending")


@pytest.mark.parametrize("status", sorted(FINAL))
@pytest.mark.parametrize(
    "command",
    [
        c.Cancel(),
        c.Pause(),
        c.Resume(),
        c.Block("no"),
        c.Unblock(),
        c.Signal("go"),
        c.ScheduleTask("n1", "i1"),
        c.StartTask(FENCE),
        c.Return(FENCE),
        c.Complete(FENCE),
        c.CompleteStep(FENCE, "count"),
        c.Fail(FENCE, e.TaskError("network", ""), "retry"),
        c.Wait(FENCE, "signal"),
        c.ConfirmCancel(FENCE),
        c.Block("no", FENCE),
    ],
    ids=lambda command: type(command).__name__,
)
def test_rule_5_an_ended_task_changes_only_by_retry_and_archive(status: Status, command: c.TaskCommand) -> None:
    given(*HISTORIES[status]).when(command).refused("the task is archived" if status == "archived" else "")


def test_the_first_state_is_nothing() -> None:
    assert given().state == Task()
    assert not given().state.exists
