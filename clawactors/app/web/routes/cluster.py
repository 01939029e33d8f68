"""The cluster as a whole: `/api/v1/status`, `/stats`, `/overview`, `/queue`, `/doctor`, what is done to all."""

from typing import Annotated, Any

import msgspec
from litestar import Controller, get, post
from litestar.params import FromQuery, JSONBody, QueryParameter

from clawactors.app.web.parameters import At, Claw, Fresh, Several, Time, Until, as_of, moment, until, words
from clawactors.runtime.archiving import ArchiveReport
from clawactors.runtime.client.overview import Overview
from clawactors.runtime.client.past import PastCluster
from clawactors.runtime.client.summary import DIMENSIONS, ClusterStatus, PastStatus, Sizes, Statistics
from clawactors.runtime.queue import MOST_QUEUED, QueueReply

__all__ = ["ClusterRoutes"]

_Seconds = Annotated[int, QueryParameter(ge=1, le=300)]
_Queued = Annotated[int, QueryParameter(ge=1, le=MOST_QUEUED)]


class ClusterStatistics(Statistics, frozen=True, kw_only=True):
    """Counts and durations, and what all takes on disk; `sizes` is None for a past moment."""

    sizes: Sizes | None


class CheckRow(msgspec.Struct, frozen=True):
    """What one check found: `verdict` is `ok`, `warning`, `unknown` or `failed`."""

    name: str
    ok: bool
    detail: str
    verdict: str


class Checks(msgspec.Struct, frozen=True):
    """`ok` where none has failed."""

    ok: bool
    checks: tuple[CheckRow, ...]


class ArchiveBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Tasks that ended at least so long ago; `dry_run` only counts them."""

    older_than_s: float = 30 * 86_400.0
    dry_run: bool = False


class EraseBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose words are erased; `cancel` ends first what of theirs is under way."""

    owner: str
    cancel: bool = False
    reason: str = ""


class Compacted(msgspec.Struct, frozen=True):
    """Bytes of the views before and after."""

    before: int
    after: int


class ClusterRoutes(Controller):
    """Status, statistics, checks; archive, compact, erase."""

    path = "/"
    tags = ["cluster"]  # noqa: RUF012 # as litestar declares it

    @get("/status", operation_id="status")
    async def status(self, claw: Claw, fresh: Fresh = False, at: At = "") -> ClusterStatus | PastStatus:
        """The cluster in a few numbers."""
        then = as_of(claw, at)
        return await (then.status() if isinstance(then, PastCluster) else then.status(fresh=fresh))

    @get("/overview", operation_id="overview")
    async def overview(self, claw: Claw, window_s: _Seconds = 60, series_s: FromQuery[int] = 0) -> Overview:
        """The cluster at a glance: status, rates, waits, durations, errors and disk of late; cheap to ask."""
        return await claw.overview(window_s=window_s, series_s=series_s)

    @get("/queue", operation_id="queue")
    async def queue(self, claw: Claw, skill: FromQuery[str] = "", limit: _Queued = 20) -> QueueReply:
        """The next pending tasks, in the order in which they are placed: why, and what holds each back."""
        return await claw.queue(skill, limit=limit)

    @get("/stats", operation_id="statistics")
    async def statistics(
        self,
        claw: Claw,
        by: Several = None,
        since: Time = "",
        until_: Until = "",
        limit: Annotated[int, QueryParameter(ge=1, le=1000)] = 100,
        fresh: Fresh = True,
        at: At = "",
    ) -> ClusterStatistics:
        """Tasks by status in each dimension, how long runs took, and what everything takes on disk."""
        then = as_of(claw, at)
        found = await then.statistics(
            by=words(by) or DIMENSIONS,
            since=moment("since", since),
            until=until("until", until_),
            limit=limit,
            fresh=fresh,
        )
        sizes = None if isinstance(then, PastCluster) else await then.sizes()
        return ClusterStatistics(**msgspec.structs.asdict(found), sizes=sizes)

    @get("/doctor", operation_id="checks")
    async def doctor(self, claw: Claw) -> Checks:
        """The checks of `claw doctor` that need no machine of the cluster."""
        rows = [msgspec.convert(check.row, CheckRow) async for check in claw.checks(claw.memories.ask)]
        return Checks(all(row.ok for row in rows), tuple(rows))

    @get("/leader", operation_id="leader")
    async def leader(self, claw: Claw) -> dict[str, str | None]:
        """The control process that leads, as `{"leader": NAME}`; null where none does."""
        return {"leader": await claw.leader()}

    @post("/archive", operation_id="archive", status_code=200)
    async def archive(self, claw: Claw, data: JSONBody[ArchiveBody]) -> ArchiveReport:
        """Moves tasks that ended long ago to the archive; answers when it is done. The same again goes on."""
        return await claw.archive(data.older_than_s, dry_run=data.dry_run)

    @post("/compact", operation_id="compact", status_code=200)
    async def compact(self, claw: Claw) -> Compacted:
        """Gives back the space that deleted rows have left in the views."""
        done = await claw.compact()
        return Compacted(done.before, done.after)

    @post("/erase", operation_id="erase", status_code=200)
    async def erase(self, claw: Claw, data: JSONBody[EraseBody]) -> dict[str, Any]:
        """Erases all words of a user for good; `receipt` says what is gone. The same again goes on."""
        return await claw.erase(data.owner, cancel=data.cancel, reason=data.reason)
