"""Summaries of a cluster: tasks and nodes by state, progress of the views, statistics."""

import msgspec

from clawactors.eventlog import NoResponders
from clawactors.runtime.client.connected import ConnectedClient
from clawactors.runtime.questions import read_log_end

__all__ = ["ClusterStatus", "Durations", "LogSize", "Statistics", "StoreSize", "Summary", "TableSize", "ViewsPosition"]


class _Summary(msgspec.Struct, frozen=True, kw_only=True):
    pass


class LogSize(_Summary, frozen=True):
    """The end of the log and its size."""

    last_seq: int
    bytes: int


class ViewsPosition(_Summary, frozen=True):
    """The log position of the views, and how many commits they lag; `damage`: why they are being made again."""

    seq: int
    lag: int
    damage: str = ""


class ClusterStatus(_Summary, frozen=True):
    """What `claw status` shows; `leader` is None where no control process leads."""

    tasks: dict[str, int]
    nodes: dict[str, int]
    log: LogSize
    projection: ViewsPosition
    leader: str | None
    faults: int
    needs_upgrade: int


class Durations(_Summary, frozen=True):
    """Runs of a skill from start to end, in seconds; half of the successful ones took `p50_s` at most."""

    submitted: int
    succeeded: int
    failed: int
    mean_s: float
    p50_s: float | None
    p95_s: float | None


class TableSize(_Summary, frozen=True):
    """One table of the views."""

    rows: int
    size_bytes: int


class StoreSize(_Summary, frozen=True):
    """The views on disk, and the events that they were made from."""

    size_bytes: int
    events: int
    tables: dict[str, TableSize]


type CountsBy = dict[str, dict[str, int]]
"""Value of a dimension → status → tasks."""


class Statistics(_Summary, frozen=True):
    """Tasks and nodes by status, tasks by status in each dimension, durations by skill, sizes."""

    tasks: dict[str, int]
    nodes: dict[str, int]
    by_skill: CountsBy
    by_node: CountsBy
    by_user: CountsBy
    by_error: CountsBy
    durations: dict[str, Durations]
    store: StoreSize


class _Counts(msgspec.Struct):
    tasks: dict[str, int]
    nodes: dict[str, int]
    needs_upgrade: int
    faults: int
    position: int
    damage: str = ""


class Summary(ConnectedClient):
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
                seq=counts.position, lag=max(0, head.last_seq - counts.position), damage=counts.damage
            ),
            leader=head.leader,
            faults=counts.faults,
            needs_upgrade=counts.needs_upgrade,
        )

    async def leader(self) -> str | None:
        """The control process that leads, or None."""
        try:
            return (await read_log_end(self.questions, absent_s=0)).leader
        except NoResponders:
            return None

    async def statistics(self, *, limit: int = 100, fresh: bool = True) -> Statistics:
        """Counts, durations and sizes; of each dimension the `limit` values with the most tasks.

        Raises: `Unavailable`.
        """
        return await self.views.answer(Statistics, "statistics", limit=limit, fresh=fresh)
