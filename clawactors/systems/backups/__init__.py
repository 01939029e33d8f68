"""Backups of the cluster: how often one is made and where, and what became of the last; pure.

In: `commands` from people, and from who made one. Out: `events` on `claw.backup.cluster.log`, the one aggregate.
Never here: what is in a backup, and making it (`clawactors.app.upkeep`).
"""

from clawactors.systems.backups.decider import BACKUP, Backups, due_ns
from clawactors.systems.backups.events import BackupPlan

__all__ = ["BACKUP", "CLUSTER", "BackupPlan", "Backups", "due_ns"]

CLUSTER = "cluster"
"""The id of the one aggregate."""
