"""What happened in a conversation. Tags are promises: stored events decode for ever (see `eventlog/codec.py`)."""

from typing import Final, Literal

import msgspec

from clawactors.eventlog import Codec
from clawactors.systems.memories.events import Moment

__all__ = ["CODEC", "EXTRACT", "EXTRACT_ATTEMPTS", "ChatEvent", "ExtractionRequested", "MessageAdded", "Role"]

EXTRACT: Final = "memory.extract"
"""The skill whose tasks make memories of messages."""

EXTRACT_ATTEMPTS: Final = 6
"""So often it is tried in all."""

type Role = Literal["user", "assistant", "system", "tool"]


class MessageAdded(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, tag="chat.said"):
    """A message. `message` is its id within the conversation, `user` whose conversation it is, `speaker` a name.

    `happened_ns` 0 takes the time of the commit. `recalled`: memories that its text repeats, which is no new evidence.
    `agent`: the agent that it is said to.
    """

    message: str
    role: Role
    text: str
    user: str = ""
    speaker: str = ""
    happened_ns: Moment = 0
    recalled: tuple[str, ...] = ()
    agent: str = ""


class ExtractionRequested(msgspec.Struct, frozen=True, omit_defaults=True, tag="chat.extraction_requested"):
    """Memories shall be made of this message; `key` makes the request one job, however often it is seen."""

    message: str
    user: str
    key: str


type ChatEvent = MessageAdded | ExtractionRequested

CODEC: Codec[ChatEvent] = Codec(ChatEvent.__value__)
