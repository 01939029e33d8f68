"""Memory as clients use it: the memory process records their notes and the messages of their conversations."""

from collections.abc import Iterable
from typing import Protocol

from clawactors.eventlog.requests import Asking
from clawactors.runtime.client.sender import CommandSender
from clawactors.runtime.context import ProcessContext
from clawactors.runtime.memory import Memories, Recorder
from clawactors.runtime.naming import new_id
from clawactors.systems.chats import MessageAdded
from clawactors.systems.chats.events import Role
from clawactors.systems.chats.external import AddMessageRequest
from clawactors.systems.memories import Content
from clawactors.systems.memories.external import RecordMemoryRequest
from clawactors.systems.tasks.submission import checked_id

__all__ = ["AskingRecorder", "ClientMemories", "MessageRecorder"]


class MessageRecorder(Recorder, Protocol):
    """How this process has notes and messages recorded."""

    async def add_message(self, conversation: str, message: MessageAdded) -> None:
        """Adds it to the conversation, once. Raises: `Refused`, `TooLarge`, `Unavailable`."""
        ...


class AskingRecorder:
    """A `MessageRecorder` that asks the memory process."""

    def __init__(self, context: ProcessContext, sender: CommandSender) -> None:
        self._context, self._sender = context, sender

    async def record(self, id: str, content: Content) -> tuple[int, bool]:
        """The version of the memory, and whether it is new. Raises: `Refused`, `TooLarge`, `Unavailable`."""
        outcome = await self._sender.ask("memory", id, RecordMemoryRequest(content=content), queued=False)
        return outcome.version, outcome.changed

    async def add_message(self, conversation: str, message: MessageAdded) -> None:
        """Adds it to the conversation, once. Raises: `Refused`, `TooLarge`, `Unavailable`."""
        name = self._context.names.commit()
        request = AddMessageRequest(id=name, message=message, conversation=conversation)
        await self._sender.ask("chat", conversation, request, queued=False)


class ClientMemories(Memories):
    """Memories, and the conversations that they are made of."""

    def __init__(self, recorder: MessageRecorder, requests: Asking) -> None:
        super().__init__(recorder, requests)
        self._conversations = recorder

    async def say(
        self,
        conversation: str,
        text: str,
        *,
        role: Role = "user",
        user: str = "",
        speaker: str = "",
        message: str = "",
        happened_ns: int = 0,
        recalled: Iterable[str] = (),
    ) -> str:
        """Adds a message to a conversation; a user's own also asks for memories of it, in the same commit.

        `recalled` names memories that the text repeats. Returns the message's id; the same id again is quiet.
        Raises: `Refused`; what the log raises.
        """
        added = MessageAdded(
            message=message or new_id(),
            role=role,
            text=text,
            user=user,
            speaker=speaker,
            happened_ns=happened_ns,
            recalled=tuple(recalled),
        )
        await self._conversations.add_message(checked_id(conversation, "name of a conversation"), added)
        return added.message
