"""Durable sleep: until when is decided once and put on record, so that a resume does not sleep anew."""

from typing import Final

from clawactors.kernel.errors import Refused
from clawactors.kernel.time import duration_s, iso, time_ns

__all__ = ["IN_PLACE_S", "SLEEP", "seconds_of", "until_of", "written"]

SLEEP: Final = "sleep:"
"""What the names of sleeps, and of waits that end, begin with in a journal; no step's name does."""

IN_PLACE_S: Final = 1.0
"""A shorter sleep keeps its slot and is not on record: giving the slot away would take longer."""

_LONGEST_S: Final = 100 * 365 * 86_400.0


def seconds_of(wish: object) -> float:
    """The seconds to wait: a number, or a duration as in `7d`. Raises: `Refused`."""
    if isinstance(wish, str):
        try:
            return duration_s(wish)
        except ValueError as error:
            raise Refused(str(error)) from None
    if isinstance(wish, bool) or not isinstance(wish, int | float):
        raise Refused(f"a wait takes seconds or a duration as in '7d', not {repr(wish)[:40]}")
    if not 0 <= wish <= _LONGEST_S:  # which NaN is not either
        raise Refused(f"can't wait {wish:g} seconds; it takes 0 to 100 years")
    return float(wish)


def written(until_ns: int) -> str:
    """The moment as it is put on record, never before it."""
    return iso(-(-until_ns // 1000) * 1000) or ""


def until_of(result: object) -> int:
    """The moment that is on record, ns since 1970. Raises: `Refused` where something else is."""
    try:
        return time_ns(str(result))
    except ValueError:
        raise Refused(f"the record of a sleep says {repr(result)[:40]}, which is no time") from None
