"""Commands to bridges as other programs write them."""

import re
from typing import Any, Final, assert_never

import msgspec

from clawactors.kernel.errors import Refused
from clawactors.kernel.external import ExternalCommand
from clawactors.systems.bridges import decider as c
from clawactors.systems.bridges.events import Ask, ChatMember, Stranger
from clawactors.systems.tasks.events import Count

__all__ = [
    "COMMANDS",
    "AdvanceBridgeRequest",
    "AllowChatRequest",
    "AnswerMessageRequest",
    "DisallowChatRequest",
    "NumberApprovalsRequest",
    "command_of",
]

_ID: Final = re.compile(r"[!-~]{1,200}")
_TEXT_MAX: Final = 200
_SKILLS_MAX: Final = 100
_ASKS_MAX: Final = 1000


class AllowChatRequest(ExternalCommand, frozen=True, kw_only=True, tag="bridge.allow"):
    """Let them talk."""

    who: ChatMember


class DisallowChatRequest(ExternalCommand, frozen=True, kw_only=True, tag="bridge.disallow"):
    """Let them talk no longer."""

    chat: str
    member: str = ""


class AnswerMessageRequest(ExternalCommand, frozen=True, kw_only=True, tag="bridge.answer"):
    """The answer to that message is about to go out."""

    message: str


class AdvanceBridgeRequest(ExternalCommand, frozen=True, kw_only=True, tag="bridge.advance"):
    """All messages from `after` up to `place` are done with."""

    after: str
    place: str
    ignored: Count = 0
    strangers: tuple[Stranger, ...] = ()


class NumberApprovalsRequest(ExternalCommand, frozen=True, kw_only=True, tag="bridge.number"):
    """Give numbers to those that have none."""

    asks: tuple[Ask, ...]


type _Any = (
    AllowChatRequest | DisallowChatRequest | AnswerMessageRequest | AdvanceBridgeRequest | NumberApprovalsRequest
)

COMMANDS: Final[msgspec.json.Decoder[Any]] = msgspec.json.Decoder(_Any.__value__)
"""What other programs may ask of a bridge."""


def command_of(command: _Any, by: str, _at_ns: int) -> c.BridgeCommand:
    """The command that another program asks for, `by` unless it says who asks. Raises: `Refused`."""
    by = command.by or by
    match command:
        case AllowChatRequest(who=who):
            return c.AllowChat(_checked(who), by)
        case DisallowChatRequest(chat=chat, member=member):
            return c.DisallowChat(chat, member, by)
        case AnswerMessageRequest(message=message):
            return c.AnswerMessage(_short(message))
        case AdvanceBridgeRequest():
            strangers = tuple(
                Stranger(_short(each.chat), _short(each.member), _short(each.called))
                for each in command.strangers[-10:]
            )
            return c.AdvanceBridge(
                after=command.after, place=_short(command.place), ignored=command.ignored, strangers=strangers
            )
        case NumberApprovalsRequest(asks=asks):
            if len(asks) > _ASKS_MAX:
                raise Refused(f"at most {_ASKS_MAX} approvals get numbers at once")
            return c.NumberApprovals(asks)
        case _:
            assert_never(command)


def _checked(who: ChatMember) -> ChatMember:
    for what, id in (("chat", who.chat), ("member", who.member)):
        if (id or what == "chat") and not _ID.fullmatch(id):
            raise Refused(f"{id[:60]!r} is no id of a {what}: it has no spaces, and 200 characters at most")
    if not who.name or len(who.name) > _TEXT_MAX or not who.name.isprintable():
        raise Refused("the name that they act as is one line of at most 200 characters")
    if len(who.skills) > _SKILLS_MAX or any(not each or len(each) > _TEXT_MAX for each in who.skills):
        raise Refused(f"they may submit at most {_SKILLS_MAX} skills, by name; 'import-*' names several")
    return who


def _short(text: str) -> str:
    return "".join(each for each in text[:_TEXT_MAX] if each.isprintable())
