"""Commands to memories as other programs write them: what a person may ask, not what memory decides."""

from typing import Any, Final, assert_never

import msgspec

from clawactors.kernel.external import ExternalCommand
from clawactors.systems.memories import commands as c
from clawactors.systems.memories.events import Content

__all__ = ["COMMANDS", "command_of"]


class _Record(ExternalCommand, frozen=True, kw_only=True, tag="memory.record"):
    content: Content


class _Forget(ExternalCommand, frozen=True, kw_only=True, tag="memory.forget"):
    reason: str = ""


type _Any = _Record | _Forget

COMMANDS: Final[msgspec.json.Decoder[Any]] = msgspec.json.Decoder(_Any.__value__)
"""What other programs may ask of a memory."""


def command_of(command: _Any, _by: str, _at_ns: int) -> c.MemoryCommand:
    """The command that another program asks for."""
    match command:
        case _Record():
            return c.RecordMemory(command.content)
        case _Forget():
            return c.ForgetMemory(command.reason)
        case _:
            assert_never(command)
