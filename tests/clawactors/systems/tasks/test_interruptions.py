"""Rule 6: losing nodes uses up no user retries; five counted losses in a row without a new step make a task dead."""

from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.task import MAX_INTERRUPTIONS
from tests.clawactors.systems.tasks.vocabulary import FENCE, PENDING, RUNNING, SCHEDULED, failed, given, scheduled

LOST = e.Interrupted("n1 is gone")


def lost_while_running(times: int) -> tuple[e.TaskEvent, ...]:
    """A task whose every run took its node with it."""
    history: tuple[e.TaskEvent, ...] = PENDING
    for attempt in range(1, times + 1):
        history = (*history, scheduled(attempt), e.Started(), LOST)
    return history


def run(attempt: int) -> tuple[e.TaskEvent, ...]:
    return scheduled(attempt), e.Started()


def test_a_lost_run_makes_the_task_pending_again() -> None:
    life = given(*RUNNING).when(c.Interrupt(FENCE, "n1 is gone")).then(LOST).life
    assert (life.status, life.node, life.interruptions, life.failures, life.error) == ("pending", "", 1, 0, None)


def test_five_in_a_row_make_it_dead_and_say_why() -> None:
    fifth = given(*lost_while_running(MAX_INTERRUPTIONS - 1), *run(MAX_INTERRUPTIONS))
    lost = c.Interrupt(fifth.state.fence, "n1 is gone")
    life = fifth.when(lost).then(e.Interrupted("n1 is gone", counted=True, dead=True)).life
    assert (life.status, life.interruptions, life.failures) == ("dead", 5, 0)
    assert life.error == e.TaskError("interrupted", "n1 is gone")
    assert life.completed_ns == life.updated_ns


def test_a_new_step_starts_the_count_again() -> None:
    history = (*lost_while_running(4), *run(5), e.StepCompleted("copy"))
    assert given(*history).state.life.interruptions == 0
    fence = given(*history).state.fence
    assert given(*history).when(c.Interrupt(fence, "n1 is gone")).then(LOST).life.interruptions == 1


def test_a_failure_of_the_code_starts_the_count_again() -> None:
    assert given(*lost_while_running(4), *run(5), failed("retry")).state.life.interruptions == 0


def test_what_is_known_to_be_innocent_is_not_counted() -> None:
    fifth = given(*lost_while_running(4), *run(5))
    drained = c.Interrupt(fifth.state.fence, "n1 stops", counted=False)
    assert fifth.when(drained).then(e.Interrupted("n1 stops", counted=False)).life.interruptions == 4


def test_a_suspect_that_was_only_queued_is_not_to_blame() -> None:
    queued = given(*lost_while_running(4), scheduled(5))
    lost = c.Interrupt(queued.state.fence, "n1 is gone")
    life = queued.when(lost).then(e.Interrupted("n1 is gone", counted=False)).life
    assert (life.status, life.interruptions) == ("pending", 4)


def test_an_unsuspected_one_may_have_run_unseen_so_it_is_counted() -> None:
    life = given(*SCHEDULED).when(c.Interrupt(FENCE, "n1 is gone")).then(LOST).life
    assert (life.status, life.interruptions) == ("pending", 1)


def test_an_innocent_task_survives_any_number_of_lost_nodes_in_the_queue() -> None:
    task = given(*SCHEDULED)
    for attempt in range(1, 20):
        task.when(c.Interrupt(task.state.fence, "gone"))
        assert task.state.life.status == "pending"
        task.add(scheduled(attempt + 1))
    assert task.state.life.interruptions == 1


def test_the_next_node_is_told_that_it_gets_a_suspect() -> None:
    given(*lost_while_running(2)).when(c.ScheduleTask("n1", "i1")).then(scheduled(3, interruptions=2))


def test_a_repeated_interruption_is_quiet() -> None:
    given(*RUNNING, LOST).when(c.Interrupt(FENCE, "n1 is gone")).quietly()
    given(*RUNNING, e.Completed()).when(c.Interrupt(FENCE, "n1 is gone")).quietly()


def test_a_dead_task_that_is_retried_has_five_more() -> None:
    dead = (*lost_while_running(4), *run(5), e.Interrupted("gone", dead=True))
    assert given(*dead, e.Retried()).state.life.interruptions == 0
