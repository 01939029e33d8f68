"""The bridges view."""

from typing import Final

from clawactors.projections.engine.named import NamedTables, named_view
from clawactors.systems.bridges import Ask, BridgeState, ChatMember
from clawactors.systems.bridges.events import Stranger
from clawactors.systems.bridges.row import row

__all__ = ["BRIDGES_VIEW"]

BRIDGES_VIEW: Final = named_view(
    NamedTables("bridge", "bridges", BridgeState), BridgeState, ChatMember, Stranger, Ask, row=row
)
