"""The triggers view."""

from typing import Final

from clawactors.projections.engine.named import NamedTables, named_view
from clawactors.systems.triggers import Trigger
from clawactors.systems.triggers.events import Notification, TriggerPlan
from clawactors.systems.triggers.row import row

__all__ = ["TRIGGERS_VIEW", "TRIGGER_TABLES"]

TRIGGER_TABLES: Final = NamedTables("trigger", "triggers", Trigger)

TRIGGERS_VIEW: Final = named_view(TRIGGER_TABLES, Trigger, TriggerPlan, Notification, row=row)
