"""What can be asked of a conversation."""

import msgspec

from clawactors.systems.chats.events import MessageAdded

__all__ = ["AddMessage", "ChatCommand"]


class AddMessage(msgspec.Struct, frozen=True):
    """Add a message; a repeated message id is quiet. `remembered` False: its user has memory switched off."""

    message: MessageAdded
    conversation: str
    remembered: bool = True


type ChatCommand = AddMessage
