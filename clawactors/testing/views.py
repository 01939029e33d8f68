"""The views of a control process in memory: states are folded at once, rows only when somebody asks."""

from collections.abc import Sequence
from typing import override

from clawactors.app.projections import CLUSTER
from clawactors.eventlog import EventLog, EventLogError
from clawactors.eventlog.decoding import Commit
from clawactors.kernel.errors import Refused
from clawactors.kernel.kind import Kinds
from clawactors.projections.engine.inprocess import InProcessStore
from clawactors.projections.engine.projector import Projector
from clawactors.projections.engine.questions import HeartbeatOf, Queries, ViewQuestion, error_reply
from clawactors.projections.moment import moment_at
from clawactors.runtime.clock import Clock
from clawactors.runtime.control.inprocess import InProcessViews

__all__ = ["QueriedViews"]


class QueriedViews(InProcessViews):
    """Answers the questions of the cluster's projection, as of what was applied last."""

    def __init__(self, kinds: Kinds, clock: Clock, heartbeat: HeartbeatOf, log: EventLog) -> None:
        super().__init__(kinds, log)
        self._past: tuple[int, Projector] | None = None
        self._whole = log
        self._commits: list[Commit] = []
        self._projector = Projector.on(InProcessStore(CLUSTER.tables), CLUSTER, "testing")
        self._queries = Queries(CLUSTER.questions, lambda: self._projector.store, heartbeat, clock.now_ns)

    @override
    async def apply(self, commits: Sequence[Commit], upto: int) -> None:
        await super().apply(commits, upto)
        self._commits += commits

    @override
    async def renew(self) -> bool:
        await super().renew()
        self._projector = Projector.on(InProcessStore(CLUSTER.tables), CLUSTER, "testing")
        self._commits = []
        async for records in self._whole.read(CLUSTER.patterns, until=self._upto):
            self._commits += map(self._kinds.decoder.decode, records)
        return True

    async def answer(self, name: str, body: bytes) -> bytes:
        """The answer to a question on `claw.query.<name>`, or the error as an answer."""
        try:
            question = self._queries.read(name, body)
            if question.at_seq or question.at_time_ns:
                return await self._answer_of_past(name, question)
            commits, self._commits = self._commits, []
            self._projector.apply_commits(commits, self._upto)
            return self._queries.answer(name, question)
        except (Refused, EventLogError, RecursionError) as error:
            return error_reply(error)

    async def _answer_of_past(self, name: str, question: ViewQuestion) -> bytes:
        moment = await moment_at(self._whole, question.at_seq, question.at_time_ns)
        if self._past is None or self._past[0] != moment.seq:
            past = Projector.on(InProcessStore(CLUSTER.tables), CLUSTER, "testing")
            async for records in self._whole.read(CLUSTER.patterns, until=moment.seq):
                past.apply(records)
            past.apply((), moment.seq)
            self._past = moment.seq, past
        store = self._past[1].store
        return Queries(CLUSTER.questions, lambda: store, lambda _: None, lambda: moment.at_ns).answer(name, question)
