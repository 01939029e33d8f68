"""The rules of a bridge.

1. A message is answered once: that its answer goes out is on record before it does.
2. Who advances says from where: of two processes at one bridge, one is refused.
3. An approval has one number for ever, and a number means one approval.
"""

from typing import Final, assert_never

import msgspec
from msgspec.structs import asdict, replace

from clawactors.kernel.decider import Decider
from clawactors.kernel.errors import Refused
from clawactors.systems.bridges import events as e

__all__ = [
    "BRIDGE",
    "AdvanceBridge",
    "AllowChat",
    "AnswerMessage",
    "BridgeCommand",
    "BridgeState",
    "DisallowChat",
    "NumberApprovals",
    "decide",
    "evolve",
]

_MEMBERS_MAX: Final = 1000
_NUMBERS: Final = 1000
_STRANGERS: Final = 10


class AllowChat(msgspec.Struct, frozen=True):
    """Let them talk."""

    who: e.ChatMember
    by: str = ""


class DisallowChat(msgspec.Struct, frozen=True):
    """Let them talk no longer."""

    chat: str
    member: str = ""
    by: str = ""


class AnswerMessage(msgspec.Struct, frozen=True):
    """The answer to that message is about to go out, or, with '', it certainly did not."""

    message: str


class AdvanceBridge(msgspec.Struct, frozen=True, kw_only=True):
    """All messages from `after` up to `place` are done with."""

    after: str
    place: str
    ignored: int = 0
    strangers: tuple[e.Stranger, ...] = ()


class NumberApprovals(msgspec.Struct, frozen=True):
    """Give numbers to those that have none."""

    asks: tuple[e.Ask, ...]


type BridgeCommand = AllowChat | DisallowChat | AnswerMessage | AdvanceBridge | NumberApprovals
"""What `decide` takes."""


class BridgeState(msgspec.Struct, frozen=True, omit_defaults=True):
    """One bridge. `place` is how far messages are done with, `answering` the one whose answer may be out.

    `ignored` counts messages of strangers, of whom the newest are kept; `asks` are the newest numbers.
    """

    members: tuple[e.ChatMember, ...] = ()
    place: str = ""
    answering: str = ""
    ignored: int = 0
    strangers: tuple[e.Stranger, ...] = ()
    asks: tuple[e.Ask, ...] = ()
    numbered: int = 0
    updated_ns: int = 0

    @property
    def exists(self) -> bool:
        """True once anything is known of it."""
        return self.updated_ns > 0

    @property
    def status(self) -> str:
        """For faults."""
        return "known" if self.exists else "absent"

    def member(self, chat: str, member: str) -> e.ChatMember | None:
        """Who may talk there by that id: an entry of their own comes before one of the whole chat."""
        found = [each for each in self.members if each.chat == chat and each.member in ("", member)]
        return max(found, key=lambda each: len(each.member), default=None)

    def number_of(self, ask: e.Ask) -> int:
        """The number of that approval, 0 without one."""
        return next((each.number for each in self.asks if _same(each, ask)), 0)


def _same(one: e.Ask, other: e.Ask) -> bool:
    return (one.task, one.name, one.asked) == (other.task, other.name, other.asked)


def decide(command: BridgeCommand, bridge: BridgeState) -> tuple[e.BridgeEvent, ...]:
    """The events that the command leads to in this state, none for a repeat. Raises: `Refused`."""
    match command:
        case AllowChat(who=who, by=by):
            if who in bridge.members:
                return ()
            if len(bridge.members) >= _MEMBERS_MAX:
                raise Refused(f"a bridge has at most {_MEMBERS_MAX} chats and members")
            return (e.ChatAllowed(**asdict(who), by=by),)
        case DisallowChat(chat=chat, member=member, by=by):
            if not any((each.chat, each.member) == (chat, member) for each in bridge.members):
                raise Refused(f"chat {chat}{f' member {member}' if member else ''} is not on the list")
            return (e.ChatDisallowed(chat, member, by),)
        case AnswerMessage(message=message):
            return (e.BridgeAnswering(message),) if message != bridge.answering else ()
        case AdvanceBridge():
            if command.after != bridge.place:
                raise Refused("another process runs this bridge, and is further")
            return (e.BridgeAdvanced(place=command.place, ignored=command.ignored, strangers=command.strangers),)
        case NumberApprovals(asks=asks):
            return _numbered(asks, bridge)
        case _:
            assert_never(command)


def _numbered(asks: tuple[e.Ask, ...], bridge: BridgeState) -> tuple[e.BridgeEvent, ...]:
    new: list[e.Ask] = []
    for ask in asks:
        if not bridge.number_of(ask) and not any(_same(each, ask) for each in new):
            new.append(replace(ask, number=bridge.numbered + len(new) + 1))
    return (e.ApprovalsNumbered(tuple(new)),) if new else ()


def evolve(bridge: BridgeState, event: e.BridgeEvent, at_ns: int) -> BridgeState:
    """The state after the event."""
    match event:
        case e.ChatAllowed():
            who = e.ChatMember(**{name: getattr(event, name) for name in e.ChatMember.__struct_fields__})
            others = tuple(each for each in bridge.members if (each.chat, each.member) != (who.chat, who.member))
            return replace(bridge, members=(*others, who), updated_ns=at_ns)
        case e.ChatDisallowed():
            gone = event.chat, event.member
            left = tuple(each for each in bridge.members if (each.chat, each.member) != gone)
            return replace(bridge, members=left, updated_ns=at_ns)
        case e.BridgeAnswering():
            return replace(bridge, answering=event.message, updated_ns=at_ns)
        case e.BridgeAdvanced():
            strangers = dict.fromkeys((*event.strangers[::-1], *bridge.strangers[::-1]))
            return replace(
                bridge,
                place=event.place,
                answering="",
                ignored=bridge.ignored + event.ignored,
                strangers=tuple(strangers)[:_STRANGERS][::-1],
                updated_ns=at_ns,
            )
        case e.ApprovalsNumbered():
            numbered = max((bridge.numbered, *(ask.number for ask in event.asks)))
            return replace(bridge, asks=(*bridge.asks, *event.asks)[-_NUMBERS:], numbered=numbered, updated_ns=at_ns)
        case _:
            assert_never(event)


BRIDGE: Final[Decider[BridgeCommand, BridgeState, e.BridgeEvent]] = Decider("bridge", BridgeState(), decide, evolve)
