"""The skills that nodes offer, cached in the client: parameters are checked before a task is submitted."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable

import msgspec

from clawactors.eventlog import Unavailable
from clawactors.kernel.errors import Refused
from clawactors.runtime.questions import Questions
from clawactors.systems.nodes.events import Offer
from clawactors.systems.skills import check_params
from clawactors.systems.tasks.events import Spec

__all__ = ["KnownSkills"]


class _Answer(msgspec.Struct):
    rows: list[Offer] = []


class KnownSkills:
    """Offers by name, fetched once; fetched again before a refusal, because a node may have brought newer ones."""

    def __init__(self, questions: Questions) -> None:
        self._questions = questions
        self._offers: dict[str, Offer] = {}
        self._asking: asyncio.Task[None] | None = None

    def add(self, offers: Iterable[Offer]) -> None:
        """Fills the cache from another one."""
        self._offers.update((offer.name, offer) for offer in offers)

    def knows(self, name: str) -> bool:
        """True where a node offered the skill when the offers were fetched last."""
        return name in self._offers

    async def check(self, spec: Spec) -> None:
        """Raises `Refused` when the parameters don't fit the skill; an unknown skill passes."""
        try:
            if self.knows(spec.skill):
                self._fits(spec)
                return
        except Refused:
            pass  # another node may have come that takes them
        await (await self.checker((spec.skill,)))(spec)

    async def checker(self, names: Iterable[str]) -> Callable[[Spec], Awaitable[None]]:
        """`check` for many tasks of these skills: the nodes' offers are fetched at most once."""
        asked = not all(name in self._offers for name in names)
        if asked:
            await self._refresh()

        async def check(spec: Spec) -> None:
            nonlocal asked
            try:
                self._fits(spec)
            except Refused:
                if asked:
                    raise
                asked = True
                await self._refresh()
                self._fits(spec)

        return check

    async def _refresh(self) -> None:
        """Asks once for all who want to know at this moment."""
        if self._asking is None:
            self._asking = asyncio.ensure_future(self._load())
            self._asking.add_done_callback(self._asked)
        await asyncio.shield(self._asking)

    def _asked(self, _: asyncio.Task[None]) -> None:
        self._asking = None

    async def _load(self) -> None:
        with contextlib.suppress(Unavailable, msgspec.MsgspecError):  # nobody is waited for: the node checks again
            self.add(msgspec.json.decode(await self._questions.ask("skills", b"{}", absent_s=0), type=_Answer).rows)

    def _fits(self, spec: Spec) -> None:
        if (offer := self._offers.get(spec.skill)) is not None:
            check_params(offer, spec.params)
