"""The laws that tie `decide` to `evolve`, in every state that can be reached and for every event and command."""

from collections import defaultdict

from clawactors.kernel.errors import Refused
from clawactors.systems.tasks import FINAL, STATUSES, TASK, Task
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.task import RETRIABLE
from tests.clawactors.systems.tasks.reachable import NOW_NS, commands, events

TYPES = e.TaskEvent.__value__.__args__


def test_every_status_is_reached(reached: list[Task]) -> None:
    assert {task.life.status for task in reached if task.exists} == set(STATUSES)


def test_every_event_and_every_command_is_tried() -> None:
    assert {type(event) for event in events(Task())} == set(TYPES)
    asked = {*c.TaskCommand.__value__.__args__, *c.AttemptCommand.__value__.__args__} - {c.AttemptCommand}
    assert {type(command) for command in commands(Task())} == asked


def test_evolve_is_total_and_changes_nothing_that_exists(reached: list[Task]) -> None:
    for task in reached:
        before = repr(task)
        for event in events(task):
            assert isinstance(TASK.evolve(task, event, NOW_NS), Task)
        assert repr(task) == before


def test_whatever_is_decided_is_legal_one_event_after_the_other(reached: list[Task]) -> None:
    for task in reached:
        for command in commands(task):
            try:
                decided = TASK.decide(command, task)
            except Refused:
                continue
            after = task
            for event in decided:
                before, after = after, TASK.evolve(after, event, NOW_NS)
                assert after is not before, f"{command} leads to {event}, which is illegal in {before.life}"


def test_what_evolve_takes_is_what_some_command_leads_to(reached: list[Task]) -> None:
    """In each state the types of the legal events are those with which a decision can begin."""
    for task in reached:
        decided = set()
        for command in commands(task):
            try:
                decided |= {type(event) for event in TASK.decide(command, task)[:1]}
            except Refused:
                continue
        legal = {type(event) for event in events(task) if TASK.evolve(task, event, NOW_NS) is not task}
        if task.spec is None:
            legal -= {e.TaskArchived}  # where a history was purged, its tombstone comes first
        if task.life.undoable or task.life.undo:  # its undo comes before its end
            legal -= {e.Expired, e.Cancelled, e.AttemptFailed, e.Waiting, e.Compensating}
            decided -= {e.Expired, e.Cancelled, e.AttemptFailed, e.Waiting, e.Compensating}
        assert legal == decided, f"in {task}"


def outcome(command: c.TaskCommand, task: Task) -> object:
    """The events, or the reason of the refusal."""
    try:
        return TASK.decide(command, task)
    except Refused as refusal:
        return str(refusal)


def test_deciding_is_a_pure_function_and_a_refusal_has_a_reason(reached: list[Task]) -> None:
    for task in reached:
        for command in commands(task):
            first = outcome(command, task)
            assert first != ""
            assert outcome(command, task) == first


def test_rule_5_of_an_ended_task_no_event_but_four_is_legal(reached: list[Task]) -> None:
    legal = defaultdict(set)
    for task in reached:
        for event in events(task):
            if TASK.evolve(task, event, NOW_NS) is not task:
                legal[task.life.status].add(type(event))
    for status in FINAL:
        allowed = {e.TaskArchived, e.Deleted, e.ForkMade} | ({e.Retried} if status in RETRIABLE else set())
        assert legal[status] == (allowed if status != "archived" else {e.TaskArchived})  # its history may still move


def test_final_is_what_has_ended(reached: list[Task]) -> None:
    for task in reached:
        assert TASK.is_final(task) == (task.life.status in FINAL)


def test_a_life_is_consistent_in_every_state(reached: list[Task]) -> None:
    for task in reached:
        life = task.life
        status = life.resumes_to if life.status == "paused" else life.status
        if status == "blocked":
            assert life.waiting_for in (None, "dependency")
        else:
            assert (life.waiting_for is not None) == (status == "waiting")
        if life.status in ("scheduled", "running"):
            assert life.node
            assert life.incarnation
        if life.status in ("pending", "waiting"):
            assert bool(life.node) == life.parked
        if life.status in ("completed", "failed", "cancelled", "dead"):
            assert life.completed_ns
            assert life.waiting_for is None
        if life.status in ("failed", "dead"):
            assert life.error is not None
        if task.exists and life.status not in FINAL:
            assert not life.completed_ns
        cleans_up = life.status == "scheduled" and life.parked  # its node wakes it for that
        assert life.cancel_requested <= (
            life.status in ("running", *FINAL) or life.undo is not None or life.undo_requested or cleans_up
        )


def test_only_the_next_attempt_can_be_scheduled(reached: list[Task]) -> None:
    for task in reached:
        for attempt in range(task.life.attempt + 4):
            event = e.Scheduled(node="n1", incarnation="i1", attempt=attempt, skill="echo")
            legal = task.life.status == "pending" and task.exists and attempt == task.life.attempt + 1
            assert (TASK.evolve(task, event, NOW_NS) is not task) == legal
