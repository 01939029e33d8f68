"""What people write on a command line or in the environment, as values: the data folder, durations, times."""

import os
import re
import sys
from datetime import datetime
from pathlib import Path

__all__ = ["data_folder", "duration_s", "time_ns"]

_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_DURATION = re.compile(rf"(?:{_PART.pattern})+", re.ASCII)
_LONGEST_S = 100 * 365 * 86400.0


def data_folder(given: str | None = None) -> Path:
    """Where a cluster keeps everything: what was given, else `CLAW_DATA`, else `claw` in the user's data folder."""
    if chosen := given or os.environ.get("CLAW_DATA"):
        return Path(chosen).expanduser().absolute()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "claw"
    home = os.environ.get("XDG_DATA_HOME", "")
    # The XDG specification has relative paths ignored.
    return (Path(home) if home.startswith("/") else Path.home() / ".local" / "share") / "claw"


def duration_s(text: str) -> float:
    """The seconds in `30s`, `1.5s`, `5m`, `2h`, `7d`, `250ms` or several of them, as in `1h30m`.

    Raises: `ValueError` with what is understood; a number without a unit is not.
    """
    if not _DURATION.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is no duration: write 30s, 5m, 2h or 7d")
    total = sum(float(number) * _UNITS_S[unit] for number, unit in _PART.findall(text))
    if total > _LONGEST_S:
        raise ValueError(f"{text[:40]!r} is longer than 100 years")
    return total


def time_ns(text: str) -> int:
    """Nanoseconds since 1970 of an ISO 8601 time with its zone, as in `2026-05-01T09:00:00+02:00` or `…Z`.

    Raises: `ValueError` with what is understood; a time without a zone means another moment on each machine.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text[:40]!r} is no time: write 2026-05-01T09:00:00Z") from None
    if moment.tzinfo is None:
        raise ValueError(f"{text[:40]!r} has no zone: end it with Z or an offset such as +02:00")
    # `timestamp()` is a float, which is too coarse for nanoseconds.
    whole = moment.replace(microsecond=0)
    return int(whole.timestamp()) * 1_000_000_000 + moment.microsecond * 1000
