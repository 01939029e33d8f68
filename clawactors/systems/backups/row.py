"""Backups as people and scripts read them. The keys are promises: extend freely, drop none."""

from typing import Any

from clawactors.kernel.time import iso
from clawactors.systems.backups.decider import Backups, due_ns

__all__ = ["row"]


def row(name: str, version: int, backups: Backups) -> dict[str, Any]:
    """The plan and the last backup. Times are ISO 8601 with zone or None."""
    plan, last, due = backups.plan, backups.last, due_ns(backups)
    return {
        "name": name,
        "status": backups.status,
        "folder": plan.folder if plan else None,
        "every_s": plan.every_s if plan else None,
        "copies": plan.copies if plan else None,
        "due_at": iso(due or backups.updated_ns) if due is not None else None,
        "last_at": iso(backups.last_ns),
        "last_file": last.file if last else None,
        "last_bytes": last.size_bytes if last else None,
        "last_seq": last.last_seq if last else None,
        "last_s": last.seconds if last else None,
        "failed_at": iso(backups.failed_ns),
        "failure": backups.failure or None,
        "version": version,
    }
