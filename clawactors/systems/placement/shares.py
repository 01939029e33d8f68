"""Whose turn it is: each user has a clock that goes on by 1/weight with every place; the smallest goes first.

1. A user who has had nothing pending begins at the time of the queue, so nobody saves up places by staying away.
2. Nor by waiting for what no node can do: what they lag by more than a place is forgotten.
3. The time of the queue goes on with every place, so users who come for one task never keep others from their turn.
4. Clocks only go on, so what was sorted by an older one is found too early, never too late.
5. They are gone with the process: a new leader lets all begin alike, which moves nobody by more than a place.
"""

from collections.abc import Mapping
from typing import Final

__all__ = ["UserShare", "UserShares"]

_STRIDE: Final = 1 << 20
_SLACK: Final = 64
_UNIT: Final = 100
"""A weight of 1; the smallest is 0.01."""


class UserShare:
    """The share of a user. `since_ns` decides between equal clocks; `aged_next`: who waits too long goes first.

    `queues` is in how many queues they have pending tasks.
    """

    __slots__ = ("aged_next", "clock", "queues", "since_ns", "stride", "weight")

    def __init__(self, weight: int) -> None:
        self.weight, self.stride = weight, _STRIDE * _UNIT // weight
        self.clock, self.since_ns, self.queues, self.aged_next = 0, 0, 0, True


class UserShares:
    """All users who have pending tasks, or had some a moment ago. `now` is the time of the queue."""

    def __init__(self, weights: Mapping[str, float]) -> None:
        self._weights, self.now = weights, 0
        self._users: dict[str, UserShare] = {}
        self._swept, self._weight = _SLACK, 0

    @classmethod
    def like(cls, other: "UserShares") -> "UserShares":
        """As the other one is now, with nobody in it: to foresee what follows without changing it."""
        made = cls(other._weights)
        made.now, made._weight = other.now, other._weight
        return made

    def __len__(self) -> int:
        return len(self._users)

    def of(self, user: str) -> UserShare:
        """The share of a user who has pending tasks."""
        return self._users[user]

    def copy(self, user: str, share: UserShare) -> None:
        """They are in it as they are in another one, unless they are already."""
        if user not in self._users:
            own = self._users[user] = UserShare(share.weight)
            own.clock, own.since_ns, own.queues, own.aged_next = (
                share.clock,
                share.since_ns,
                share.queues,
                share.aged_next,
            )

    def begin(self, user: str, since_ns: int) -> UserShare:
        """They have pending tasks in another queue."""
        share = self._users.get(user)
        if share is None:
            self._sweep()
            share = self._users[user] = UserShare(round(_UNIT * self._weights.get(user, 1.0)))
        if not share.queues:
            share.since_ns = since_ns
            share.clock = max(share.clock, self.now)
            self._weight += share.weight
        share.queues += 1
        return share

    def end(self, share: UserShare) -> None:
        """They have no pending tasks in one of the queues any more."""
        share.queues -= 1
        if not share.queues:
            self._weight -= share.weight

    def serve(self, share: UserShare, *, aged: bool) -> None:
        """They get a place. The clock of one who is alone stands, for all that was found stays right."""
        if self._weight == share.weight and share.aged_next is not aged:
            return
        share.clock = max(share.clock, self.now - share.stride) + share.stride
        self.now = max(self.now + _STRIDE * _UNIT // max(self._weight, share.weight), share.clock - share.stride)
        share.aged_next = not aged

    def _sweep(self) -> None:
        """Forgets who would begin anew anyway: memory follows those who have pending tasks."""
        if len(self._users) < self._swept:
            return
        for user in [user for user, each in self._users.items() if not each.queues and each.clock <= self.now]:
            del self._users[user]
        self._swept = 2 * len(self._users) + _SLACK
