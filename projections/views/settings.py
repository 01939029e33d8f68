"""The settings view: one row."""

from typing import Final

from clawactors.projections.engine.named import NamedTables, named_view
from clawactors.systems.settings import ClusterSettings, SettingEntry
from clawactors.systems.settings.row import row

__all__ = ["SETTINGS_VIEW"]

_TABLES: Final = NamedTables("setting", "settings", ClusterSettings)

SETTINGS_VIEW: Final = named_view(_TABLES, ClusterSettings, SettingEntry, row=row)
