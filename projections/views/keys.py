"""The keys view."""

from typing import Final

from clawactors.projections.engine.named import NamedTables, named_view
from clawactors.systems.keys import ApiKey
from clawactors.systems.keys.events import KeyGrant
from clawactors.systems.keys.row import row

__all__ = ["KEYS_VIEW"]

_TABLES: Final = NamedTables("apikey", "apikeys", ApiKey)

KEYS_VIEW: Final = named_view(_TABLES, ApiKey, KeyGrant, row=row)
