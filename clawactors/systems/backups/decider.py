"""The rules of backups.

1. The first backup of a plan is due at once, the next one period after the last began.
2. A plan of the settings counts when they change, one of `claw backup` when it is made: the later one.
3. After a failure it is tried again after a twenty-fourth of the period, or a minute. The last good one stays known.
"""

from typing import Final, assert_never

import msgspec
from msgspec.structs import replace

from clawactors.kernel.decider import Decider
from clawactors.kernel.errors import Refused
from clawactors.systems.backups import commands as c
from clawactors.systems.backups import events as e

__all__ = ["BACKUP", "Backups", "decide", "due_ns", "evolve"]

_SHORTEST_S: Final = 60.0
_LONGEST_S: Final = 366 * 86_400.0
_MOST_KEPT: Final = 10_000
_REASON_MAX: Final = 1000
_AGAIN: Final = 24
_SECOND_NS: Final = 1_000_000_000


class Backups(msgspec.Struct, frozen=True, omit_defaults=True):
    """The plan, the last good backup, and the failure after it, if any; times in ns since 1970.

    `began_ns` is when the last backup of the plan began, also one that failed. `of_settings` is the plan that the
    settings of the cluster made last.
    """

    plan: e.BackupPlan | None = None
    last: e.BackupMade | None = None
    last_ns: int = 0
    began_ns: int = 0
    failure: str = ""
    failed_ns: int = 0
    updated_ns: int = 0
    of_settings: e.BackupPlan | None = None

    @property
    def exists(self) -> bool:
        """True once anything is known."""
        return self.updated_ns > 0

    @property
    def status(self) -> str:
        """For people."""
        return "planned" if self.plan else "not planned"


def due_ns(backups: Backups) -> int | None:
    """When the next backup of the plan is due, None without a plan."""
    if backups.plan is None:
        return None
    period_s = backups.plan.every_s
    if backups.failure:
        period_s = min(period_s, max(_SHORTEST_S, period_s / _AGAIN))
    return backups.began_ns + int(period_s * _SECOND_NS) if backups.began_ns else 0


def decide(command: c.BackupCommand, backups: Backups) -> tuple[e.BackupEvent, ...]:
    """The events that the command leads to in this state, none for a repeat. Raises `Refused`."""
    match command:
        case c.PlanBackups(plan=plan, by=by, of_settings=of_settings):
            _check(plan)
            if backups.plan == plan and (not of_settings or backups.of_settings == plan):
                return ()
            return (e.BackupsPlanned(**msgspec.structs.asdict(plan), by=by, of_settings=of_settings),)
        case c.StopBackups(by=by, of_settings=True):
            return (e.BackupsStopped(by, of_settings=True),) if backups.of_settings else ()
        case c.StopBackups(by=by):
            return (e.BackupsStopped(by),) if backups.plan else ()
        case c.NoteBackup():
            return (e.BackupMade(**msgspec.structs.asdict(command)),)
        case c.NoteFailedBackup(reason=reason):
            return (e.BackupFailed(reason[:_REASON_MAX]),) if backups.plan else ()
        case _:
            assert_never(command)


def _check(plan: e.BackupPlan) -> None:
    if not plan.folder.startswith("/"):
        raise Refused(f"the folder {plan.folder[:100]!r} of backups is not a whole path: write one that begins with /")
    if not _SHORTEST_S <= plan.every_s <= _LONGEST_S:
        raise Refused(f"backups every {plan.every_s:g} s: the shortest is {_SHORTEST_S:g} s, the longest 366 days")
    if not 1 <= plan.copies <= _MOST_KEPT:
        raise Refused(f"backups to keep: {plan.copies}; use 1 to {_MOST_KEPT}")


def evolve(backups: Backups, event: e.BackupEvent, at_ns: int) -> Backups:
    """The state after the event; the same object where the event is illegal in this state."""
    match event:
        case e.BackupsPlanned():
            plan = e.BackupPlan(folder=event.folder, every_s=event.every_s, copies=event.copies)
            elsewhere = backups.plan is None or backups.plan.folder != plan.folder
            begun_ns = 0 if elsewhere else backups.began_ns
            if event.of_settings:
                backups = replace(backups, of_settings=plan)
            return replace(backups, plan=plan, began_ns=begun_ns, failure="", failed_ns=0, updated_ns=at_ns)
        case e.BackupsStopped(of_settings=True) if backups.of_settings is None:
            return backups
        case e.BackupsStopped(of_settings=True) if backups.plan != backups.of_settings:
            return replace(backups, of_settings=None, updated_ns=at_ns)
        case e.BackupsStopped(of_settings=True):
            return replace(backups, plan=None, of_settings=None, failure="", failed_ns=0, updated_ns=at_ns)
        case e.BackupsStopped():
            if backups.plan is None:
                return backups
            return replace(backups, plan=None, failure="", failed_ns=0, updated_ns=at_ns)
        case e.BackupMade():
            # A backup that somebody asked for says nothing about the folder of the plan.
            begun = {"began_ns": at_ns - int(event.seconds * _SECOND_NS), "failure": "", "failed_ns": 0}
            return replace(backups, last=event, last_ns=at_ns, updated_ns=at_ns, **(begun if event.planned else {}))
        case e.BackupFailed():
            if backups.plan is None:
                return backups
            return replace(backups, failure=event.reason, failed_ns=at_ns, began_ns=at_ns, updated_ns=at_ns)
        case _:
            assert_never(event)


BACKUP: Final[Decider[c.BackupCommand, Backups, e.BackupEvent]] = Decider("backup", Backups(), decide, evolve)
