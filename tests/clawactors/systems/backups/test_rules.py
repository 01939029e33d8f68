"""The plan of backups and what becomes of them, as sentences."""

import msgspec
import pytest

from clawactors.kernel.errors import Refused
from clawactors.runtime.client.backuprows import BackupRow, age_of, verdict_on
from clawactors.systems.backups import BACKUP, BackupPlan, Backups, due_ns
from clawactors.systems.backups import commands as c
from clawactors.systems.backups import events as e
from clawactors.systems.backups.row import row

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND
DAY = 86_400
PLAN = BackupPlan(folder="/backups", every_s=DAY, copies=3)
MADE = c.NoteBackup(file="/backups/a.tar", size_bytes=9, last_seq=7, seconds=10, planned=True)


def after(*commands: c.BackupCommand, apart_s: int = 100) -> Backups:
    """The state after these commands, the first at `START`."""
    backups = BACKUP.initial
    for number, command in enumerate(commands):
        for event in BACKUP.decide(command, backups):
            backups = BACKUP.evolve(backups, event, START + number * apart_s * SECOND)
    return backups


def test_without_a_plan_none_is_due() -> None:
    assert due_ns(after(MADE)) is None
    assert due_ns(after(c.PlanBackups(PLAN), c.StopBackups())) is None


def test_the_first_of_a_plan_is_due_at_once_and_the_next_a_period_after_it_began() -> None:
    assert due_ns(after(c.PlanBackups(PLAN))) == 0
    assert due_ns(after(c.PlanBackups(PLAN), MADE)) == START + (100 - 10 + DAY) * SECOND


def test_after_a_failure_it_is_tried_again_soon_and_the_last_good_one_stays_known() -> None:
    failed = after(c.PlanBackups(PLAN), MADE, c.NoteFailedBackup("the disk is full"))
    assert due_ns(failed) == START + (200 + DAY // 24) * SECOND
    assert failed.last_ns == START + 100 * SECOND
    often = msgspec.structs.replace(PLAN, every_s=90)
    assert due_ns(after(c.PlanBackups(often), c.NoteFailedBackup("x"))) == START + (100 + 60) * SECOND
    assert after(c.PlanBackups(PLAN), c.NoteFailedBackup("x"), MADE).failure == ""


def test_a_backup_by_hand_is_the_last_good_one_and_leaves_the_plan_as_it_is() -> None:
    by_hand = msgspec.structs.replace(MADE, file="/other.tar", planned=False)
    backups = after(c.PlanBackups(PLAN), MADE, by_hand)
    assert backups.last is not None
    assert backups.last.file == "/other.tar"
    assert due_ns(backups) == due_ns(after(c.PlanBackups(PLAN), MADE))


def test_another_folder_gets_its_first_backup_at_once_and_another_period_does_not() -> None:
    elsewhere, oftener = (msgspec.structs.replace(PLAN, **new) for new in ({"folder": "/new"}, {"every_s": 3600}))
    assert due_ns(after(c.PlanBackups(PLAN), MADE, c.PlanBackups(elsewhere))) == 0
    assert due_ns(after(c.PlanBackups(PLAN), MADE, c.PlanBackups(oftener))) == START + (90 + 3600) * SECOND


def test_a_repeat_changes_nothing() -> None:
    assert BACKUP.decide(c.PlanBackups(PLAN), after(c.PlanBackups(PLAN))) == ()
    assert BACKUP.decide(c.StopBackups(), after(MADE)) == ()
    assert BACKUP.decide(c.NoteFailedBackup("x"), after(MADE)) == ()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"folder": "backups"}, "not a whole path"),
        ({"every_s": 59}, "shortest is 60 s"),
        ({"every_s": 1e9}, "longest 366 days"),
        ({"copies": 0}, "use 1 to"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(changed: dict[str, object], said: str) -> None:
    with pytest.raises(Refused, match=said):
        BACKUP.decide(c.PlanBackups(msgspec.structs.replace(PLAN, **changed)), BACKUP.initial)


def test_a_failure_without_a_plan_is_illegal() -> None:
    known = after(MADE)
    assert BACKUP.evolve(known, e.BackupFailed("x"), START) is known
    assert BACKUP.evolve(known, e.BackupsStopped(), START) is known


@pytest.mark.parametrize(
    ("commands", "later_s", "verdict", "said"),
    [
        ((), 0, "unknown", "none was ever made"),
        ((MADE,), 3 * 3600, "ok", "3 h old: /backups/a.tar; no plan"),
        ((c.PlanBackups(PLAN),), 10, "ok", "none was made yet"),
        ((c.PlanBackups(PLAN), MADE), DAY, "ok", "23 h old"),
        ((c.PlanBackups(PLAN), MADE), 3 * DAY, "warning", "late"),
        ((c.PlanBackups(PLAN), MADE), 9 * DAY, "failed", "8 d old"),
        ((c.PlanBackups(PLAN), MADE, c.NoteFailedBackup("full")), 300, "warning", "failed: full"),
        ((c.PlanBackups(PLAN), MADE, c.NoteFailedBackup("full")), 9 * DAY, "failed", "failed: full"),
    ],
)
def test_who_looks_after_it_is_told(
    commands: tuple[c.BackupCommand, ...], later_s: int, verdict: str, said: str
) -> None:
    backups = after(*commands)
    known = msgspec.convert(row("cluster", 1, backups), BackupRow) if commands else None
    found = verdict_on(known, START + later_s * SECOND)
    assert found[0] == verdict, found
    assert said in found[1]


def test_a_backup_is_as_old_as_people_say() -> None:
    known = msgspec.convert(row("cluster", 1, after(MADE)), BackupRow)
    ages = [age_of(known, START + seconds * SECOND) for seconds in (0, 5, 119, 121, 7300, 200_000)]
    assert ages == ["0 s old", "5 s old", "119 s old", "2 min old", "2 h old", "2 d old"]
