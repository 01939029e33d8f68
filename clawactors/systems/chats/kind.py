"""The kind of conversations."""

from typing import Final

from clawactors.kernel.kind import Home, Kind
from clawactors.systems.chats.commands import ChatCommand
from clawactors.systems.chats.conversation import Conversation
from clawactors.systems.chats.decider import CHAT
from clawactors.systems.chats.events import CODEC, ChatEvent
from clawactors.systems.chats.external import COMMANDS, command_of

__all__ = ["CHATS"]

CHATS: Final[Kind[ChatCommand, Conversation, ChatEvent]] = Kind(
    name="chat", decider=CHAT, codec=CODEC, command_decoder=COMMANDS, command_of=command_of, home=Home.MEMORY
)
