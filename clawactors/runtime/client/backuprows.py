"""The row of backups, and whether the cluster has those that it should have."""

from typing import Final, Literal

import msgspec

from clawactors.kernel.time import time_ns

__all__ = ["BackupRow", "age_of", "verdict_on"]

_LATE: Final = 2
_LOST: Final = 4
"""Periods without a backup after which a plan is late, and has failed."""
_UNITS: Final = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))


class BackupRow(msgspec.Struct, frozen=True, kw_only=True):
    """The plan of backups, the last good one, and the failure after it; what is not known is None."""

    name: str
    status: str
    folder: str | None
    every_s: float | None
    copies: int | None
    due_at: str | None
    last_at: str | None
    last_file: str | None
    last_bytes: int | None
    last_seq: int | None
    last_s: float | None
    failed_at: str | None
    failure: str | None
    version: int


def age_of(row: BackupRow, now_ns: int) -> str:
    """How old the last good backup is, for people: `3 h old`."""
    age_s = max(0, now_ns - time_ns(row.last_at)) // 1_000_000_000 if row.last_at else 0
    size, unit = next((each for each in _UNITS if age_s >= 2 * each[0]), _UNITS[-1])
    return f"{age_s // size} {unit} old"


def verdict_on(row: BackupRow | None, now_ns: int) -> tuple[Literal["ok", "warning", "unknown", "failed"], str]:
    """Whether the cluster has the backups that it should have, and what to do if not."""
    if row is None or (row.last_at is None and row.folder is None):
        return "unknown", "none was ever made: claw backup DIR makes one, --every 1d one a day"
    last = f"the last one is {age_of(row, now_ns)}: {row.last_file}" if row.last_at else "none was made yet"
    if row.every_s is None or row.due_at is None:
        return "ok", f"{last}; no plan makes more: claw backup DIR --every 1d"
    failed = f"; the next one failed: {row.failure}" if row.failure else ""
    late_s = (now_ns - time_ns(row.due_at)) / 1e9 + row.every_s
    if row.failed_at and row.last_at:
        late_s = max(late_s, (now_ns - time_ns(row.last_at)) / 1e9)
    if late_s > _LOST * row.every_s:
        return "failed", f"{last}, and one is due every {row.every_s:g} s{failed}"
    if failed or late_s > _LATE * row.every_s:
        return "warning", f"{last}{failed or ', and the next one is late'}"
    return "ok", f"{last}; the next one at {row.due_at[:19]}Z"
