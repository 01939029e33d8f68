"""The inbox of a node: `claw.task.*.to.<node>`, in the order of the log.

What is addressed to another incarnation is ignored.
"""

from msgspec.structs import replace

from clawactors.eventlog import Follower, FromTheFuture, Malformed, Record, is_id, parse_subject
from clawactors.runtime.context import ActorContext
from clawactors.runtime.node.attempt.assigned import Assignment
from clawactors.runtime.node.drain import Drain
from clawactors.runtime.node.slots import Slots
from clawactors.systems.tasks import events as te

__all__ = ["Inbox"]


class Inbox:
    """Puts assignments into the queue, and passes what is appended to running tasks on to their attempts."""

    _follower: Follower

    def __init__(self, context: ActorContext, id: str, incarnation: str, slots: Slots, drain: Drain) -> None:
        self._context, self._id, self._incarnation, self._slots, self._drain = context, id, incarnation, slots, drain

    async def open(self) -> None:
        """Nothing that is addressed to this node is missed from now on. Raises: what the log raises."""
        self._follower = await self._context.log.follow([f"claw.task.*.to.{self._id}"])

    async def aclose(self) -> None:
        """Stops listening. Order: after `open`."""
        await self._follower.aclose()

    async def serve(self) -> None:
        """Takes what comes, until it is closed."""
        async for batch in self._follower:
            for record in batch:
                address = parse_subject(record.subject)
                if address is not None and is_id(address[1]):
                    self._on_task(address[1], record)
            self._slots.fill()

    def _on_task(self, id: str, record: Record) -> None:
        try:
            events = te.CODEC.decode(record.body)
        except (Malformed, FromTheFuture):
            events = ()  # counted by the views
        self._slots.observe(id, record)
        is_guarded = record.expected >= 0
        assignment = _assignment_in(id, record, events, is_guarded=is_guarded)
        is_mine = assignment is not None and assignment.event.incarnation == self._incarnation
        if (assignment is not None and is_mine and assignment.event.wakes) or (
            assignment is not None and is_mine and (is_guarded or id not in self._slots.queue)
        ):
            self._take(assignment)
        else:
            self._slots.doubt(id)

    def _take(self, assignment: Assignment) -> None:
        if assignment.event.wakes:
            if not self._slots.wake(assignment):
                self._slots.give_back(assignment)
        elif self._slots.is_open:
            self._slots.queue[assignment.id] = assignment
        else:
            self._drain.return_soon(assignment)


def _assignment_in(id: str, record: Record, events: tuple[te.TaskEvent, ...], *, is_guarded: bool) -> Assignment | None:
    """The assignment that the commit holds; it is sure where the commit was guarded and nothing else is in it."""
    for scheduled in events:
        if isinstance(scheduled, te.Scheduled):
            break
    else:
        return None
    submitted = events[0] if len(events) == 2 and isinstance(events[0], te.Submitted) else None
    if submitted is not None and submitted.params:
        scheduled = replace(scheduled, params=submitted.params)  # they stand once in the commit that makes the task
    unsure = not is_guarded or (len(events) > 1 and submitted is None)
    return Assignment(id, record.seq, scheduled, record.at_ns, unsure)
