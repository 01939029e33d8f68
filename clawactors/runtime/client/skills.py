"""What the nodes offer, as far as a client knows: parameters are checked before anything is written."""

import contextlib
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import msgspec

from clawactors.nodes.events import Offer
from clawactors.skills import check_params
from clawactors.tasks.events import Spec
from eventlog import Unavailable

__all__ = ["KnownSkills"]


class _Answer(msgspec.Struct):
    rows: list[Offer] = []


class KnownSkills:
    """Offers by name, asked for once each; an unknown skill is asked for again, a node may bring it later."""

    def __init__(self, ask: Callable[[str, Any], Awaitable[bytes]]) -> None:
        self._ask = ask
        self._offers: dict[str, Offer] = {}

    def learn(self, offers: Iterable[Offer]) -> None:
        """Takes over what is known from elsewhere."""
        self._offers.update((offer.name, offer) for offer in offers)

    async def check(self, spec: Spec) -> None:
        """Raises `Refused` when the parameters don't fit the skill; a skill that nobody has yet is let through."""
        await self.seek((spec.skill,))
        self.fits(spec)

    async def seek(self, names: Iterable[str]) -> None:
        """Asks what the nodes offer when one of the skills is unknown: once, however many tasks there are."""
        if all(name in self._offers for name in names):
            return
        with contextlib.suppress(Unavailable, msgspec.MsgspecError):  # the node checks again
            self.learn(msgspec.json.decode(await self._ask("skills", {}), type=_Answer).rows)

    def fits(self, spec: Spec) -> None:
        """As `check`, by what is known."""
        if (offer := self._offers.get(spec.skill)) is not None:
            check_params(offer, spec.params)
