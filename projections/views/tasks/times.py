"""An index of submission times: turns a window of time into a range of task keys, without an entry per task.

The log's clock may step back. `latest_ns` only grows and has one row per second; `skew_ns` is the largest step back. A
range made from both holds every task of its window, and the reader filters out the others.
"""

from typing import Final

import msgspec

from clawactors.projections.engine.index import PrefixWalk
from clawactors.projections.engine.keys import LAST, PLACE_BYTES, place
from clawactors.projections.engine.store import Reading, Writing

__all__ = ["TIMES", "SubmissionTimeIndex", "between"]

TIMES: Final = "task.times"
_NOW: Final = b"~"  # sorts behind every second
_SECOND_NS: Final = 1_000_000_000


class _SubmissionClock(msgspec.Struct):
    latest_ns: int = 0
    skew_ns: int = 0
    second: int = 0


_decode = msgspec.json.Decoder(_SubmissionClock).decode


class SubmissionTimeIndex:
    """Written by the tasks view."""

    def __init__(self) -> None:
        self._clock: _SubmissionClock | None = None
        self._noted: list[tuple[bytes, int]] = []

    def note(self, at_ns: int, key: bytes) -> None:
        """A task was submitted at that time, with that key. Order: any within a batch."""
        self._noted.append((key, at_ns))

    def write(self, txn: Writing) -> None:
        """Puts the new seconds, and where the clock stands."""
        if not self._noted:
            return
        clock = self._clock = self._clock or _stored_clock(txn)
        self._noted.sort()
        for key, at_ns in self._noted:
            if at_ns > clock.latest_ns:
                clock.latest_ns = at_ns
                second = at_ns // _SECOND_NS
                if second > clock.second:
                    clock.second = second
                    txn.put(TIMES, place(second), key)
            elif clock.latest_ns - at_ns > clock.skew_ns:
                clock.skew_ns = clock.latest_ns - at_ns
        txn.put(TIMES, _NOW, msgspec.json.encode(clock))
        self._noted.clear()

    def forget(self) -> None:
        """Drops what is not written."""
        self._clock = None
        self._noted.clear()


def _stored_clock(reading: Reading) -> _SubmissionClock:
    value = reading.get(TIMES, _NOW)
    return _SubmissionClock() if value is None else _decode(value)


def between(reading: Reading, since_ns: int | None, until_ns: int | None) -> tuple[bytes, bytes]:
    """The first and the last key, counted from the newest, that a task submitted in the window can have."""
    first, last = LAST, b"\0" * PLACE_BYTES
    times = PrefixWalk(reading, TIMES)
    if since_ns is not None and since_ns > 0:
        second = times.at_most(place(min(since_ns, 1 << 63) // _SECOND_NS))
        last = last if second is None else reading.get(TIMES, second) or last
    if until_ns is not None:
        beyond = max(0, until_ns + _stored_clock(reading).skew_ns) // _SECOND_NS + 1
        cursor = reading.cursor(TIMES)
        if cursor.set_range(place(min(beyond, 1 << 63))) and cursor.key() != _NOW:
            first = cursor.value()
    return first, last
