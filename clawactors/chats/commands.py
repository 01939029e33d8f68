"""What can be asked of a conversation."""

import msgspec

from clawactors.chats.events import Said

__all__ = ["ChatCommand", "Say"]


class Say(msgspec.Struct, frozen=True):
    """Add a message; a repeated message id is quiet."""

    said: Said
    conversation: str


type ChatCommand = Say
