"""What the nodes offer, as far as a client knows: parameters are checked before anything is written."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import msgspec

from clawactors.nodes.events import Offer
from clawactors.skills import check_params
from clawactors.tasks.events import Spec
from eventlog import Unavailable

__all__ = ["KnownSkills"]


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
        offer = self._offers.get(spec.skill)
        if offer is None:
            try:
                offers = msgspec.json.decode(await self._ask("skills", {"name": spec.skill}), type=list[Offer])
            except (Unavailable, msgspec.MsgspecError):
                return  # the node checks again
            self.learn(offers)
            offer = self._offers.get(spec.skill)
        if offer is not None:
            check_params(offer, spec.params)
