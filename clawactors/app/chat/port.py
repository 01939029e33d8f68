"""What a chat service must offer: a new one is one module with this class."""

from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

from clawactors.runtime.notifications.words import Quoted

__all__ = ["ChatPort", "IncomingMessage"]


class IncomingMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One message. `id` is its own for ever; `place` is how far a bridge is once it is done with it.

    `chat` is where it was said and where the answer goes, `member` who said it, `called` what they call themselves.
    `chat` is '' for what is no message of a person.
    `direct`: it is for the bot, as all that is said to it alone, and in a group what begins with `/` or names it.
    """

    id: str
    place: str
    chat: str
    member: str
    text: str
    called: str = ""
    direct: bool = True


class ChatPort(Protocol):
    """A service. Both raise `OutletFailed`: `final` where trying again is no use, `sent_perhaps` where unclear."""

    async def receive(self, after: str) -> Sequence[IncomingMessage]:
        """The messages after that place, '' for the first, in order; waits a while for one, and may return none.

        Only now may the service forget what lies up to `after`: it is asked again for all else after a crash.
        """
        ...

    async def send(self, chat: str, pieces: Iterable[str | Quoted]) -> None:
        """Says it in the chat; `Quoted` is shown as it is, without markup, links or mentions."""
        ...
