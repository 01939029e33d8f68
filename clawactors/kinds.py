"""The kinds of aggregates of this release, and the one decoder that all readers of the log share."""

from clawactors.eventlog.decoding import Decoder
from clawactors.systems.chats.events import CODEC as CHAT_CODEC
from clawactors.systems.memories.events import CODEC as MEMORY_CODEC
from clawactors.systems.nodes.events import CODEC as NODE_CODEC
from clawactors.systems.schedules.events import CODEC as SCHEDULE_CODEC
from clawactors.systems.tasks.events import CODEC as TASK_CODEC

__all__ = ["DECODER"]

DECODER = Decoder(
    {"task": TASK_CODEC, "node": NODE_CODEC, "schedule": SCHEDULE_CODEC, "chat": CHAT_CODEC, "memory": MEMORY_CODEC}
)
