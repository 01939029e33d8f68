"""The numbered rules of triggers, as sentences."""

import pytest
from msgspec.structs import replace

from clawactors.kernel.errors import Refused
from clawactors.systems.tasks import events as te
from clawactors.systems.triggers import TRIGGER, Trigger, delivery_id
from clawactors.systems.triggers import commands as c
from clawactors.systems.triggers import events as e
from clawactors.systems.triggers.decider import KEPT
from clawactors.systems.triggers.names import name_of, tags_of
from tests.spec import spec

given = spec(TRIGGER)

PLAN = e.TriggerPlan(on=("task.dead",), publish="app.dead")
ADDED = e.TriggerAdded(on=("task.dead",), publish="app.dead")
BEGUN = e.TriggerAdvanced(position=5)
PLACE = e.Place("task", "t1", 7)
FAILURE = e.TriggerFailure(PLACE, "task.dead", "answered 500", 5)


def test_it_is_added_once_and_another_plan_is_refused() -> None:
    given().when(c.AddTrigger(PLAN)).then(ADDED)
    given(ADDED).when(c.AddTrigger(PLAN)).then()
    given(ADDED).when(c.AddTrigger(replace(PLAN, rate=1))).refused("exists with a different plan")
    given(ADDED, e.TriggerRemoved()).when(c.AddTrigger(PLAN)).then(ADDED)


def test_1_the_position_rises_and_what_two_leaders_did_counts_once() -> None:
    advance = c.AdvanceTrigger(after=5, position=9, fired=4)
    given(ADDED, BEGUN).when(advance).then(e.TriggerAdvanced(position=9, fired=4))
    given(ADDED, BEGUN).when(advance, advance).then(e.TriggerAdvanced(position=9, fired=4))
    given(ADDED, BEGUN).when(c.AdvanceTrigger(after=5, position=4)).then()
    given(ADDED, BEGUN).when(c.AdvanceTrigger(after=5, position=5)).then()


def test_1_a_record_from_behind_changes_nothing() -> None:
    state = TRIGGER.evolve(TRIGGER.evolve(Trigger(), ADDED, 1), e.TriggerAdvanced(position=9), 2)
    assert TRIGGER.evolve(state, e.TriggerAdvanced(position=8, fired=1), 3) is state


def test_2_all_failures_are_counted_and_the_newest_are_kept() -> None:
    failures = tuple(replace(FAILURE, place=replace(PLACE, seq=number)) for number in range(KEPT + 7))
    state = TRIGGER.evolve(TRIGGER.evolve(Trigger(), ADDED, 1), e.TriggerAdvanced(position=900, failures=failures), 2)
    assert state.failed == KEPT + 7
    assert [failure.place.seq for failure in state.failures] == list(range(7, KEPT + 7))


def test_2_what_failed_is_delivered_again_until_it_is_told_how_it_went() -> None:
    failed = (ADDED, e.TriggerAdvanced(position=9, failures=(FAILURE,)))
    again = e.TriggerRedriven((PLACE,))
    given(*failed).when(c.RedriveTrigger()).then(again)
    given(*failed, again).when(c.RedriveTrigger()).then()
    done = c.AdvanceTrigger(after=9, position=9, fired=1, redone=(PLACE,))
    given(*failed, again).when(done).then(e.TriggerAdvanced(position=9, fired=1, redone=(PLACE,)))
    given(*failed).when(c.AdvanceTrigger(after=9, position=9, redone=(PLACE,))).then()


def test_3_it_is_held_and_goes_on() -> None:
    given(ADDED).when(c.PauseTrigger()).then(e.TriggerPaused())
    given(ADDED, e.TriggerPaused()).when(c.PauseTrigger()).then()
    given(ADDED, e.TriggerPaused()).when(c.ResumeTrigger()).then(e.TriggerResumed())
    given(ADDED).when(c.StopTrigger("loop")).then(e.TriggerStopped("loop"))
    given(ADDED, e.TriggerStopped("loop")).when(c.ResumeTrigger()).then(e.TriggerResumed())
    given(ADDED, e.TriggerStopped("loop")).when(c.StopTrigger("loop")).then()


@pytest.mark.parametrize("command", [c.PauseTrigger(), c.ResumeTrigger(), c.RedriveTrigger(), c.RemoveTrigger()])
def test_what_is_not_there_refuses_all(command: c.TriggerCommand) -> None:
    given().when(command).refused("there is no such trigger")
    with pytest.raises(Refused):
        TRIGGER.decide(c.AdvanceTrigger(after=0, position=1), Trigger())


def test_what_follows_is_named_by_trigger_and_event() -> None:
    assert delivery_id("hook", PLACE) == "hook-7-0"


def test_the_end_of_a_task_has_one_name() -> None:
    error = te.TaskError("ValueError", "no")
    assert name_of(te.AttemptFailed(error=error, then="dead")) == "task.dead"
    assert name_of(te.AttemptFailed(error=error, then="retry")) == "task.attempt_failed"
    assert name_of(te.Interrupted("lost", dead=True)) == "task.dead"
    assert tags_of(["task.dead", "node.lost"]) == ("node.lost", "task.attempt_failed", "task.interrupted")


def test_only_what_notifies_can_be_muted() -> None:
    told = e.TriggerAdded(on=("task.dead",), notify=e.Notification(to="desktop", when=("dead",)))
    given(ADDED).when(c.MuteTrigger(9)).refused("only what notifies can be muted")
    state = given(told).when(c.MuteTrigger(9), c.MuteTrigger(9)).then(e.TriggerMuted(9))
    assert (state.muted_until_ns, state.status) == (9, "active")
    given(told, e.TriggerMuted(9)).when(c.MuteTrigger(0)).then(e.TriggerMuted(0))
