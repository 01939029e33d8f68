"""Backups as a client sees them: the plan, what became of the last, and changes of the plan."""

from typing import TYPE_CHECKING

import msgspec

from clawactors.kernel.errors import NotFound
from clawactors.kernel.fold import Snapshot
from clawactors.runtime.client.backuprows import BackupRow
from clawactors.runtime.client.named import NamedChanges
from clawactors.systems.backups import CLUSTER, BackupPlan, Backups
from clawactors.systems.backups import external as x
from clawactors.systems.backups.row import row

if TYPE_CHECKING:
    from clawactors.runtime.client.client import ClusterClient

__all__ = ["ClusterBackups"]


def _row_of(known: Snapshot[Backups]) -> BackupRow:
    """The row of that state."""
    return msgspec.convert(row(CLUSTER, known.version, known.state), BackupRow)


class ClusterBackups(NamedChanges[Backups]):
    """The backups of a cluster, as its client sees them."""

    def __init__(self, client: "ClusterClient") -> None:
        super().__init__(client, "backup", Backups, str)

    async def plan(self, folder: str, every_s: float, copies: int = 7) -> BackupRow:
        """Has the process that leads make one every `every_s` seconds in `folder`, and leave the newest `copies` there.

        The folder is on the machine of that process. Raises: `Refused`.
        """
        plan = BackupPlan(folder=folder, every_s=every_s, copies=copies)
        return _row_of(await self._ask(CLUSTER, x.PlanBackupsRequest(plan=plan)))

    async def stop(self) -> BackupRow:
        """Ends the plan; the files stay."""
        return _row_of(await self._ask(CLUSTER, x.StopBackupsRequest()))

    async def note(self, file: str, size_bytes: int, last_seq: int, seconds: float) -> BackupRow:
        """Records that somebody has made a backup."""
        request = x.NoteBackupRequest(file=file, size_bytes=size_bytes, last_seq=last_seq, seconds=seconds)
        return _row_of(await self._ask(CLUSTER, request))

    async def get(self, *, fresh: bool = True) -> BackupRow | None:
        """The plan and the last backup, None where there never was one. Raises: `Unavailable`."""
        try:
            return await self._client.views.row(BackupRow, "backup", id=CLUSTER, fresh=fresh)
        except NotFound:
            return None
