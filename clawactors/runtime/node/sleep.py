"""Durable sleep: its end is decided once and recorded, so that a resume does not start the sleep again."""

from typing import Final

from clawactors.kernel.errors import Refused
from clawactors.kernel.time import LONGEST_S, duration_s, iso, time_ns

__all__ = ["IN_PLACE_S", "SLEEP", "seconds_of", "until_of", "written"]

SLEEP: Final = "sleep:"
"""Prefix of the names of sleeps and of signal timeouts in a journal; step names can't have it."""

IN_PLACE_S: Final = 1.0
"""A shorter sleep keeps its slot and is not recorded: giving the slot away would take longer."""


def seconds_of(duration: object) -> float:
    """The seconds to wait: a number, or a duration as in `7d`. Raises: `Refused`."""
    if isinstance(duration, str):
        try:
            return duration_s(duration)
        except ValueError as error:
            raise Refused(str(error)) from None
    if isinstance(duration, bool) or not isinstance(duration, int | float):
        raise Refused(f"a wait takes seconds or a duration as in '7d', not {repr(duration)[:40]}")
    if not 0 <= duration <= LONGEST_S:  # which NaN is not either
        raise Refused(f"can't wait {duration:g} seconds; it takes 0 to 100 years")
    return float(duration)


def written(until_ns: int) -> str:
    """The time as it is recorded: in whole microseconds, rounded up."""
    return iso(-(-until_ns // 1000) * 1000) or ""


def until_of(result: object) -> int:
    """The recorded time, ns since 1970. Raises: `Refused` where the record is not a time."""
    try:
        return time_ns(str(result))
    except ValueError:
        raise Refused(f"the record of a sleep says {repr(result)[:40]}, which is not a valid time") from None
