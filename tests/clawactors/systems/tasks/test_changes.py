"""What a person changes about a task from outside its run: edit, delete, deadline, fork."""

import msgspec
import pytest
from msgspec.structs import replace

from clawactors.systems.tasks import FINAL, OPEN, TASK, Status, Task
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.external import edit_of
from tests.clawactors.systems.tasks.vocabulary import ERROR, FENCE, HISTORIES, PENDING, RUNNING, SPEC, given
from tests.spec import SECOND

LATE = e.TaskError("timeout", "its deadline has passed")
FORK = e.Submitted(skill="echo", fork_of="t-1", fork_step="copy")
COUNT, COPY = e.InheritedStep("count", 3, 0.1, "f1"), e.InheritedStep("copy", {"rows": 3})


def spec(**changes: object) -> e.Spec:
    """The spec of the vocabulary with other fields."""
    return e.Spec(**{name: getattr(SPEC, name) for name in e.Spec.__struct_fields__} | changes)  # type: ignore[arg-type]


def edited(spec: e.Spec) -> e.Edited:
    """What the edit leads to."""
    return e.Edited(**{name: getattr(spec, name) for name in e.Spec.__struct_fields__})


def test_an_edited_task_asks_for_something_else() -> None:
    changed = spec(priority=4, tags=("urgent",))
    task = given(*PENDING).when(c.Edit(changed)).then(edited(changed))
    assert task.spec is not None
    assert (task.spec.priority, task.spec.tags, task.life.status) == (4, ("urgent",), "pending")
    given(*PENDING, edited(changed)).when(c.Edit(changed)).quietly()


def test_an_edit_that_changes_nothing_is_quiet() -> None:
    given(*PENDING).when(c.Edit(SPEC)).quietly()


def test_an_edit_leaves_what_nobody_asks_for() -> None:
    """Every field of a spec is an option of `spec_of`, or stays."""
    of_others = spec(parent="p-1", depth=1, parent_run=2, recalled=("m-1",), erased=True)
    assert edit_of(of_others, {"priority": "urgent"}).spec == msgspec.structs.replace(of_others, priority=4)


@pytest.mark.parametrize("name", ["skill", "after", "fork_of", "fork_step"])
def test_what_makes_a_task_the_one_that_it_is_can_not_be_edited(name: str) -> None:
    other = ("t-0",) if name == "after" else "other"
    given(*PENDING).when(c.Edit(spec(**{name: other}))).refused(f"{name!r} can't be changed; submit another task")


@pytest.mark.parametrize("status", sorted(set(HISTORIES) - {"pending", "archived"}))
def test_a_task_that_has_run_or_ended_can_not_be_edited(status: Status) -> None:
    given(*HISTORIES[status]).when(c.Edit(spec(priority=4))).refused("only one that has not run yet")


def test_an_edit_moves_the_start_of_a_task_that_waits_for_it() -> None:
    waits = e.Submitted(skill="echo", not_before_ns=60 * SECOND)
    life = (
        given(waits)
        .when(c.Edit(e.Spec(skill="echo", not_before_ns=90 * SECOND)))
        .then(e.Edited(skill="echo", not_before_ns=90 * SECOND))
        .life
    )
    assert (life.status, life.until_ns) == ("waiting", 90 * SECOND)
    assert given(waits, e.Edited(skill="echo")).state.life.status == "pending"


@pytest.mark.parametrize("status", sorted(set(HISTORIES) - {"scheduled", "running", "archived"}))
def test_a_task_that_does_not_run_can_be_deleted_and_its_id_stays_taken(status: Status) -> None:
    task = given(*HISTORIES[status]).when(c.Delete("ada")).then(e.Deleted("ada"))
    assert task.life.status == "archived"
    assert task.exists


def test_what_runs_is_not_deleted() -> None:
    for status in ("scheduled", "running"):
        given(*HISTORIES[status]).when(c.Delete()).refused(f"the task is {status}; cancel it first")


@pytest.mark.parametrize("status", sorted(OPEN))
def test_an_open_task_ends_at_its_deadline_whatever_it_does(status: Status) -> None:
    task = given(*HISTORIES[status]).when(c.Expire(LATE)).then(e.Expired(LATE))
    life = task.life
    assert (life.status, life.error, life.waiting_for) == ("failed", LATE, None)
    given(*HISTORIES[status], e.Expired(LATE)).when(c.Complete(task.fence)).refused("the task is failed")


@pytest.mark.parametrize("status", sorted(FINAL - {"archived"}))
def test_a_deadline_that_comes_after_the_end_is_quiet(status: Status) -> None:
    given(*HISTORIES[status]).when(c.Expire(LATE)).quietly()


def test_a_fork_waits_for_its_steps_and_begins_with_them() -> None:
    waits = given(FORK)
    assert (waits.state.life.status, waits.state.life.waiting_for) == ("waiting", "fork")
    told = waits.when(c.Inherit((COUNT,)), c.Inherit((COPY,), last=True))
    task = told.then(e.Forked((COUNT,)), e.Forked((COPY,)), e.Readied())
    assert (task.life.status, task.life.steps_completed) == ("pending", 2)
    assert [(entry.name, entry.result, entry.attempt) for entry in task.journal] == [
        ("count", 3, 0),
        ("copy", {"rows": 3}, 0),
    ]
    entry = task.journal.last("count")
    assert entry is not None
    assert (entry.took_s, entry.fingerprint) == (0.1, "f1")


def test_steps_that_came_before_are_inherited_once() -> None:
    given(FORK, e.Forked((COUNT,))).when(c.Inherit((COUNT,))).quietly()
    given(FORK, e.Forked((COUNT,))).when(c.Inherit((COUNT, COPY), last=True)).then(e.Forked((COPY,)), e.Readied())
    given(FORK).when(c.Inherit((), last=True)).then(e.Readied())


def test_only_a_fork_that_waits_inherits() -> None:
    for history in ((FORK, e.Readied()), PENDING, RUNNING):
        given(*history).when(c.Inherit((COUNT,))).refused("no fork that waits for its steps")


@pytest.mark.parametrize("status", sorted(set(HISTORIES) - {"archived"}))
def test_a_task_knows_its_forks_each_once(status: Status) -> None:
    task = given(*HISTORIES[status]).when(c.NoteFork("t-2", "copy")).then(e.ForkMade("t-2", "copy"))
    assert (task.life.forks, task.life.status) == (("t-2",), status)
    given(*HISTORIES[status], e.ForkMade("t-2", "copy")).when(c.NoteFork("t-2", "copy")).quietly()


def test_an_archived_task_is_left_alone() -> None:
    for command in (c.Edit(SPEC), c.Delete(), c.Expire(LATE), c.Inherit((COUNT,)), c.NoteFork("t-2", "copy")):
        given(*HISTORIES["archived"]).when(command).refused("the task is archived")


def test_a_failure_can_ask_for_a_person_or_for_another_node() -> None:
    asks = c.Fail(FENCE, ERROR, "blocked")
    life = given(*RUNNING).when(asks).then(e.AttemptFailed(error=ERROR, then="blocked")).life
    assert (life.status, life.blocked_reason) == ("blocked", "network: no route to host")
    elsewhere = e.AttemptFailed(error=ERROR, then="retry", retry_at_ns=9 * SECOND, elsewhere=True)
    life = given(*RUNNING).when(c.Fail(FENCE, ERROR, "retry", 9 * SECOND, elsewhere=True)).then(elsewhere).life
    assert (life.status, life.avoid, life.node) == ("waiting", "n1", "")
    assert given(*RUNNING, elsewhere, e.Readied()).state.life.avoid == "n1"


def test_a_signal_wakes_the_task_that_waits_for_it_and_no_other() -> None:
    waits = given(*RUNNING, e.Waiting("signal", 0, "approve"))
    assert waits.when(c.Signal("other")).then(e.Signalled("other")).life.status == "waiting"
    task = waits.when(c.Signal("approve", {"by": "ada"})).then(e.Signalled("approve", {"by": "ada"}), e.Readied())
    assert task.life.status == "pending"
    first, none = task.journal.nth("signal:approve", 0), task.journal.nth("signal:approve", 1)
    assert (first and first.result, none) == ({"by": "ada"}, None)


ASKED = e.Submitted(skill="echo", params={"a": [1, {"b": None}]}, user="ada", tags=("x",), not_before_ns=5)


def test_a_tombstone_says_all_that_is_left_and_knows_a_repeat_in_later_releases() -> None:
    digest = "341d23c600ab6e608f3ef556"  # for ever: a repeat of what an older release has archived goes on being one
    tombstone = e.TaskArchived(file="f-1", first=7, ended="cancelled", skill="echo", user="ada", digest=digest)
    before = TASK.evolve(Task(), ASKED, 0)
    for event in (e.CancelRequested(), e.Cancelled()):
        before = TASK.evolve(before, event, 0)
    assert TASK.decide(c.ArchiveTask("f-1", 7), before) == (tombstone,)
    assert TASK.evolve(before, tombstone, 9) == TASK.evolve(Task(), tombstone, 9)
    given(tombstone).when(c.Submit(ASKED)).quietly()
    given(tombstone).when(c.Submit(replace(ASKED, not_before_ns=9), delayed=True)).quietly()
    for other in (replace(ASKED, params={"a": 2}), replace(ASKED, user="eve"), replace(ASKED, tags=())):
        given(tombstone).when(c.Submit(other)).refused("was archived")
    given(tombstone).when(c.ArchiveTask("f-2", 7)).quietly()
    given(tombstone).when(c.RetryTask()).refused("the task is archived")
