"""Commands to workflows as other programs write them."""

from typing import Any, Final, assert_never

import msgspec

from clawactors.kernel.errors import Refused
from clawactors.kernel.external import ExternalCommand
from clawactors.systems.tasks.payload import is_reference, named_in
from clawactors.systems.workflows import commands as c
from clawactors.systems.workflows.definition import definition_of

__all__ = ["COMMANDS", "DEFINITION_INLINE_MAX_BYTES", "AddWorkflowRequest", "RemoveWorkflowRequest", "command_of"]

DEFINITION_INLINE_MAX_BYTES: Final = 4096
"""A larger definition goes by reference: the state of a workflow holds all of its versions."""


class AddWorkflowRequest(ExternalCommand, frozen=True, kw_only=True, tag="workflow.add"):
    """Add this definition as the newest version, unless it is that already."""

    definition: dict[str, Any]


class RemoveWorkflowRequest(ExternalCommand, frozen=True, tag="workflow.remove"):
    """Remove the workflow."""


type _Any = AddWorkflowRequest | RemoveWorkflowRequest

COMMANDS: Final[msgspec.json.Decoder[Any]] = msgspec.json.Decoder(_Any.__value__)
"""What other programs may ask of a workflow."""


def command_of(command: _Any, by: str, at_ns: int) -> c.WorkflowCommand:
    """The command that another program asks for, `by` unless it says who asks. Raises: `Refused`."""
    by = command.by or by
    match command:
        case AddWorkflowRequest(definition=definition):
            return c.AddWorkflow(_checked(definition), by)
        case RemoveWorkflowRequest():
            return c.RemoveWorkflow(by)
        case _:
            assert_never(command)


def _checked(definition: dict[str, Any]) -> dict[str, Any]:
    if is_reference(definition):
        named_in(definition)
        return definition
    definition_of(definition)
    size_bytes = len(msgspec.json.encode(definition))
    if size_bytes > DEFINITION_INLINE_MAX_BYTES:
        raise Refused(
            f"this definition has {size_bytes} bytes; more than {DEFINITION_INLINE_MAX_BYTES} go by reference: add it "
            "with `claw workflow add` or `claw.workflows.add`"
        )
    return definition
