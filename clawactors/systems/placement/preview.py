"""Who is next, without giving anything away: the first places of the queue as they are now."""

import heapq
from collections.abc import Iterator
from typing import NamedTuple

from clawactors.systems.placement.choice import TaskShape
from clawactors.systems.placement.policy import Rank
from clawactors.systems.placement.queues import PendingQueues, UserLine
from clawactors.systems.placement.shares import UserShares

__all__ = ["QueuePlace", "preview"]


class QueuePlace(NamedTuple):
    """A pending task; `aged`: it goes here because it has waited too long."""

    id: str
    shape: TaskShape
    aged: bool


class _Walk:
    """The tasks that one user has in one queue, in both of their orders."""

    def __init__(
        self, shape: TaskShape, by_rank: Iterator[tuple[Rank, str]], by_age: Iterator[tuple[int, str]]
    ) -> None:
        self.shape, self._by_rank, self._by_age = shape, by_rank, by_age
        self._young: tuple[Rank, str] | None = None
        self._aged: tuple[int, str] | None = None

    def first(self, given: set[str], before_ns: int, *, aged: bool) -> tuple[bool, Rank, str] | None:
        """Its first that was not given a place, None where there is none."""
        if aged:
            while self._aged is None or self._aged[1] in given:
                if (following := next(self._by_age, None)) is None:
                    break
                self._aged = following
            if self._aged is not None and self._aged[1] not in given and self._aged[0] <= before_ns:
                return False, (self._aged[0],), self._aged[1]
        while self._young is None or self._young[1] in given:
            if (young := next(self._by_rank, None)) is None:
                return None
            self._young = young
        return True, *self._young


def _turn(line: UserLine) -> tuple[int, int, str]:
    user, share, _, _ = line
    return share.clock, share.since_ns, user


def preview(queues: PendingQueues, now_ns: int, limit: int, skill: str = "") -> list[QueuePlace]:
    """The next so many, of one skill or of all, if every node had room. Costs O(users + limit · log n)."""
    shares, before_ns = UserShares.like(queues.shares), queues.before_ns(now_ns)
    given: set[str] = set()
    heads: list[tuple[int, int, str, bool, Rank, str, int]] = []
    walks: list[_Walk] = []

    def enter(user: str, number: int) -> None:
        share = shares.of(user)
        if (first := walks[number].first(given, before_ns, aged=share.aged_next)) is not None:
            heapq.heappush(heads, (share.clock, share.since_ns, user, *first, number))
        else:
            shares.end(share)

    for shape, queue in queues.by_shape.items():
        if skill in ("", shape.skill):
            # So many places reach no user who comes later.
            for user, share, ranks, ages in heapq.nsmallest(limit, queue.lines(), key=_turn):
                walks.append(_Walk(shape, ranks.ascending(), ages.ascending()))
                shares.copy(user, share)
                enter(user, len(walks) - 1)
    places: list[QueuePlace] = []
    while heads and len(places) < limit:
        clock, _, user, is_young, _, id, number = heapq.heappop(heads)
        share = shares.of(user)
        if share.clock == clock and id not in given:
            places.append(QueuePlace(id, walks[number].shape, not is_young))
            given.add(id)
            shares.serve(share, aged=not is_young)
        enter(user, number)
    return places
