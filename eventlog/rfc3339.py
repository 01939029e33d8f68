"""Times as the server writes and reads them: RFC 3339 in UTC, to the nanosecond."""

from datetime import UTC, datetime
from functools import lru_cache

__all__ = ["nanoseconds", "rfc3339"]


def rfc3339(at_ns: int) -> str:
    """The text of a time in ns since 1970."""
    return f"{datetime.fromtimestamp(at_ns // 1_000_000_000, UTC):%Y-%m-%dT%H:%M:%S}.{at_ns % 1_000_000_000:09d}Z"


def nanoseconds(text: str) -> int:
    """The time in ns since 1970, 0 if the text is empty."""
    if not text:
        return 0
    whole, _, fraction = text.rstrip("Z").partition(".")
    return _second_ns(whole) + int(fraction.ljust(9, "0")[:9])


@lru_cache(maxsize=4)
def _second_ns(whole: str) -> int:
    return int(datetime.fromisoformat(f"{whole}+00:00").timestamp()) * 1_000_000_000
