"""What users and the command line call: submit, wait, look, cancel. It asks; control decides (docs/adr/0005)."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from clawactors.eventlog.requests import Requests
from clawactors.kernel.errors import NotFound
from clawactors.kernel.external import ExternalCommand
from clawactors.kernel.fold import Snapshot
from clawactors.kernel.transfer import decode_state
from clawactors.runtime.client.asking import Questions, read_log_end
from clawactors.runtime.client.blobs import ClientBlobs
from clawactors.runtime.client.bulk import BulkChanges, change_many
from clawactors.runtime.client.changing import TaskChanges
from clawactors.runtime.client.ends import Ends
from clawactors.runtime.client.reader import ClusterReader
from clawactors.runtime.client.ref import Ref, task_id
from clawactors.runtime.client.rows import NodeRow
from clawactors.runtime.client.sender import DEADLINE_S, CommandSender
from clawactors.runtime.client.states import read_state
from clawactors.runtime.client.submitting import Batch, TaskRequest, submit, submit_many
from clawactors.runtime.client.waiting import result_of, until_ended
from clawactors.runtime.context import ProcessContext
from clawactors.runtime.naming import new_id
from clawactors.runtime.payloads import Payloads
from clawactors.systems.tasks import Task
from clawactors.systems.tasks.submission import checked_id, delayed, spec_of

if TYPE_CHECKING:
    from clawactors.runtime.client.nodechanges import NodeChanges
    from clawactors.runtime.client.schedules import Schedules
    from clawactors.runtime.client.skills import KnownSkills
    from clawactors.runtime.memory import Memories

__all__ = ["ClusterClient"]


class ClusterClient:
    """A client of a cluster. Every change is a request that control decides on."""

    def __init__(self, context: ProcessContext, requests: Requests, deadline_s: float = DEADLINE_S) -> None:
        self.context, self.requests = context, requests
        self.principal = context.by.partition("/")[2] or context.by
        self.name = new_id()
        self.sender = CommandSender(context, requests, self.principal, self.name, deadline_s)
        self.questions = Questions(requests, self.principal)
        self.ends = Ends(context, requests, self.principal, self.name)
        self.payloads = Payloads(ClientBlobs(requests, self.principal))
        # What can be asked, each documented where it is defined
        self.reader = reader = ClusterReader(self.questions, self.ask, self.look)
        self.task, self.history, self.why = reader.task, reader.history, reader.why
        lists, summary = reader.listing, reader.summary
        self.tasks, self.each_task, self.pending = lists.tasks, lists.each_task, lists.pending
        self.nodes, self.node, self.skills_known = lists.nodes, lists.node, lists.skills_known
        self.status, self.statistics, self.leader = summary.status, summary.statistics, summary.leader
        self.resolve = lists.resolve
        # What can be done with one task, and with many
        changes = TaskChanges(self)
        self.command, self.cancel = changes.command, changes.cancel
        self.pause, self.resume = changes.pause, changes.resume
        self.retry, self.signal, self.edit, self.delete = changes.retry, changes.signal, changes.edit, changes.delete
        self.fork, self.redrive = changes.fork, changes.redrive
        self.change_many, self.delete_ended = change_many, BulkChanges(lists, self.delete).delete_ended

    # What few programs need is imported when it is used

    @cached_property
    def skills(self) -> "KnownSkills":
        """What the nodes offer, as far as it was asked for."""
        from clawactors.runtime.client.skills import KnownSkills

        return KnownSkills(self.ask)

    @cached_property
    def schedules(self) -> "Schedules":
        """The schedules of the cluster."""
        from clawactors.runtime.client.schedules import Schedules

        return Schedules(self)

    @cached_property
    def memories(self) -> "Memories":
        """The memories of the cluster."""
        from clawactors.runtime.client.recording import AskingRecorder
        from clawactors.runtime.memory import Memories

        return Memories(AskingRecorder(self.context, self.sender), self.requests)

    @cached_property
    def _nodes(self) -> "NodeChanges":
        from clawactors.runtime.client.nodechanges import NodeChanges

        return NodeChanges(self, self.reader.listing)

    # Nodes

    async def drain(self, id: str) -> NodeRow:
        """Lets the node finish what it runs and take nothing new, until `uncordon`. Raises: `NotFound`, `Refused`."""
        return await self._nodes.drain(id)

    async def cordon(self, id: str) -> NodeRow:
        """Stops new work from being placed on the node. Raises: `NotFound`, `Refused`."""
        return await self._nodes.cordon(id)

    async def uncordon(self, id: str) -> NodeRow:
        """Lets the node take work again. Raises: `NotFound`, `Refused`."""
        return await self._nodes.uncordon(id)

    async def remove_node(self, id: str) -> NodeRow:
        """Forgets a node that is gone. Raises: `NotFound`, `Refused`."""
        return await self._nodes.remove_node(id)

    async def set_node(
        self, id: str, *, slots: int | None = None, affinity: Mapping[str, str] | None = None
    ) -> NodeRow:
        """Sets slots, and adds to the affinity; an empty value removes its key. Raises: `NotFound`, `Refused`."""
        return await self._nodes.set_node(id, slots=slots, affinity=affinity)

    # Submitting

    async def submit(
        self,
        skill: str,
        params: Mapping[str, Any] | None = None,
        *,
        id: str | None = None,
        key: str | None = None,
        delay_s: float | None = None,
        **wishes: Any,
    ) -> Ref:
        """Makes the task, or finds it when it was made before with the same id (or idempotency key) and content.

        `wishes` are those of `spec_of`: priority, tags, requires, after, timeout_s, max_retries …
        With `delay_s` it starts so long from now; a repeat leaves the start as it was.
        Raises: `Refused` (malformed, parameters that don't fit, id taken by another task, predecessors not there).
        """
        spec = spec_of(skill, params, **wishes)
        if delay_s is not None:
            spec = delayed(spec, delay_s, await self.now_ns())
        await self.skills.check(spec)
        spec = await self.payloads.offload_payload(spec)
        ref = Ref(self, task_id(id, key))
        await submit(self, ref.id, spec, delayed=delay_s is not None)
        return ref

    async def run(self, skill: str, params: Mapping[str, Any] | None = None, **wishes: Any) -> Any:
        """Submits and returns the result: `submit` and `Ref.result` in one."""
        timeout_s = wishes.pop("wait_s", None)
        id = task_id(wishes.pop("id", None), wishes.pop("key", None))
        spec = spec_of(skill, params, **wishes)
        await self.skills.check(spec)
        spec = await self.payloads.offload_payload(spec)
        await self.ends.ready()
        end = self.ends.expect(id, registered=True)
        try:
            outcome = await submit(self, id, spec, awaits=True)
            self.ends.on_made(id, may_have_ended=not outcome.changed)
            return await result_of(self, id, end, timeout_s)
        finally:
            self.ends.forget(id, end)

    async def submit_many(self, wishes: Sequence[TaskRequest]) -> Batch:
        """Makes all of them; repeats are counted, refusals are told one by one.

        A refusal holds up nobody else but those that come after it. Predecessors may stand anywhere in the batch.
        """
        return await submit_many(self, wishes)

    async def now_ns(self) -> int:
        """The time of the log, ns since 1970: the clock of this machine may be off. Raises: `Unavailable`."""
        time = self.context.time
        time.observe((await read_log_end(self.questions, absent_s=self.sender.deadline_s)).at_ns)
        return time.now_ns()

    # Looking and waiting

    def ref(self, id: str) -> Ref:
        """A handle on a task that may or may not exist."""
        return Ref(self, checked_id(id))

    async def look(self, id: str) -> Snapshot[Task]:
        """The task with everything that is in the log now. Raises: `NotFound`, `Unavailable`."""
        known = await self.state("task", checked_id(id), Task)
        if not known.state.exists and not known.frozen:
            raise NotFound(f"there is no task {id!r}")
        return known

    async def state[S](
        self, kind: str, id: str, type: type[S], *, at_least: int = -1, brief: bool = False
    ) -> Snapshot[S]:
        """One aggregate, with all its commits up to `at_least`, -1 for all in the log; `brief`: without its journal.

        Raises: `Refused`, `Unavailable`.
        """
        return await read_state(self.questions, kind, id, type, at_least, brief=brief)

    async def ask_for_change[S](self, kind: str, id: str, request: ExternalCommand, type: type[S]) -> Snapshot[S]:
        """Has the command decided; the aggregate after it, in brief. Raises: as `CommandSender.ask`."""
        outcome = await self.sender.ask(kind, id, request, state=True)
        if not outcome.has_state:
            return await self.state(kind, id, type, at_least=outcome.version)
        return Snapshot(decode_state(type, outcome.state), outcome.version)

    def ended(self, ids: Iterable[str]) -> AsyncIterator[str]:
        """The ids in the order in which their tasks end; those that ended before come first. Raises: `NotFound`."""
        return until_ended(self, ids)

    # Memory

    async def remember(self, text: str, *, tags: Iterable[str] = (), **more: Any) -> str:
        """Remembers the text; durable when it returns the memory's id. See `Memories.remember`."""
        return await self.memories.remember(text, tags=tags, **more)

    async def recall(self, text: str, *, limit: int = 5, **wanted: Any) -> list[dict[str, Any]]:
        """The memories that answer best, best first. See `Memories.recall`."""
        return await self.memories.recall(text, limit=limit, **wanted)

    async def say(self, conversation: str, text: str, **more: Any) -> str:
        """Adds a message to a conversation; memories are made of a user's own. See `Memories.say`."""
        return await self.memories.say(conversation, text, **more)

    # What lies beside the log

    async def blob(self, name: str) -> bytes:
        """What code has stored under that name (`TaskHandle.store`). Raises: `Missing`, `Corrupt`, `Unavailable`."""
        return await self.payloads.blobs.get(name)

    async def ask(self, name: str, question: Any = None) -> bytes:
        """The answer of the views to a query. Raises: `Unavailable` when no control process answers."""
        return await self.questions.ask(name, msgspec.json.encode(question))
