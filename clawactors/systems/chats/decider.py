"""The rules of a conversation.

1. A message has an id and text. A repeated id is quiet.
2. Memories are made of users' own messages only; the message and the request are one commit.
3. A user's message says whose it is.
4. A message that only repeats what memory said asks for nothing: it is no new evidence. Nor does one of a user who has
   memory switched off.
"""

from typing import assert_never

from msgspec.structs import replace

from clawactors.kernel.decider import Decider
from clawactors.kernel.errors import Refused
from clawactors.systems.chats.commands import AddMessage, ChatCommand
from clawactors.systems.chats.conversation import RECENT, Conversation
from clawactors.systems.chats.events import ChatEvent, ExtractionRequested, MessageAdded
from clawactors.systems.memories.text import shows

__all__ = ["CHAT", "decide", "evolve"]


def decide(command: ChatCommand, conversation: Conversation) -> tuple[ChatEvent, ...]:
    """The events that the command leads to in this state, none for a repeat. Raises `Refused`."""
    match command:
        case AddMessage():
            return _add(command, conversation)
        case _:
            assert_never(command)


def _add(command: AddMessage, conversation: Conversation) -> tuple[ChatEvent, ...]:
    added = command.message
    if not added.message:
        raise Refused("a message has an id")
    if not shows(added.text):
        raise Refused("a message has text")
    if added.user == "*":
        raise Refused("the user * stands for all of them; name one")
    if added.message in conversation.recent:
        return ()
    if added.role != "user" or added.recalled or not command.remembered:
        return (added,)
    if not added.user:
        raise Refused("a user's message names its user")
    key = f"chat/{command.conversation}/{added.message}"
    return (added, ExtractionRequested(added.message, added.user, key))


def evolve(conversation: Conversation, event: ChatEvent, at_ns: int) -> Conversation:
    """The state after the event; the same object where the event is illegal in this state."""
    match event:
        case MessageAdded() if event.message and event.message not in conversation.recent:
            return replace(
                conversation,
                messages=conversation.messages + 1,
                recent=(*conversation.recent, event.message)[-RECENT:],
                updated_ns=at_ns,
                user=event.user or conversation.user,
            )
        case ExtractionRequested() if (
            event.message in conversation.recent and event.message not in conversation.requested
        ):
            return replace(conversation, requested=(*conversation.requested, event.message)[-RECENT:], updated_ns=at_ns)
        case _:
            return conversation


CHAT: Decider[ChatCommand, Conversation, ChatEvent] = Decider("chat", Conversation(), decide, evolve)
