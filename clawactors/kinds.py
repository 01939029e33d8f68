"""The kinds of aggregates of this release, and the one decoder that all readers of the log share."""

from clawactors.chats.events import CODEC as CHAT_CODEC
from clawactors.memories.events import CODEC as MEMORY_CODEC
from clawactors.nodes.events import CODEC as NODE_CODEC
from clawactors.schedules.events import CODEC as SCHEDULE_CODEC
from clawactors.tasks.events import CODEC as TASK_CODEC
from eventlog.decoding import Decoder

__all__ = ["DECODER"]

DECODER = Decoder(
    {"task": TASK_CODEC, "node": NODE_CODEC, "schedule": SCHEDULE_CODEC, "chat": CHAT_CODEC, "memory": MEMORY_CODEC}
)
