"""Chats: the messages of a conversation, pure.

In: `AddMessage` goes into `decide` with the state of the conversation; it gives the message and, for a user's own,
the request to extract memories from it, as one commit. Out: `claw.chat.<conversation>.log`, which memory follows.
Never here: what is extracted; time, randomness, input or output.
"""

from clawactors.systems.chats.conversation import Conversation
from clawactors.systems.chats.decider import CHAT
from clawactors.systems.chats.events import CODEC, ExtractionRequested, MessageAdded

__all__ = ["CHAT", "CODEC", "Conversation", "ExtractionRequested", "MessageAdded"]
