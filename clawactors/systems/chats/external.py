"""Commands to conversations as other programs write them."""

from typing import Any, Final

import msgspec

from clawactors.kernel.errors import Refused
from clawactors.kernel.external import ExternalCommand
from clawactors.kernel.principals import may_speak_for, principal_in
from clawactors.systems.chats.commands import AddMessage, ChatCommand
from clawactors.systems.chats.events import MessageAdded

__all__ = ["COMMANDS", "AddMessageRequest", "command_of"]


class AddMessageRequest(ExternalCommand, frozen=True, kw_only=True, tag="chat.add"):
    """Add a message."""

    message: MessageAdded
    conversation: str


COMMANDS: Final[msgspec.json.Decoder[Any]] = msgspec.json.Decoder(AddMessageRequest)
"""What other programs may ask of a conversation."""


def command_of(command: AddMessageRequest, by: str, _at_ns: int) -> ChatCommand:
    """The command that another program asks for. Raises: `Refused` where a principal speaks for somebody else."""
    user, principal = command.message.user, principal_in(by)
    if user and not may_speak_for(principal, user):
        raise Refused(f"{(principal or '')[:60]!r} can't speak for {user[:60]!r}")
    return AddMessage(command.message, command.conversation)
