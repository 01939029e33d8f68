"""Commands to memories as other programs write them: what a person may ask, not what memory decides."""

from typing import Any, Final, assert_never

import msgspec

from clawactors.kernel.errors import Refused
from clawactors.kernel.external import ExternalCommand
from clawactors.kernel.principals import may_speak_for, principal_in
from clawactors.systems.memories import commands as c
from clawactors.systems.memories.events import Content

__all__ = ["COMMANDS", "ForgetMemoryRequest", "RecordMemoryRequest", "command_of"]


class RecordMemoryRequest(ExternalCommand, frozen=True, kw_only=True, tag="memory.record"):
    """Remember this; `replaces`: in place of what is remembered under the same id.

    `key` names it, by default its words do: the id of a principal's memory follows from owner and key.
    """

    content: Content
    replaces: bool = False
    key: str = ""


class ForgetMemoryRequest(ExternalCommand, frozen=True, kw_only=True, tag="memory.forget"):
    """Remove it for good."""

    reason: str = ""


type _Any = RecordMemoryRequest | ForgetMemoryRequest

COMMANDS: Final[msgspec.json.Decoder[Any]] = msgspec.json.Decoder(_Any.__value__)
"""What other programs may ask of a memory."""


def command_of(command: _Any, by: str, _at_ns: int) -> c.MemoryCommand:
    """The command that another program asks for. Raises: `Refused` where a principal speaks for somebody else."""
    asker = principal_in(by)
    match command:
        case RecordMemoryRequest():
            owner = command.content.owner
            if owner and not may_speak_for(asker, owner):
                raise Refused(f"{(asker or '')[:60]!r} can't remember for {owner[:60]!r}")
            return c.RecordMemory(command.content, command.replaces, asker, command.key)
        case ForgetMemoryRequest():
            return c.ForgetMemory(command.reason, asker=asker)
        case _:
            assert_never(command)
