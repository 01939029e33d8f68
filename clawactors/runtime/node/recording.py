"""How a node records what its tasks remember: by itself, so that no task waits for the memory process."""

from clawactors.runtime.actor import Actor
from clawactors.runtime.context import ActorContext
from clawactors.systems.memories import Content
from clawactors.systems.memories.commands import RecordMemory
from clawactors.systems.memories.kind import MEMORIES

__all__ = ["WritingRecorder"]


class WritingRecorder:
    """A `Recorder`."""

    def __init__(self, context: ActorContext) -> None:
        self._context = context

    async def record(self, id: str, content: Content, *, replaces: bool = False, key: str = "") -> tuple[int, bool]:
        """The version of the memory, and whether it is new. Raises: `Refused`; what the log raises.

        It can't replace: a node only makes memories. `Exists` says that there is one; the memory process changes it.
        """
        actor = Actor(self._context, MEMORIES, id)
        is_new = await actor.handle(RecordMemory(content))
        if not actor.version:
            await actor.catch_up()
        return actor.version, is_new
