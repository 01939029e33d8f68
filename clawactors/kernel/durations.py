"""Durations in classes, so that percentiles of many runs cost little. Sketches add up.

1. A class is found by whole numbers alone, so every machine finds the same one and digests are equal (docs/adr/0064).
2. Any percentile is off by 3.2 % at most, whatever the durations are and however many sketches were added up.
"""

from collections.abc import Iterable
from typing import Final

__all__ = ["DurationSketch", "duration_class", "middle_s"]

_UNIT_BITS: Final = 10  # durations are told apart from 1,024 ns on
_MANTISSA_BITS: Final = 4  # 16 classes an octave


class DurationSketch:
    """Runs by class of duration; `runs` is how many there are."""

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self.runs = 0

    def add(self, duration: int, runs: int = 1) -> None:
        """Adds runs of one class."""
        self._counts[duration] = self._counts.get(duration, 0) + runs
        self.runs += runs

    def add_all(self, other: "DurationSketch") -> None:
        """Adds the runs of another sketch."""
        for duration, runs in other._counts.items():
            self.add(duration, runs)

    def percentiles_s(self, shares: Iterable[float]) -> list[float]:
        """The durations that those shares of the runs, in rising order, did not exceed, in s; 0 without runs."""
        ordered = iter(sorted(self._counts.items()))
        values: list[float] = []
        duration, passed = 0, 0
        for share in shares:
            while passed < share * self.runs:
                duration, count = next(ordered)
                passed += count
            values.append(middle_s(duration))
        return values


def duration_class(took_ns: int) -> int:
    """The class of a duration."""
    units = took_ns >> _UNIT_BITS
    octave = units.bit_length() - 1 - _MANTISSA_BITS
    if octave <= 0:
        return units
    return (octave << _MANTISSA_BITS) + (units >> octave)


def middle_s(duration: int) -> float:
    """The middle of a class, in s; 0 for the first one."""
    octave = max(0, (duration >> _MANTISSA_BITS) - 1)
    lowest = duration - (octave << _MANTISSA_BITS)
    if duration == 0:
        return 0.0
    return round(((lowest << octave) + (1 << octave) / 2) * (1 << _UNIT_BITS) / 1e9, 9)
