"""The identities view."""

from typing import Final

from clawactors.projections.engine.named import NamedTables, named_view
from clawactors.systems.identities import Identity
from clawactors.systems.identities.events import Invitation
from clawactors.systems.identities.row import row

__all__ = ["IDENTITIES_VIEW"]

_TABLES: Final = NamedTables("identity", "identities", Identity)

IDENTITIES_VIEW: Final = named_view(_TABLES, Identity, Invitation, row=row)
