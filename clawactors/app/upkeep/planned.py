"""Backups of the plan: each is made by a process of its own, so that the work of the cluster goes on beside it."""

import os
from collections.abc import Awaitable, Callable

import msgspec

from clawactors.app.processes.beside import beside
from clawactors.eventlog import Misconfigured, Unavailable
from clawactors.eventlog.jetstream import Address
from clawactors.systems.backups import BackupPlan
from clawactors.systems.backups.commands import NoteBackup

__all__ = ["BackupOutcome", "BackupStart", "in_a_process", "outcome_of"]


class BackupStart(msgspec.Struct, frozen=True):
    """What the process is told."""

    parent: int
    address: Address
    data: str
    plan: BackupPlan


class BackupOutcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """What it says."""

    made: NoteBackup | None = None
    failure: str = ""


def in_a_process(address: Address, data: str) -> Callable[[BackupPlan], Awaitable[NoteBackup]]:
    """Makes backups of the cluster at that server; the views are in the data folder."""

    async def make(plan: BackupPlan) -> NoteBackup:
        start = BackupStart(os.getpid(), address, data, plan)
        async with beside("clawactors.app.processes.backup") as process:
            said, _ = await process.communicate(msgspec.json.encode(start) + b"\n")
        return outcome_of(said, process.returncode)

    return make


def outcome_of(said: bytes, code: int | None) -> NoteBackup:
    """The backup that the process says it made. Raises: `Misconfigured` with its reason, `Unavailable`."""
    try:
        outcome = msgspec.json.decode(said, type=BackupOutcome)
    except msgspec.MsgspecError:
        raise Unavailable(f"the process that made it ended with {code}") from None
    if outcome.made is None:
        raise Misconfigured(outcome.failure)
    return outcome.made
