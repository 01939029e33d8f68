"""Commands about settings as other programs write them."""

from typing import Any, Final

import msgspec

from clawactors.kernel.external import ExternalCommand
from clawactors.systems.settings import commands as c
from clawactors.systems.tasks.events import Count

__all__ = ["COMMANDS", "ChangeSettingsRequest", "command_of"]


class ChangeSettingsRequest(ExternalCommand, frozen=True, kw_only=True, tag="setting.change"):
    """Set these, all or none; None takes a setting back to its default. See `ChangeSettings`."""

    changes: dict[str, Any]
    reason: str = ""
    if_version: Count | None = None
    rolled_back_to: Count = 0


COMMANDS: Final[msgspec.json.Decoder[Any]] = msgspec.json.Decoder(ChangeSettingsRequest)
"""What other programs may ask."""


def command_of(command: ChangeSettingsRequest, by: str, _at_ns: int) -> c.SettingCommand:
    """The command that another program asks for, `by` unless it says who asks."""
    return c.ChangeSettings(
        changes=command.changes,
        reason=command.reason,
        if_version=command.if_version,
        rolled_back_to=command.rolled_back_to,
        by=command.by or by,
    )
