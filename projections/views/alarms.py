"""The alarms view."""

from typing import Final

from clawactors.projections.engine.named import NamedTables, named_view
from clawactors.systems.alarms import Alarm
from clawactors.systems.alarms.row import row

__all__ = ["ALARMS_VIEW"]

ALARMS_VIEW: Final = named_view(NamedTables("alarm", "alarms", Alarm), Alarm, row=row)
