"""The main of a process that makes one backup of the plan: apart from control, which has other work to do."""

import asyncio
import sys
from pathlib import Path

import msgspec

from clawactors.app.processes.beside import begin
from clawactors.app.upkeep.backup import make_backup, prune
from clawactors.app.upkeep.folder import digests_in
from clawactors.app.upkeep.planned import BackupOutcome, BackupStart
from clawactors.eventlog import EventLogError
from clawactors.eventlog.jetstream import Connection
from clawactors.eventlog.jetstream.log.streams import EVENTS
from clawactors.systems.backups.commands import NoteBackup

__all__ = ["main"]


async def _make(start: BackupStart) -> NoteBackup:
    data = Path(start.data)
    async with await Connection.open(start.address, "claw-backup") as connection:
        made = await make_backup(
            connection,
            Path(start.plan.folder),
            digests=lambda: digests_in(data),
            data=data,
        )
    # Only now: at no moment are there fewer whole ones than are to be kept.
    prune(made.path.parent, made.manifest.log, start.plan.copies)
    return NoteBackup(
        file=str(made.path),
        size_bytes=made.size_bytes,
        last_seq=made.manifest.streams[EVENTS].state.last_seq,
        seconds=round(made.seconds, 3),
        planned=True,
    )


def main() -> None:
    """Reads its start from standard input, says the outcome on standard output."""
    start = begin(BackupStart)
    try:
        outcome = BackupOutcome(made=asyncio.run(_make(start)))
    except EventLogError as error:
        outcome = BackupOutcome(failure=str(error))
    sys.stdout.buffer.write(msgspec.json.encode(outcome) + b"\n")


if __name__ == "__main__":
    main()
