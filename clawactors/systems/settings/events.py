"""What happened to settings. Tags are promises (see `clawactors.eventlog.codec`)."""

from typing import Any

import msgspec

from clawactors.eventlog import Codec
from clawactors.systems.tasks.events import Count

__all__ = ["CODEC", "SettingEvent", "SettingsChanged"]


class SettingsChanged(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, tag="setting.changed"):
    """These have these values now, by name; None is the default again.

    `rolled_back_to` is the version of the settings that the values are of, 0 where they are new.
    """

    changes: dict[str, Any]
    reason: str = ""
    rolled_back_to: Count = 0
    by: str = ""


type SettingEvent = SettingsChanged

CODEC: Codec[SettingEvent] = Codec(SettingEvent.__value__)
