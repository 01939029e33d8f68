"""What can be asked about settings."""

from typing import Any

import msgspec

__all__ = ["ChangeSettings", "SettingCommand"]


class ChangeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Set these, all or none; None takes a setting back to its default.

    `if_version`: only if none of them has changed since that version of the settings. `rolled_back_to` is the version
    that the values are of, 0 where they are new.
    """

    changes: dict[str, Any]
    reason: str = ""
    if_version: int | None = None
    rolled_back_to: int = 0
    by: str = ""


type SettingCommand = ChangeSettings
"""What `decide` takes."""
