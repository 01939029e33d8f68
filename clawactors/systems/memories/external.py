"""Commands to memories as other programs write them: what a person may ask, not what memory decides."""

from typing import Any, Final, assert_never

import msgspec

from clawactors.kernel.external import ExternalCommand
from clawactors.systems.memories import commands as c
from clawactors.systems.memories.events import Content

__all__ = ["COMMANDS", "ForgetMemoryRequest", "RecordMemoryRequest", "command_of"]


class RecordMemoryRequest(ExternalCommand, frozen=True, kw_only=True, tag="memory.record"):
    """Remember this; `replaces`: in place of what is remembered under the same id."""

    content: Content
    replaces: bool = False


class ForgetMemoryRequest(ExternalCommand, frozen=True, kw_only=True, tag="memory.forget"):
    """Remove it for good."""

    reason: str = ""


type _Any = RecordMemoryRequest | ForgetMemoryRequest

COMMANDS: Final[msgspec.json.Decoder[Any]] = msgspec.json.Decoder(_Any.__value__)
"""What other programs may ask of a memory."""


def command_of(command: _Any, _by: str, _at_ns: int) -> c.MemoryCommand:
    """The command that another program asks for."""
    match command:
        case RecordMemoryRequest():
            return c.RecordMemory(command.content, command.replaces)
        case ForgetMemoryRequest():
            return c.ForgetMemory(command.reason)
        case _:
            assert_never(command)
