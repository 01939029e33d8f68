"""Tells parents how their children ended, and cancels the children of parents that ended without a result.

1. What is to be done follows from the fold alone, so the next leader goes on where this one ends.
2. Ends that come while a parent is being told go with the next commit. While many children are open, ends gather
   a little longer: a parent with thousands of children is woken some times a second, not for each of them.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec

from clawactors.eventlog import EventLogError
from clawactors.kernel.errors import Refused
from clawactors.runtime.call import Answer, Call
from clawactors.runtime.control.background import PAUSE_S, ControlBackground
from clawactors.runtime.control.folded import FoldedSnapshots
from clawactors.runtime.control.ports import Views
from clawactors.runtime.dispatcher import Dispatcher
from clawactors.systems.placement.families import Families
from clawactors.systems.tasks import FINAL
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks.children import ChildEnd, end_of, untold
from clawactors.systems.tasks.kind import TASKS

__all__ = ["ChildKeeper"]

_TOGETHER: Final = 1000
_TOGETHER_MAX_BYTES: Final = 200_000
_GATHER_MAX_S: Final = 0.1
_GATHER_FOR_EACH_S: Final = 1e-5

_encode: Final = msgspec.json.Encoder().encode


class ChildKeeper:
    """`act` begins with all that is to be done; call it whenever the fold went on while this process leads."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        families: Families,
        snapshots: FoldedSnapshots,
        views: Views,
        background: ControlBackground,
        leads: Callable[[], bool],
    ) -> None:
        self._dispatcher, self._families, self._snapshots, self._views = dispatcher, families, snapshots, views
        self._background, self._leads = background, leads
        self._telling: set[str] = set()
        self._is_cancelling = self._is_looking = False

    def act(self) -> None:
        """Does what follows from the fold, in the background; what is under way already is left alone."""
        families = self._families
        if not self._leads():
            return
        for parent in families.untold.keys() - self._telling:
            self._telling.add(parent)
            self._background.start(self._tell(parent))
        if families.doomed and not self._is_cancelling:
            self._is_cancelling = True
            self._background.start(self._cancel())
        if (families.unknown or families.unchecked) and not self._is_looking:
            self._is_looking = True
            self._background.start(self._look())

    # Ends

    async def _tell(self, parent: str) -> None:
        try:
            while self._leads() and parent in self._families.untold:
                await asyncio.sleep(min(_GATHER_MAX_S, _GATHER_FOR_EACH_S * self._open_children(parent)))
                await self._tell_some(parent)
        finally:
            self._telling.discard(parent)
        self.act()

    def _open_children(self, parent: str) -> int:
        return len(self._families.children.get(parent, ()))

    async def _tell_some(self, parent: str) -> None:
        ends = _some(self._families.untold.get(parent, {}))
        if not ends:
            return
        try:
            await self._dispatcher.send(Call(TASKS, parent, (c.NoteChildren(ends),)))
        except Refused:  # it has ended, or needs a newer release
            self._families.untold.pop(parent, None)
        except EventLogError:
            await asyncio.sleep(PAUSE_S)
        else:
            self._families.was_told(parent, ends)

    # Cancels

    async def _cancel(self) -> None:
        doomed = self._families.doomed
        try:
            while self._leads() and doomed:
                some = list(doomed.items())[:_TOGETHER]
                calls = [Call(TASKS, id, (c.Cancel(f"task/{parent}"),)) for id, parent in some]
                replies = await self._dispatcher.send_many(calls)
                for (id, _), reply in zip(some, replies, strict=True):
                    if isinstance(reply, Answer | Refused):
                        doomed.pop(id, None)
                if not all(isinstance(reply, Answer | Refused) for reply in replies):
                    await asyncio.sleep(PAUSE_S)
        finally:
            self._is_cancelling = False
        self.act()

    # What the fold does not tell

    async def _look(self) -> None:
        families = self._families
        try:
            while self._leads() and (families.unknown or families.unchecked):
                await self._snapshots.fresh()
                for parent in list(families.unknown):
                    self._learn_end(parent)
                for parent in list(families.unchecked):
                    await self._check(parent)
        except EventLogError:
            await asyncio.sleep(PAUSE_S)
        finally:
            self._is_looking = False
        self.act()

    def _learn_end(self, parent: str) -> None:
        """Children outlive a parent that completed, and one that nobody knows."""
        known, _ = self._snapshots.states.get(TASKS.name, parent, brief=True)
        self._families.unknown.pop(parent, None)
        if not known.frozen and known.state.life.status in FINAL - {"completed", "archived"}:
            self._families.orphan(parent)

    async def _check(self, parent: str) -> None:
        run = self._snapshots.states.get(TASKS.name, parent, brief=True)[0].state.life.run
        ended = [
            end_of(id, version, life)
            for id, version, life in await self._views.children_of(parent, run)
            if life.status in FINAL
        ]
        known, _ = self._snapshots.states.get(TASKS.name, parent)
        self._families.checked(parent, untold(ended, known.state.journal))


def _some(untold: dict[str, ChildEnd]) -> tuple[ChildEnd, ...]:
    """As many of them as one commit takes well."""
    some: list[ChildEnd] = []
    size = 0
    for end in list(untold.values())[:_TOGETHER]:
        size += len(_encode(end))
        if some and size > _TOGETHER_MAX_BYTES:
            break
        some.append(end)
    return tuple(some)
