"""How long runs took: in each dimension, how many fell into which class of duration.

A run that has ended stays counted: it took place, whatever becomes of its task.
"""

from collections.abc import Iterable
from typing import Final

from clawactors.kernel.durations import DurationSketch
from clawactors.projections.engine.store import Reading, Writing
from clawactors.projections.views.tasks.dimensions import value_key

__all__ = ["DURATIONS", "DurationCounts", "sketch_of"]

DURATIONS: Final = "task.durations"
"""value of a dimension, class of duration → how many runs took so long."""

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


def sketch_of(reading: Reading, field: bytes, values: Iterable[str]) -> DurationSketch:
    """The runs of some values of a dimension together."""
    sketch = DurationSketch()
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
