"""Queries of a cluster: lists and counts from the views, a task's history from its records."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any

from clawactors.kernel.errors import InvalidQuery
from clawactors.runtime.client.listing import Listing
from clawactors.runtime.client.overview import OverviewReader
from clawactors.runtime.client.rows import TaskRow, task_row
from clawactors.runtime.queue import QueueReply
from clawactors.runtime.times import Moment, moment_ns

if TYPE_CHECKING:
    from clawactors.runtime.client.checks import Check
    from clawactors.runtime.client.difference import TaskDifference
    from clawactors.runtime.client.events import LogEvent
    from clawactors.runtime.client.history import HistoryEntry, Place
    from clawactors.runtime.client.past import PastCluster
    from clawactors.runtime.client.reasons import Explanation

__all__ = ["ClusterReader", "place_of"]


class ClusterReader(Listing, OverviewReader):
    """Answers questions.

    What needs every kind of event is imported when it is asked for: most programs only list and look.
    """

    async def task(self, id: str, *, at_seq: int | None = None, at: Moment | None = None) -> TaskRow:
        """The task now, or its state at a sequence or time of the log.

        Raises: `NotFound`, `Refused` (needs a newer release), `InvalidQuery` (a place and a time), `Unavailable`.
        """
        place = place_of(at_seq, at)
        if place is not None:
            from clawactors.runtime.client.history import read_history

            return (await read_history(self.questions, id, place)).row
        known = await self.snapshot(id)
        if known.state.life.archived is None:
            return task_row(id, known)
        from clawactors.runtime.client.history import archived_row

        return await archived_row(self.questions, id, known)

    async def history(self, id: str, *, at_seq: int | None = None, at: Moment | None = None) -> "list[HistoryEntry]":
        """Every event of the task, oldest first, up to a sequence or time of the log.

        Raises: `NotFound`, `Refused` (needs a newer release), `InvalidQuery` (a place and a time), `Unavailable`.
        """
        from clawactors.runtime.client.history import read_history

        return (await read_history(self.questions, id, place_of(at_seq, at))).entries

    async def difference(
        self,
        id: str,
        *,
        from_seq: int | None = None,
        begin: Moment | None = None,
        to_seq: int | None = None,
        end: Moment | None = None,
    ) -> "TaskDifference":
        """What changed in the task between two moments, each a sequence or a time; by default from its start to now.

        Raises: `NotFound` where it was not there at the end, `InvalidQuery`, `Refused`, `Unavailable`.
        """
        from clawactors.runtime.client.difference import checked_order, difference
        from clawactors.runtime.client.history import read_history

        first, last = place_of(from_seq, begin) or ("seq", 0), place_of(to_seq, end)
        checked_order(first, last)
        return difference(await read_history(self.questions, id, last), first)

    def at(self, place: Moment, *, progress: Callable[[int, int], None] = lambda done, of: None) -> "PastCluster":
        """The cluster as it was at a past moment, to be asked as it is asked now.

        `place`: a sequence of the log, a time with its zone, or a time ago as in `-2h`. The first question has views of
        that moment built; `progress` is told how many of how many commits they have.
        Raises: `InvalidQuery`.
        """
        from clawactors.runtime.client.past import PastCluster

        return PastCluster(self, place, progress)

    def events(
        self,
        after: int | None = None,
        *,
        types: Iterable[str] = (),
        task: str = "",
        skill: str = "",
        user: str = "",
        live: bool = True,
    ) -> "AsyncGenerator[LogEvent]":
        """Every event behind the sequence `after`, by default from now on, as they come; without end while `live`.

        `types` are names of events, with `*` as in `task.*`; `task` is one task, `skill` and `user` select tasks.
        Order: that of the log; nothing twice, also over a lost connection. Raises: `Refused`, `Unavailable`.
        """
        from clawactors.runtime.client.events import LogFilter, follow_log

        return follow_log(self, after, LogFilter(types, task, skill, user), live=live)

    async def why(self, id: str) -> "Explanation":
        """Why the task is in its state, in sentences. Raises: `NotFound`, `Refused`, `Unavailable`."""
        from clawactors.runtime.client.reasons import explain

        return await explain(self.questions, self.views, self.snapshot, id)

    async def queue(self, skill: str = "", *, limit: int = 20) -> QueueReply:
        """The next pending tasks, in the order in which they are placed: why in that order, and what holds each back.

        Raises: `InvalidQuery`, `Unavailable`.
        """
        return await self.views.answer(QueueReply, "queue", skill=skill, limit=limit)

    def checks(self, memory: Callable[..., Awaitable[dict[str, Any]]], accepted: int = 0) -> "AsyncIterator[Check]":
        """The checks of `claw doctor` that need only a client; `memory` asks the memory process.

        Faults up to the log position `accepted` are known to a person.
        """
        from clawactors.runtime.client.checks import check_cluster

        return check_cluster(self, memory, accepted)


def place_of(at_seq: int | None, at: Moment | None) -> "Place | None":
    """The place that these name, None for now. Raises: `InvalidQuery` for two, or no valid time."""
    if at_seq is not None and at is not None:
        raise InvalidQuery("give a sequence or a time, not both")
    if at_seq is not None:
        return "seq", at_seq
    at_ns = moment_ns(at)
    return None if at_ns is None else ("time", at_ns)
