"""The kind of settings."""

from typing import Final

from clawactors.kernel.kind import Kind
from clawactors.systems.settings.commands import SettingCommand
from clawactors.systems.settings.decider import SETTING, ClusterSettings
from clawactors.systems.settings.events import CODEC, SettingEvent
from clawactors.systems.settings.external import COMMANDS, command_of

__all__ = ["SETTINGS"]

SETTINGS: Final[Kind[SettingCommand, ClusterSettings, SettingEvent]] = Kind(
    name="setting",
    decider=SETTING,
    codec=CODEC,
    command_decoder=COMMANDS,
    command_of=command_of,
    administers=True,
)
