"""Ids in the order of their ranks, of which any can be taken out at any time."""

import heapq
from collections.abc import Iterator
from typing import Any

__all__ = ["Ranking"]

_SLACK = 64
"""So many outdated places may lie in the heap, and as many more as there are ids."""


class Ranking[R: Any]:
    """The smallest rank comes first, among equal ranks the smallest id. Memory follows the ids that are in it."""

    __slots__ = ("_heap", "_ranks")

    def __init__(self) -> None:
        self._ranks: dict[str, R] = {}
        self._heap: list[tuple[R, str]] = []

    def __len__(self) -> int:
        return len(self._ranks)

    def __contains__(self, id: object) -> bool:
        return id in self._ranks

    def __iter__(self) -> Iterator[str]:
        return iter(self._ranks)

    def put(self, id: str, rank: R) -> None:
        """Enters the id, or moves it to another rank."""
        if self._ranks.get(id) != rank:
            self._ranks[id] = rank
            heapq.heappush(self._heap, (rank, id))
            self._tidy()

    def discard(self, id: str) -> None:
        """Takes the id out, if it is in."""
        if self._ranks.pop(id, None) is not None:
            self._tidy()

    def first(self) -> tuple[R, str] | None:
        """The first id with its rank, None when there is none."""
        while self._heap:
            rank, id = self._heap[0]
            if self._ranks.get(id) == rank:
                return rank, id
            heapq.heappop(self._heap)
        return None

    def ascending(self) -> Iterator[tuple[R, str]]:
        """All from the first on, as long as nothing is changed; the next costs O(log n), and nothing is sorted."""
        heap, seen = self._heap, set[str]()
        ahead = [(heap[0], 0)] if heap else []
        while ahead:
            (rank, id), at = heapq.heappop(ahead)
            for below in (2 * at + 1, 2 * at + 2):
                if below < len(heap):
                    heapq.heappush(ahead, (heap[below], below))
            if id not in seen and self._ranks.get(id) == rank:
                seen.add(id)
                yield rank, id

    def _tidy(self) -> None:
        if len(self._heap) > 2 * len(self._ranks) + _SLACK:
            self._heap = [(rank, id) for id, rank in self._ranks.items()]
            heapq.heapify(self._heap)
