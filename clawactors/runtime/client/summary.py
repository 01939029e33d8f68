"""Summaries of a cluster: tasks and nodes by state, progress of the views, statistics."""

from collections.abc import Iterable
from typing import Final

import msgspec

from clawactors.eventlog import NoResponders, Unavailable
from clawactors.kernel.errors import InvalidQuery
from clawactors.runtime.client.backuprows import BackupRow
from clawactors.runtime.client.connected import ConnectedClient
from clawactors.runtime.client.questions import ViewsReader
from clawactors.runtime.questions import read_log_end, read_sizes
from clawactors.runtime.times import Moment, moment_ns

__all__ = [
    "DIMENSIONS",
    "ClusterStatus",
    "Durations",
    "LogSize",
    "PastStatus",
    "Sizes",
    "Statistics",
    "StatisticsReader",
    "StoreSize",
    "Summary",
    "TableSize",
    "Took",
    "ViewsPosition",
    "Window",
]


_LAG_MAX: Final = 1_000
"""Commits that views may be behind while much is written: less than half a second."""


class _Summary(msgspec.Struct, frozen=True, kw_only=True):
    pass


class LogSize(_Summary, frozen=True):
    """The end of the log and its size."""

    last_seq: int
    bytes: int


class ViewsPosition(_Summary, frozen=True):
    """The log position of the views, how many commits they lag, what they take on disk, why they are made again."""

    seq: int
    lag: int
    bytes: int = 0
    damage: str = ""


class ClusterStatus(_Summary, frozen=True):
    """What `claw status` shows; `leader` is None where no control process leads, `backup` where there was none."""

    tasks: dict[str, int]
    nodes: dict[str, int]
    log: LogSize
    projection: ViewsPosition
    leader: str | None
    faults: int
    needs_upgrade: int
    backup: BackupRow | None = None

    @property
    def lacking(self) -> str:
        """What keeps the cluster from being ready for work, '' for nothing."""
        if self.leader is None:
            return "no control process leads"
        if self.projection.damage:
            return "views are being made again"
        return "views are behind the log" if self.projection.lag > _LAG_MAX else ""


class PastStatus(_Summary, frozen=True):
    """What `claw status --at` shows; of the log, only where it ended is known."""

    tasks: dict[str, int]
    nodes: dict[str, int]
    log: LogSize
    faults: int
    needs_upgrade: int


class Took(_Summary, frozen=True):
    """How long runs took from start to end, in seconds: half of them took `p50_s` at most, 3 % off at most."""

    runs: int = 0
    p50_s: float = 0.0
    p90_s: float = 0.0
    p95_s: float = 0.0
    p99_s: float = 0.0


class Durations(Took, frozen=True):
    """The same of the successful runs of a skill; `succeeded`, `failed` and `mean_s` are of all that have ended."""

    submitted: int = 0
    succeeded: int = 0
    failed: int = 0
    mean_s: float = 0.0


class TableSize(_Summary, frozen=True):
    """One table of the views."""

    rows: int
    size_bytes: int


class StoreSize(_Summary, frozen=True):
    """The views on disk, and the events that they were made from."""

    size_bytes: int
    events: int
    tables: dict[str, TableSize]


DIMENSIONS: Final = ("skill", "node", "user", "tag", "error", "hour")
"""In which tasks are counted."""

type CountsBy = dict[str, dict[str, int]]
"""Value of a dimension → status → tasks."""


class Window(_Summary, frozen=True):
    """Tasks that were submitted in some hours, by status, and how long their successful runs took."""

    tasks: dict[str, int]
    took: Took


class Statistics(_Summary, frozen=True):
    """Tasks and nodes by status, tasks by status in each dimension, durations, sizes. Hours are those of submission.

    `took` has the durations by dimension and value: of successful runs by `skill`, `node`, `user`, `tag` and `hour`, of
    failed ones by `error`, and by `status` of the runs that ended their task so; `took_all` of all successful runs.
    """

    tasks: dict[str, int]
    nodes: dict[str, int]
    store: StoreSize
    by_skill: CountsBy = {}
    by_node: CountsBy = {}
    by_user: CountsBy = {}
    by_tag: CountsBy = {}
    by_error: CountsBy = {}
    by_hour: CountsBy = {}
    durations: dict[str, Durations] = {}
    took: dict[str, dict[str, Took]] = {}
    took_all: Took = Took()
    window: Window | None = None


class Sizes(_Summary, frozen=True):
    """What a cluster takes on disk, in bytes; `memory` is None where no memory process answers."""

    log: int
    views: int
    blobs: int
    memory: int | None


class _MemorySize(msgspec.Struct):
    size_bytes: int


class _Counts(msgspec.Struct):
    tasks: dict[str, int]
    nodes: dict[str, int]
    needs_upgrade: int
    faults: int
    position: int
    size_bytes: int
    damage: str = ""
    backup: BackupRow | None = None


class StatisticsReader(ViewsReader):
    """Counts and durations, of now or of a past moment."""

    async def statistics(
        self,
        *,
        by: Iterable[str] = DIMENSIONS,
        since: Moment | None = None,
        until: Moment | None = None,
        limit: int = 100,
        fresh: bool = True,
    ) -> Statistics:
        """Counts, durations and sizes; of each dimension of `by` the `limit` values with the most tasks.

        Of hours it has the newest, within `since` and `until`; then `window` sums up the hours between them.
        Raises: `InvalidQuery`, `Unavailable`.
        """
        if not isinstance(by, Iterable):
            raise InvalidQuery(f"by is one dimension or several, not {by!r}")
        names = (by,) if isinstance(by, str) else tuple(by)
        times = {"since_ns": moment_ns(since), "until_ns": moment_ns(until)}
        return await self.views.answer(Statistics, "statistics", by=names, **times, limit=limit, fresh=fresh)


class Summary(StatisticsReader, ConnectedClient):
    """Sums up a cluster. All raise `Unavailable` (`NoResponders`: no control process runs)."""

    async def status(self, *, fresh: bool = False) -> ClusterStatus:
        """A summary of the cluster's state.

        `fresh` waits until the views hold all that is in the log now. Raises: `Unavailable`.
        """
        head = await read_log_end(self.questions)
        counts = await self.views.answer(_Counts, "status", fresh=fresh)
        return ClusterStatus(
            tasks=counts.tasks,
            nodes=counts.nodes,
            log=LogSize(last_seq=head.last_seq, bytes=head.size_bytes),
            projection=ViewsPosition(
                seq=counts.position,
                lag=max(0, head.last_seq - counts.position),
                bytes=counts.size_bytes,
                damage=counts.damage,
            ),
            leader=head.leader,
            faults=counts.faults,
            needs_upgrade=counts.needs_upgrade,
            backup=counts.backup,
        )

    async def leader(self) -> str | None:
        """The control process that leads, or None."""
        try:
            return (await read_log_end(self.questions, absent_s=0)).leader
        except NoResponders:
            return None

    async def sizes(self) -> Sizes:
        """What log, views, large values and memory take on disk. Raises: `Unavailable`."""
        stored, views = await read_sizes(self.questions), await self.views.answer(_Counts, "status")
        try:
            answer = await self.questions.ask("memory.stats", b"{}", absent_s=0)
            memory = msgspec.json.decode(answer, type=_MemorySize).size_bytes
        except (Unavailable, msgspec.ValidationError):
            memory = None
        return Sizes(log=stored.log_bytes, views=views.size_bytes, blobs=stored.blobs_bytes, memory=memory)
