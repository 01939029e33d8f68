"""The erasures view: which owners' words are gone, and which keys with them."""

from typing import Final

from clawactors.projections.engine.named import NamedTables, named_view
from clawactors.projections.engine.store import Reading
from clawactors.systems.erasures import Erased, Erasure, ErasureRun
from clawactors.systems.erasures.row import row

__all__ = ["ERASURES_VIEW", "ERASURE_TABLES", "last_erasure"]

ERASURE_TABLES: Final = NamedTables("erasure", "erasures", Erasure)

ERASURES_VIEW: Final = named_view(ERASURE_TABLES, Erasure, ErasureRun, Erased, row=row)


def last_erasure(reading: Reading) -> int:
    """The sequence of the last commit that ended an erasure, 0 for none: rows made earlier may hold what is gone."""
    ended = (each.version for each in ERASURE_TABLES.read_all(reading) if each.state.open is None)
    return max(ended, default=0)
