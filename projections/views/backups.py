"""The backups view: one row."""

from typing import Any, Final

from clawactors.projections.engine.named import NamedTables, named_view
from clawactors.projections.engine.store import Reading
from clawactors.systems.backups import CLUSTER, BackupPlan, Backups
from clawactors.systems.backups.events import BackupMade
from clawactors.systems.backups.row import row

__all__ = ["BACKUPS_VIEW", "backup_row"]

_TABLES: Final = NamedTables("backup", "backups", Backups)

BACKUPS_VIEW: Final = named_view(_TABLES, Backups, BackupPlan, BackupMade, row=row)


def backup_row(reading: Reading) -> dict[str, Any] | None:
    """The row, None where no backup was ever made or planned."""
    stored = _TABLES.read(reading, CLUSTER)
    return None if stored is None else row(stored.name, stored.version, stored.state)
