"""Points in time as people and scripts read them."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

__all__ = ["iso"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_FIRST = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _SECOND
_LAST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _SECOND


def iso(at_ns: int) -> str | None:
    """ISO 8601 in UTC with its zone; None for 0, which means never. What no calendar holds becomes its nearest end."""
    if at_ns == 0:
        return None
    second, ns = divmod(at_ns, 1_000_000_000)
    return f"{_to_the_second(min(max(second, _FIRST), _LAST))}.{ns // 1000:06d}+00:00"


@lru_cache(maxsize=4096)  # rows of one list lie close together, and the calendar is slow
def _to_the_second(second: int) -> str:
    return (_EPOCH + timedelta(seconds=second)).isoformat()[:19]
