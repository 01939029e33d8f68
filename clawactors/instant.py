"""Points in time as people and scripts read them."""

from datetime import UTC, datetime, timedelta

__all__ = ["iso"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_US = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
_LAST_US = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)


def iso(at_ns: int) -> str | None:
    """ISO 8601 in UTC with its zone; None for 0, which means never. What no calendar holds becomes its nearest end."""
    if at_ns == 0:
        return None
    at_us = min(max(at_ns // 1000, _FIRST_US), _LAST_US)
    return (_EPOCH + timedelta(microseconds=at_us)).isoformat(timespec="microseconds")
