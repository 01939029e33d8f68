"""The numbered rules of schedules, as sentences."""

import pytest

from clawactors.kernel.errors import Refused
from clawactors.kernel.time import time_ns
from clawactors.systems.schedules import SCHEDULE, Schedule, task_id
from clawactors.systems.schedules import commands as c
from clawactors.systems.schedules import events as e
from clawactors.systems.schedules.decider import AT_ONCE
from clawactors.systems.schedules.planning import checked_name, plan_of
from clawactors.systems.schedules.row import row
from tests.spec import spec

given = spec(SCHEDULE)

MINUTE = 60 * 10**9
NINE = time_ns("2026-01-01T09:00:00Z")
DAY = 24 * 60 * MINUTE


def plan(cron: str = "0 9 * * *", catch_up: e.CatchUp = "coalesce") -> e.SchedulePlan:
    return plan_of(cron, "echo", {"text": "hi"}, catch_up=catch_up)


def added(plan: e.SchedulePlan, next_ns: int = NINE) -> e.ScheduleAdded:
    return e.ScheduleAdded(cron=plan.cron, task=plan.task, zone=plan.zone, catch_up=plan.catch_up, next_ns=next_ns)


DAILY = added(plan())
ALIVE = {"active": (DAILY,), "paused": (DAILY, e.SchedulePaused())}
GONE: dict[str, tuple[e.ScheduleEvent, ...]] = {"absent": (), "removed": (DAILY, e.ScheduleRemoved())}


# Rule 1: it fires for its next time, once


def test_it_fires_and_names_the_next_time() -> None:
    state = (
        given(DAILY)
        .when(c.FireSchedule(NINE, NINE))
        .then(e.ScheduleFired(due_ns=NINE, times=(NINE,), next_ns=NINE + DAY))
    )
    assert (state.due_ns, state.last_ns, state.fired) == (NINE + DAY, NINE, 1)


def test_a_clock_that_is_behind_fires_the_due_time_all_the_same() -> None:
    given(DAILY).when(c.FireSchedule(NINE, 0)).then(e.ScheduleFired(due_ns=NINE, times=(NINE,), next_ns=NINE + DAY))


@pytest.mark.parametrize("history", [*ALIVE.values(), *GONE.values()])
def test_any_other_time_is_quiet(history: tuple[e.ScheduleEvent, ...]) -> None:
    given(*history).when(c.FireSchedule(NINE - MINUTE, NINE)).quietly()


def test_a_repeat_is_quiet() -> None:
    given(DAILY).when(c.FireSchedule(NINE, NINE), c.FireSchedule(NINE, NINE)).then(
        e.ScheduleFired(due_ns=NINE, times=(NINE,), next_ns=NINE + DAY)
    )


@pytest.mark.parametrize("history", [ALIVE["paused"], *GONE.values()])
def test_what_is_paused_or_gone_does_not_fire(history: tuple[e.ScheduleEvent, ...]) -> None:
    given(*history).when(c.FireSchedule(NINE, NINE)).quietly()


def test_the_id_of_a_task_says_schedule_and_time() -> None:
    assert task_id("nightly", NINE) == "nightly-20260101T090000Z"


# Rule 2: missed times


def times(catch_up: e.CatchUp, late_ns: int, cron: str = "* * * * *") -> tuple[list[int], int]:
    [event] = SCHEDULE.decide(
        c.FireSchedule(NINE, NINE + late_ns), SCHEDULE.evolve(Schedule(), added(plan(cron, catch_up)), 1)
    )
    assert isinstance(event, e.ScheduleFired)
    return [(at_ns - NINE) // MINUTE for at_ns in event.times], (event.next_ns - NINE) // MINUTE


@pytest.mark.parametrize("catch_up", ["fire", "skip", "coalesce"])
def test_a_time_that_is_late_by_seconds_is_not_missed(catch_up: e.CatchUp) -> None:
    assert times(catch_up, 0) == ([0], 1)
    assert times(catch_up, MINUTE) == ([0, 1], 2)


def test_fire_makes_all_of_them() -> None:
    assert times("fire", 5 * MINUTE + 1) == ([0, 1, 2, 3, 4, 5], 6)


def test_coalesce_makes_one_for_all_of_them() -> None:
    assert times("coalesce", 5 * MINUTE + 1) == ([5], 6)
    assert times("coalesce", 5 * MINUTE + 1, "0 9 * * *") == ([0], 24 * 60)


def test_skip_makes_none_of_them() -> None:
    assert times("skip", 5 * MINUTE + 1) == ([5], 6)  # the last one is on time
    assert times("skip", 5 * MINUTE + 1, "0 9 * * *") == ([], 24 * 60)


def test_very_many_come_in_several_commits() -> None:
    made, following = times("fire", 1000 * MINUTE)
    assert (len(made), following) == (AT_ONCE, AT_ONCE)


def test_times_of_a_pause_never_come() -> None:
    later = NINE + 10 * DAY + MINUTE
    state = given(DAILY, e.SchedulePaused()).when(c.ResumeSchedule(later)).then(e.ScheduleResumed(NINE + 11 * DAY))
    assert state.due_ns == NINE + 11 * DAY


# Rule 3: repeats and contradictions


def test_adding_it_again_is_quiet_and_another_plan_is_refused() -> None:
    given().when(c.AddSchedule(plan(), NINE - MINUTE, "ada")).then(
        e.ScheduleAdded(cron="0 9 * * *", task=plan().task, next_ns=NINE, by="ada")
    )
    for history in ALIVE.values():
        given(*history).when(c.AddSchedule(plan(), NINE)).quietly()
        given(*history).when(c.AddSchedule(plan("1 9 * * *"), NINE)).refused(
            "exists with a different plan; remove it first"
        )


def test_a_removed_name_is_free_again() -> None:
    given(DAILY, e.ScheduleRemoved()).when(c.AddSchedule(plan("1 9 * * *"), NINE)).then(
        added(plan("1 9 * * *"), NINE + MINUTE)
    )


@pytest.mark.parametrize("history", GONE.values())
@pytest.mark.parametrize("command", [c.PauseSchedule(), c.ResumeSchedule(NINE), c.RemoveSchedule()])
def test_what_is_not_there_is_refused(history: tuple[e.ScheduleEvent, ...], command: c.ScheduleCommand) -> None:
    given(*history).when(command).refused("there is no such schedule")


def test_repeated_commands_are_quiet() -> None:
    given(DAILY, e.SchedulePaused()).when(c.PauseSchedule()).quietly()
    given(DAILY).when(c.ResumeSchedule(NINE)).quietly()


def test_an_absurd_line_writes_nothing() -> None:
    given().when(c.AddSchedule(plan("61 * * * *"), NINE)).refused("bad minute")


# Plans and rows


@pytest.mark.parametrize("name", ["", "a b", "a.b", "x" * 101, "ü"])
def test_a_name_that_leads_to_no_ids_is_refused(name: str) -> None:
    with pytest.raises(Refused):
        checked_name(name)


@pytest.mark.parametrize("options", [{"catch_up": "maybe"}, {"deadline_ns": 5}, {"after": ["t"]}, {"priority": 9}])
def test_a_plan_that_makes_no_sense_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(Refused):
        plan_of("* * * * *", "echo", **options)  # type: ignore[arg-type]


def test_the_row_tells_all() -> None:
    state = (
        given(DAILY)
        .when(c.FireSchedule(NINE, NINE))
        .then(e.ScheduleFired(due_ns=NINE, times=(NINE,), next_ns=NINE + DAY))
    )
    told = row("nightly", 7, state)
    assert (told["name"], told["status"], told["cron"], told["zone"]) == ("nightly", "active", "0 9 * * *", "UTC")
    assert (told["last_task"], told["fired"]) == ("nightly-20260101T090000Z", 1)
    assert told["next_at"] == "2026-01-02T09:00:00.000000+00:00"
