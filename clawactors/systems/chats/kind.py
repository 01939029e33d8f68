"""The kind of conversations."""

from typing import Final

from msgspec.structs import replace

from clawactors.kernel.kind import Home, Kind
from clawactors.systems.chats.commands import ChatCommand
from clawactors.systems.chats.conversation import Conversation
from clawactors.systems.chats.decider import CHAT
from clawactors.systems.chats.events import CODEC, ChatEvent, MessageAdded
from clawactors.systems.chats.external import COMMANDS, command_of

__all__ = ["CHATS"]


def _owner(conversation: Conversation) -> str:
    return conversation.user


def _bare(event: ChatEvent) -> ChatEvent:
    return replace(event, text="", speaker="") if isinstance(event, MessageAdded) else event


CHATS: Final[Kind[ChatCommand, Conversation, ChatEvent]] = Kind(
    name="chat",
    decider=CHAT,
    codec=CODEC,
    command_decoder=COMMANDS,
    command_of=command_of,
    home=Home.MEMORY,
    owner=_owner,
    bare=_bare,
)
