"""The schedules view."""

from typing import Final

from clawactors.projections.engine.named import NamedTables, named_view
from clawactors.systems.schedules import Schedule
from clawactors.systems.schedules.events import SchedulePlan
from clawactors.systems.schedules.row import row

__all__ = ["SCHEDULES_VIEW", "SCHEDULE_TABLES"]

SCHEDULE_TABLES: Final = NamedTables("schedule", "schedules", Schedule)

SCHEDULES_VIEW: Final = named_view(SCHEDULE_TABLES, Schedule, SchedulePlan, row=row)
