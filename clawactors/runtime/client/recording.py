"""Records notes and messages by asking the memory process."""

from clawactors.runtime.client.sender import CommandSender
from clawactors.runtime.context import ProcessContext
from clawactors.systems.chats import MessageAdded
from clawactors.systems.chats.external import AddMessageRequest
from clawactors.systems.memories import Content
from clawactors.systems.memories.external import RecordMemoryRequest

__all__ = ["AskingRecorder"]


class AskingRecorder:
    """A `Recorder`."""

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
