"""Commands to owners as other programs write them: each user may set what is theirs."""

from typing import Any, Final

import msgspec

from clawactors.kernel.errors import Refused
from clawactors.kernel.external import ExternalCommand
from clawactors.kernel.principals import may_speak_for, principal_in
from clawactors.systems.owners.commands import Configure, OwnerCommand
from clawactors.systems.owners.events import OwnerSettings

__all__ = ["COMMANDS", "ConfigureOwnerRequest", "command_of"]


class ConfigureOwnerRequest(ExternalCommand, frozen=True, kw_only=True, tag="owner.configure"):
    """These settings shall hold."""

    owner: str
    settings: OwnerSettings


COMMANDS: Final[msgspec.json.Decoder[Any]] = msgspec.json.Decoder(ConfigureOwnerRequest)
"""What other programs may ask of an owner."""


def command_of(command: ConfigureOwnerRequest, by: str, _at_ns: int) -> OwnerCommand:
    """The command that another program asks for. Raises: `Refused` unless the owner asks."""
    if not may_speak_for(principal_in(by), command.owner):
        raise Refused(f"only {command.owner[:60]!r} may set that, or the cluster's own account (claw memory settings)")
    return Configure(command.owner, command.settings)
