"""The pending tasks: a queue for each shape, in it a line for each user, in that the order that was chosen.

1. Users take turns by their shares. A line is served by rank, but every second place goes to who has waited too long
   and could wait for ever.
2. Whatever is put, taken out or served costs O(log n); nothing is looked through.
3. Two processes that hold the same tasks under the same policy have the same order within a line.
"""

import heapq
from collections.abc import Iterator
from typing import NamedTuple

from clawactors.kernel.ranking import Ranking
from clawactors.systems.placement.choice import TaskShape
from clawactors.systems.placement.order import TrackedTask
from clawactors.systems.placement.policy import QueuePolicy, Rank, may_starve, rank_of
from clawactors.systems.placement.shares import UserShare, UserShares

__all__ = ["PendingQueues", "QueueHead", "ShapeQueue", "UserLine"]

type UserLine = tuple[str, UserShare, Ranking[Rank], Ranking[int]]
"""A user, their share, their tasks by rank, and those of them that may come to wait too long by age."""


class QueueHead(NamedTuple):
    """The next task of a queue, and what decides between it and those of other queues, from the left."""

    clock: int
    begun_ns: int
    user: str
    is_young: bool
    rank: Rank
    id: str


class _UserLine:
    __slots__ = ("ages", "ranks", "share")

    def __init__(self, share: UserShare) -> None:
        self.share = share
        self.ranks: Ranking[Rank] = Ranking()
        self.ages: Ranking[int] = Ranking()


class ShapeQueue:
    """The pending tasks of one shape."""

    __slots__ = ("_count", "_lines", "_shares", "_turns")

    def __init__(self, shares: UserShares) -> None:
        self._shares, self._count = shares, 0
        self._lines: dict[str, _UserLine] = {}
        self._turns: list[tuple[int, int, str]] = []

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[str]:
        return (id for line in self._lines.values() for id in line.ranks)

    def lines(self) -> Iterator[UserLine]:
        """The lines of all users who wait in it."""
        return ((user, line.share, line.ranks, line.ages) for user, line in self._lines.items() if line.ranks)

    def put(self, id: str, user: str, rank: Rank, since_ns: int, *, ages: bool) -> None:
        """Enters a task of the user, or moves it. One that `ages` may come to wait too long."""
        line = self._lines.get(user)
        if line is None or not line.ranks:
            share = self._shares.begin(user, since_ns)
            if line is None:
                line = self._lines[user] = _UserLine(share)
                heapq.heappush(self._turns, (share.clock, share.since_ns, user))
            line.share = share
        self._count += id not in line.ranks
        line.ranks.put(id, rank)
        if ages:
            line.ages.put(id, since_ns)
        else:
            line.ages.discard(id)

    def discard(self, id: str, user: str) -> None:
        """Takes out a task of the user, if it is in."""
        line = self._lines.get(user)
        if line is None or id not in line.ranks:
            return
        line.ranks.discard(id)
        line.ages.discard(id)
        self._count -= 1
        if not line.ranks:
            self._shares.end(line.share)  # the line itself goes when its turn comes

    def first(self, before_ns: int) -> QueueHead | None:
        """The next one. Who has waited since before that time has waited too long."""
        turns = self._turns
        while turns:
            user = turns[0][2]
            line = self._lines[user]
            if not line.ranks:
                heapq.heappop(turns)
                del self._lines[user]
                continue
            turn = line.share.clock, line.share.since_ns, user
            if turn == turns[0]:
                return self._head(line, turn, before_ns)
            heapq.heapreplace(turns, turn)
        return None

    def _head(self, line: _UserLine, turn: tuple[int, int, str], before_ns: int) -> QueueHead | None:
        if line.share.aged_next and (oldest := line.ages.first()) is not None and oldest[0] <= before_ns:
            return QueueHead(*turn, False, (oldest[0],), oldest[1])
        first = line.ranks.first()
        return None if first is None else QueueHead(*turn, True, *first)


class PendingQueues:
    """All queues by shape."""

    def __init__(self) -> None:
        self.by_shape: dict[TaskShape, ShapeQueue] = {}
        self.policy = QueuePolicy()
        self.shares = UserShares({})

    def follow(self, policy: QueuePolicy) -> None:
        """Another order from now on: all queues are empty, and those who are pending have to be put anew."""
        self.by_shape.clear()
        self.policy, self.shares = policy, UserShares(policy.weights)

    def put(self, id: str, held: TrackedTask) -> None:
        """Enters a pending task, or moves it to its place."""
        spec, life = held.task.spec, held.task.life
        if spec is None:
            return
        if held.queued_as is None:  # it has begun to wait: what happens to it meanwhile makes it no younger
            is_new = not (life.attempt or spec.after or spec.not_before_ns)
            held.since_ns = life.submitted_ns if is_new else life.updated_ns
        held.queued_as = spec.user if self.policy.fair else ""
        queue = self.by_shape.get(held.shape)
        if queue is None:
            queue = self.by_shape[held.shape] = ShapeQueue(self.shares)
        order = self.policy.order
        queue.put(id, held.queued_as, rank_of(order, spec, life), held.since_ns, ages=may_starve(order, spec))

    def discard(self, id: str, held: TrackedTask) -> None:
        """Takes out a task, if it is in."""
        if held.queued_as is None:
            return
        if (queue := self.by_shape.get(held.shape)) is not None:
            queue.discard(id, held.queued_as)
            if not queue:
                del self.by_shape[held.shape]
        held.queued_as = None

    def is_next(self, head: QueueHead) -> bool:
        """False when its user has had a turn since it was found."""
        return self.shares.of(head.user).clock == head.clock

    def serve(self, head: QueueHead) -> None:
        """That task is given a place: its user has had a turn."""
        self.shares.serve(self.shares.of(head.user), aged=not head.is_young)

    def before_ns(self, now_ns: int) -> int:
        """Who has waited since before that time has waited too long."""
        return now_ns - self.policy.patience_ns if self.policy.patience_ns else -1

    def heads(self, now_ns: int) -> list[tuple[QueueHead, TaskShape]]:
        """The next of each queue; sorted, the first is the next of all."""
        before_ns = self.before_ns(now_ns)
        found = ((queue.first(before_ns), shape) for shape, queue in self.by_shape.items())
        return [(head, shape) for head, shape in found if head is not None]
