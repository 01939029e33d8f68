"""Views in a folder, as `bin/replay --into` makes them: asked without a cluster."""

import time
from pathlib import Path
from typing import Any, Self

import msgspec

from clawactors.app.projections import CLUSTER
from clawactors.eventlog import Corrupt, Misconfigured
from clawactors.projections.engine.questions import Queries
from clawactors.projections.engine.state import state_of
from clawactors.projections.engine.store import Store
from clawactors.runtime.client.past import PastReading
from clawactors.runtime.client.questions import TypedQuestions

__all__ = ["OfflineViews"]


class OfflineViews(PastReading):
    """The views in that folder; close it, or use it in a `with`. They are of the moment up to which they were made.

    Raises: `Misconfigured` where the folder has none that this release can read.
    """

    def __init__(self, folder: Path) -> None:
        try:
            self._store = Store.open(folder, CLUSTER.tables, readonly=True)
        except Corrupt as error:
            raise Misconfigured(f"{folder} holds no views: make them with bin/replay --into {folder}") from error
        try:
            with self._store.snapshot() as reading:
                state = state_of(reading)
            if state is None or (state.projection, state.schema) != (CLUSTER.name, CLUSTER.schema):
                raise Misconfigured(f"{folder} was made by another release: make it anew with bin/replay --into")
        except BaseException:
            self._store.close()
            raise
        self._queries = Queries(CLUSTER.questions, lambda: self._store, lambda _node: None, time.time_ns)
        self.views = TypedQuestions(self._ask)

    async def _ask(self, name: str, question: dict[str, Any]) -> bytes:
        return self._queries.reply(name, msgspec.json.encode(question))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._store.close()
