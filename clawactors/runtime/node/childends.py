"""The ends of children, as the code of their parent waits for them.

All waits for children are one wait on record, however many there are: for the next signal that tells ends.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from clawactors.runtime.node.arrivals import IN_PLACE_S
from clawactors.systems.tasks.children import CHILDREN, ChildEnd, child_id, ends_in
from clawactors.systems.tasks.journal import SIGNAL

if TYPE_CHECKING:
    from clawactors.runtime.node.attempt.attempt import Attempt

__all__ = ["ChildEnds", "FoundEnds"]

_IN_PLACE_FOR_EACH_S: Final = 0.0004
"""After the last news of a child a wait keeps its slot so much longer for each: running again costs more."""
_IN_PLACE_MAX_S: Final = 2.0

_KEY: Final = SIGNAL + CHILDREN
_ANY: Final = ""


class ChildEnds:
    """What one attempt knows of the ends of its children. `by_id` has the last end of each.

    `order` are their ids in the order in which they ended first, on every resume the same.
    """

    def __init__(self, attempt: "Attempt") -> None:
        self._attempt = attempt
        self.by_id: dict[str, ChildEnd] = {}
        self.order: list[str] = []
        self.doubtful: set[str] = set()
        """Children whose failure was told in an earlier attempt: a person may have retried them since."""
        self.being_made = 0
        """Children that are being submitted: until they are there, the code does more than wait."""
        self._seen = 0
        self._waiting: dict[str, list[asyncio.Future[None]]] = {}
        """By child, `_ANY` for any: what to wake."""
        self._patience: asyncio.TimerHandle | None = None
        attempt.signals.listeners.append(self.notify)
        self.notify()

    def notify(self) -> None:
        """Something was appended to the task: ends may be among it."""
        entries = self._attempt.journal.entries
        while (entry := entries.nth(_KEY, self._seen)) is not None:
            self._seen += 1
            for end in ends_in(entry.result):
                if end.id not in self.by_id:
                    self.order.append(end.id)
                self.by_id[end.id] = end
                if end.status != "completed" and entry.attempt < self._attempt.assignment.event.attempt:
                    self.doubtful.add(end.id)
                self._wake(end.id)
            self._wake(_ANY)
            self._attempt.waits.shared.pop(CHILDREN, None)
            self._be_patient()
        if self._attempt.is_stopping:
            for id in list(self._waiting):
                self._wake(id)

    def _wake(self, id: str) -> None:
        for waiting in self._waiting.pop(id, ()):
            if not waiting.done():
                waiting.set_result(None)

    def correct(self, id: str, end: ChildEnd | None) -> None:
        """How that child has really ended by now; None where it goes on, so that its next end counts."""
        self.doubtful.discard(id)
        if end is None:
            del self.by_id[id]
            self.order.remove(id)
        else:
            self.by_id[id] = end

    async def of(self, id: str) -> ChildEnd:
        """The end of that child, once it is told."""
        while (end := self.by_id.get(id)) is None:
            await self._wait(id)
        return end

    def of_key(self, key: str) -> ChildEnd | None:
        """The end of the child that the code made under that key, where it is told."""
        return self.by_id.get(child_id(self._attempt.id, key, self._attempt.journal.state.life.run))

    async def more_than(self, known: int) -> None:
        """Returns when `order` has more entries than that."""
        while len(self.order) <= known:
            await self._wait(_ANY)

    async def _wait(self, id: str) -> None:
        """Returns at the next news of that child; the attempt may park meanwhile."""
        attempt = self._attempt
        attempt.check()
        attempt.journal.used.add(_KEY)
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(id, []).append(waiting)
        if self._patience is None:
            self._be_patient()
        try:
            await attempt.waits.wait_for(waiting)
        finally:
            if (others := self._waiting.get(id)) is not None and waiting in others:
                others.remove(waiting)
                if not others:
                    del self._waiting[id]
            if not self._waiting:
                attempt.waits.shared.pop(CHILDREN, None)
        await attempt.parking.at_work()
        attempt.check()

    def _be_patient(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
        patience_s = min(_IN_PLACE_MAX_S, IN_PLACE_S + _IN_PLACE_FOR_EACH_S * len(self._waiting))
        self._patience = asyncio.get_running_loop().call_later(patience_s, self._give_way)

    def _give_way(self) -> None:
        """No news for a while: the attempt may park, with one wait for all of them."""
        self._patience = None
        if self.being_made:
            self._be_patient()
            return
        with contextlib.suppress(ReferenceError):  # the attempt may be over
            if self._waiting:
                self._attempt.waits.shared[CHILDREN] = self._taken
                self._attempt.waits.check_idle()

    def _taken(self) -> int:
        return self._seen


class FoundEnds:
    """What is known of the children that are gathered: `read` ends of all children were looked at."""

    def __init__(self, ids: Sequence[str], wanted: int) -> None:
        self.left = dict.fromkeys(ids)
        self.ends: dict[str, ChildEnd] = {}
        self.failed: list[ChildEnd] = []
        self.read = self.completed = 0
        self._wanted = wanted

    def is_decided(self, on_failure: str) -> bool:
        """True once enough have completed, or can't any more."""
        if not self.left or self.completed >= self._wanted:
            return True
        return on_failure != "ignore" and self.completed + len(self.left) < self._wanted

    def take(self, ends: ChildEnds) -> None:
        """Looks at the next ends, one after the other, until it is decided or all are read."""
        while self.read < len(ends.order):
            id = ends.order[self.read]
            self.read += 1
            if id in self.left:
                end = self.ends[id] = ends.by_id[id]
                del self.left[id]
                self.completed += end.status == "completed"
                if end.status != "completed":
                    self.failed.append(end)
