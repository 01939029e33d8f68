"""Times as people give them."""

from datetime import datetime
from typing import Final

from clawactors.kernel.errors import InvalidQuery
from clawactors.kernel.time import time_ns

__all__ = ["Moment", "moment_ns"]

_FIRST_NS: Final = -(2**63)
_LAST_NS: Final = 2**63 - 1

type Moment = datetime | str | int
"""A time with its zone, as ISO 8601 or as nanoseconds since 1970."""


def moment_ns(moment: object) -> int | None:
    """Nanoseconds since 1970, held to what 64 bits hold. Raises: `InvalidQuery` (not a valid time, no zone)."""
    if moment is None:
        return None
    if not isinstance(moment, datetime | str | int) or isinstance(moment, bool):
        raise InvalidQuery(f"{moment!r} is not a valid time: give a datetime with zone, ISO 8601 text, or nanoseconds")
    if not isinstance(moment, int):
        try:
            moment = time_ns(moment.isoformat() if isinstance(moment, datetime) else moment)
        except (ValueError, OverflowError) as error:
            raise InvalidQuery(str(error)) from None
    return max(_FIRST_NS, min(moment, _LAST_NS))
