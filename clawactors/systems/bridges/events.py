"""What happened to a bridge. Tags are promises (see `clawactors.eventlog.codec`)."""

import msgspec

from clawactors.eventlog import Codec
from clawactors.systems.tasks.events import Count

__all__ = [
    "CODEC",
    "ApprovalsNumbered",
    "Ask",
    "BridgeAdvanced",
    "BridgeAnswering",
    "BridgeEvent",
    "ChatAllowed",
    "ChatDisallowed",
    "ChatMember",
    "Stranger",
]


class ChatMember(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Who may talk: everybody in `chat`, or `member` there. They act as the user `name`, and may submit `skills`."""

    chat: str
    member: str = ""
    name: str
    skills: tuple[str, ...] = ()


class Stranger(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who talked and may not; `called` is what they call themselves."""

    chat: str
    member: str = ""
    called: str = ""


class Ask(msgspec.Struct, frozen=True, omit_defaults=True):
    """One approval that a task asks for, by when it was asked (ISO 8601), and its number."""

    task: str
    name: str
    asked: str = ""
    number: Count = 0


class _BridgeEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    pass


class ChatAllowed(ChatMember, frozen=True, omit_defaults=True, kw_only=True, tag="bridge.allowed"):
    """They may talk to the cluster."""

    by: str = ""


class ChatDisallowed(_BridgeEvent, frozen=True, tag="bridge.disallowed"):
    """They may no longer."""

    chat: str
    member: str = ""
    by: str = ""


class BridgeAnswering(_BridgeEvent, frozen=True, tag="bridge.answering"):
    """The answer to that message is about to go out, or, with '', it certainly did not."""

    message: str


class BridgeAdvanced(_BridgeEvent, frozen=True, kw_only=True, tag="bridge.advanced"):
    """All messages up to `place` are done with; `ignored` of them were of strangers, these among them."""

    place: str
    ignored: Count = 0
    strangers: tuple[Stranger, ...] = ()


class ApprovalsNumbered(_BridgeEvent, frozen=True, tag="bridge.numbered"):
    """These approvals have numbers, by which people in chats answer them."""

    asks: tuple[Ask, ...]


type BridgeEvent = ChatAllowed | ChatDisallowed | BridgeAnswering | BridgeAdvanced | ApprovalsNumbered

CODEC: Codec[BridgeEvent] = Codec(BridgeEvent.__value__)
