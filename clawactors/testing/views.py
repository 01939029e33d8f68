"""The views of a control process in memory: states are folded at once, rows only when somebody asks."""

from collections.abc import Sequence
from typing import override

from clawactors.app.projections import CLUSTER
from clawactors.eventlog import EventLogError
from clawactors.eventlog.decoding import Commit
from clawactors.kernel.errors import Refused
from clawactors.kernel.kind import Kinds
from clawactors.projections.engine.inprocess import InProcessStore
from clawactors.projections.engine.projector import Projector
from clawactors.projections.engine.questions import HeartbeatOf, Queries, error_reply
from clawactors.runtime.clock import Clock
from clawactors.runtime.control.inprocess import InProcessViews

__all__ = ["QueriedViews"]


class QueriedViews(InProcessViews):
    """Answers the questions of the cluster's projection, as of what was applied last."""

    def __init__(self, kinds: Kinds, clock: Clock, heartbeat: HeartbeatOf) -> None:
        super().__init__(kinds)
        self._commits: list[Commit] = []
        self._upto = 0
        self._projector = Projector.on(InProcessStore(CLUSTER.tables), CLUSTER, "testing")
        self._queries = Queries(CLUSTER.questions, lambda: self._projector.store, heartbeat, clock.now_ns)

    @override
    async def apply(self, commits: Sequence[Commit], upto: int) -> None:
        await super().apply(commits, upto)
        self._commits += commits
        self._upto = upto

    async def answer(self, name: str, body: bytes) -> bytes:
        """The answer to a question on `claw.query.<name>`, or the error as an answer."""
        try:
            question = self._queries.read(name, body)
            commits, self._commits = self._commits, []
            self._projector.apply_commits(commits, self._upto)
            return self._queries.answer(name, question)
        except (Refused, EventLogError, RecursionError) as error:
            return error_reply(error)
