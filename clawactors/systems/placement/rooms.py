"""The room of all nodes during one pass. Only placements change it then, so nodes are sorted once for each shape."""

import heapq
from collections.abc import Iterable

from clawactors.systems.placement.choice import NodeCapacity, TaskShape, fits, preference

__all__ = ["Rooms"]

type _Fit = tuple[tuple[bool, int, float, str], NodeCapacity]


class Rooms:
    """Chooses as `choose` does. Good for one pass: what else happens to nodes is not noticed."""

    def __init__(self, capacities: Iterable[NodeCapacity], now_ns: int) -> None:
        self._most = {each.id: most for each in capacities if (most := each.most(now_ns)) > len(each.assigned)}
        self._free = [each for each in capacities if each.id in self._most]
        self._fits: dict[TaskShape, list[_Fit]] = {}
        self._shared: dict[tuple[object, ...], list[_Fit]] = {}

    def choose(self, shape: TaskShape) -> NodeCapacity | None:
        """The best node that has room, None where there is none."""
        heap = self._fits.get(shape)
        if heap is None:
            able = [each for each in self._free if fits(shape, each)]
            # Shapes that the same nodes fit alike share one heap: a placement is noticed once, not once for each shape.
            alike = shape.avoid, shape.prefers, *(each.id for each in able)
            heap = self._shared.get(alike)
            if heap is None:
                heap = self._shared[alike] = [(preference(shape, each), each) for each in able]
                heapq.heapify(heap)
            self._fits[shape] = heap
        while heap:
            known, capacity = heap[0]
            if len(capacity.assigned) >= self._most[capacity.id]:
                heapq.heappop(heap)
            elif capacity.load != known[2]:  # loads only rise, so it is found too early, never too late
                heapq.heapreplace(heap, (preference(shape, capacity), capacity))
            else:
                return capacity
        return None
