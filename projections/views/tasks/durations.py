"""How long runs took: in each dimension, how many fell into which class of duration. Sketches of that kind add up.

1. A class is found by whole numbers alone, so every machine finds the same one and digests are equal (docs/adr/0064).
2. Any percentile is off by 3.2 % at most, whatever the durations are and however many sketches were added up.
3. A run that has ended stays counted: it took place, whatever becomes of its task.
"""

from collections.abc import Iterable
from typing import Final, Self

from clawactors.projections.engine.store import Reading, Writing
from clawactors.projections.views.tasks.dimensions import value_key

__all__ = ["DURATIONS", "DurationCounts", "DurationSketch", "duration_class", "middle_s"]

DURATIONS: Final = "task.durations"
"""value of a dimension, class of duration → how many runs took so long."""

_UNIT_BITS: Final = 10  # durations are told apart from 1,024 ns on
_MANTISSA_BITS: Final = 4  # 16 classes an octave
_CLASS_BYTES: Final = 2
_COUNT_BYTES: Final = 6


class DurationCounts:
    """Runs by dimension, value and class, added up in memory and written once a batch."""

    def __init__(self) -> None:
        self._added: dict[tuple[bytes, str, int], int] = {}

    def add(self, field: bytes, value: str, duration: int, runs: int) -> None:
        """So many runs more took as long as that class says."""
        key = field, value, duration
        self._added[key] = self._added.get(key, 0) + runs

    def write(self, txn: Writing) -> None:
        """Puts the new counts."""
        counts: list[tuple[bytes, bytes]] = []
        for (field, value, duration), runs in self._added.items():
            key = value_key(field, value) + duration.to_bytes(_CLASS_BYTES, "big")
            total = runs + int.from_bytes(txn.get(DURATIONS, key) or b"", "big")
            counts.append((key, total.to_bytes(_COUNT_BYTES, "big")))
        txn.put_all(DURATIONS, counts)
        self._added.clear()

    def forget(self) -> None:
        """Drops what is not written."""
        self._added.clear()


class DurationSketch:
    """Runs by class of duration; `runs` is how many there are."""

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self.runs = 0

    @classmethod
    def of(cls, reading: Reading, field: bytes, values: Iterable[str]) -> Self:
        """The runs of some values of a dimension together."""
        sketch = cls()
        cursor = reading.cursor(DURATIONS)
        for value in values:
            prefix = value_key(field, value)
            if not cursor.set_range(prefix):
                continue
            for key, count in cursor:
                if not key.startswith(prefix):
                    break
                sketch.add(int.from_bytes(key[len(prefix) :], "big"), int.from_bytes(count, "big"))
        return sketch

    def add(self, duration: int, runs: int = 1) -> None:
        """Adds runs of one class."""
        self._counts[duration] = self._counts.get(duration, 0) + runs
        self.runs += runs

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
