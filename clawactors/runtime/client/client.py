"""What users and the command line call: submit, wait, look, cancel. It asks; control decides (docs/adr/0005)."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from clawactors.eventlog import EventLog
from clawactors.eventlog.outputs import Outputs
from clawactors.eventlog.requests import Requests
from clawactors.kernel.errors import NotFound, Refused
from clawactors.kernel.external import ExternalCommand
from clawactors.kernel.fold import Snapshot
from clawactors.kernel.transfer import decode_state
from clawactors.runtime.asking import Ended, ForkRequest, Outcome, StateQuestion, error_of
from clawactors.runtime.client.asking import Questions
from clawactors.runtime.client.blobs import ClientBlobs
from clawactors.runtime.client.bulk import BulkChanges, change_many
from clawactors.runtime.client.ends import Ends
from clawactors.runtime.client.reader import ClusterReader
from clawactors.runtime.client.rows import NodeRow
from clawactors.runtime.client.sender import CommandSender
from clawactors.runtime.client.submitting import Batch, TaskRequest, submit, submit_many
from clawactors.runtime.context import ActorContext
from clawactors.runtime.naming import id_of_key, new_id
from clawactors.runtime.output import OUT
from clawactors.runtime.payloads import Payloads
from clawactors.systems.tasks import Task
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.external import edit_of, request_of, retry_of, signal_of
from clawactors.systems.tasks.payload import is_reference
from clawactors.systems.tasks.submission import checked_id, delayed, spec_of

if TYPE_CHECKING:
    from clawactors.runtime.client.nodechanges import NodeChanges
    from clawactors.runtime.client.redriving import RedriveReport
    from clawactors.runtime.client.schedules import Schedules
    from clawactors.runtime.client.skills import KnownSkills
    from clawactors.runtime.client.streaming import Chunk
    from clawactors.runtime.memory import Memories

__all__ = ["Client", "Ref", "TaskFailed"]


class TaskFailed(Exception):
    """The awaited task ended without a result. `status` is failed, dead or cancelled."""

    def __init__(self, id: str, status: str, error: e.TaskError | None) -> None:
        super().__init__(f"task {id} is {status}" + (f": {error.kind}: {error.message}" if error else ""))
        self.id, self.status, self.error = id, status, error


class Client:
    """A client of a cluster. Every change is a request that control decides on."""

    def __init__(self, context: ActorContext, requests: Requests, outputs: Outputs) -> None:
        self.context, self.requests = context, requests
        self.principal = context.by.partition("/")[2] or context.by
        self.name = new_id()
        self.sender = CommandSender(context, requests, self.principal, self.name)
        self.questions = Questions(requests, self.principal)
        self.ends = Ends(context, requests, self.principal, self.name)
        self.payloads, self.outputs = Payloads(ClientBlobs(requests, self.principal)), outputs
        # What can be asked, each documented where it is defined
        self.reader = reader = ClusterReader(context.log, self.ask, self.look, self.leader)
        self.task, self.history, self.why = reader.task, reader.history, reader.why
        lists, summary = reader.listing, reader.summary
        self.tasks, self.each_task, self.pending = lists.tasks, lists.each_task, lists.pending
        self.nodes, self.node, self.skills_known = lists.nodes, lists.node, lists.skills_known
        self.status, self.statistics, self.resolve = summary.status, summary.statistics, lists.resolve
        # What can be done with many tasks
        self.change_many, self.delete_ended = change_many, BulkChanges(lists, self.delete).delete_ended

    @property
    def log(self) -> EventLog:
        """The log it appends to."""
        return self.context.log

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
    ) -> "Ref":
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
        ref = Ref(self, self._id(id, key))
        await submit(self, ref.id, spec, delayed=delay_s is not None)
        return ref

    async def run(self, skill: str, params: Mapping[str, Any] | None = None, **wishes: Any) -> Any:
        """Submits and returns the result: `submit` and `Ref.result` in one."""
        timeout_s = wishes.pop("wait_s", None)
        id = self._id(wishes.pop("id", None), wishes.pop("key", None))
        spec = spec_of(skill, params, **wishes)
        await self.skills.check(spec)
        spec = await self.payloads.offload_payload(spec)
        await self.ends.ready()
        end = self.ends.expect(id, registered=True)
        try:
            outcome = await submit(self, id, spec, awaits=True)
            self.ends.on_made(id, may_have_ended=not outcome.changed)
            return await self._result(id, end, timeout_s)
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
        time.observe((await self.log.head()).at_ns)
        return time.now_ns()

    def _id(self, id: str | None, key: str | None) -> str:
        if id is not None and key is not None:
            raise Refused("give an id or a key, not both")
        if key is not None:
            return id_of_key(key)
        return checked_id(id) if id is not None else f"t-{new_id()}"

    # Looking and waiting

    def ref(self, id: str) -> "Ref":
        """A handle on a task that may or may not exist."""
        return Ref(self, checked_id(id))

    async def look(self, id: str) -> Snapshot[Task]:
        """The task with everything that is in the log now. Raises: `NotFound`, `Unavailable`."""
        known = await self.state("task", checked_id(id), Task)
        if not known.state.exists and not known.frozen:
            raise NotFound(f"there is no task {id!r}")
        return known

    async def leader(self) -> str | None:
        """The control process that leads; None where none does, or where this client can't see it."""
        return None

    async def state[S](self, kind: str, id: str, type: type[S], *, at_least: int = -1) -> Snapshot[S]:
        """One aggregate, with all its commits up to `at_least`, -1 for all in the log.

        Raises: `Refused`, `Unavailable`.
        """
        outcome = await self._ask_state(StateQuestion(kind, id, at_least))
        parts, version = [outcome.part], outcome.version
        while (after := sum(map(len, parts))) < outcome.size:
            outcome = await self._ask_state(StateQuestion(kind, id, version, after))
            if outcome.version != version:  # it has changed meanwhile: from the beginning
                outcome = await self._ask_state(StateQuestion(kind, id, outcome.version))
                parts, version = [], outcome.version
            parts.append(outcome.part)
        state = decode_state(type, outcome.state if outcome.has_state else b"".join(parts))
        return Snapshot(state, outcome.version, outcome.frozen)

    async def _ask_state(self, question: StateQuestion) -> Outcome:
        outcome = msgspec.json.decode(await self.questions.ask("state", msgspec.json.encode(question)), type=Outcome)
        if outcome.error is not None:
            raise error_of(outcome.error)
        return outcome

    async def ask_for_change[S](self, kind: str, id: str, request: ExternalCommand, type: type[S]) -> Snapshot[S]:
        """Has the command decided; the aggregate after it, in brief. Raises: as `CommandSender.ask`."""
        outcome = await self.sender.ask(kind, id, request, state=True)
        if not outcome.has_state:
            return await self.state(kind, id, type, at_least=outcome.version)
        return Snapshot(decode_state(type, outcome.state), outcome.version)

    async def ended(self, ids: Iterable[str]) -> AsyncIterator[str]:
        """The ids in the order in which their tasks end; those that ended before come first. Raises: `NotFound`."""
        ended: asyncio.Queue[asyncio.Future[Ended]] = asyncio.Queue()
        ends = {self.ends.expect(id): id for id in dict.fromkeys(ids)}
        for end in ends:
            end.add_done_callback(ended.put_nowait)
        try:
            for _ in ends:
                end = await ended.get()
                end.result()
                yield ends[end]
        finally:
            for end, id in ends.items():
                self.ends.forget(id, end)

    async def _result(self, id: str, end: asyncio.Future[Ended], timeout_s: float | None) -> Any:
        try:
            async with asyncio.timeout(timeout_s):
                ended = await end
        except TimeoutError:
            raise TimeoutError(f"task {id} has not ended within {timeout_s:g} s") from None
        if ended.frozen:
            raise Refused(f"task {id} needs a newer release: {ended.frozen}")
        if ended.status != "completed":
            error = e.TaskError(ended.error["class"], ended.error["message"]) if ended.error else None
            raise TaskFailed(id, ended.status, error)
        result = ended.result
        if ended.large:
            result = (await self.state("task", id, Task, at_least=ended.version)).state.life.result
        return await self.payloads.load_payload(result) if is_reference(result) else result

    # Changing

    async def command(self, id: str, command: c.TaskCommand) -> Snapshot[Task]:
        """Has the command decided and returns the task after it, without its journal.

        Raises: `NotFound`, `Refused`, `Unavailable`.
        """
        request = request_of(await self.payloads.stored(command), self.context.names.commit())
        return await self.ask_for_change("task", checked_id(id), request, Task)

    async def cancel(self, id: str) -> Snapshot[Task]:
        """Cancels the task; running code gets the cancel and confirms it. Raises: `NotFound`, `Refused`."""
        return await self.command(id, c.Cancel())

    async def pause(self, id: str) -> Snapshot[Task]:
        """Pauses the task; running code stops at its next step. Raises: `NotFound`, `Refused`."""
        return await self.command(id, c.Pause())

    async def resume(self, id: str) -> Snapshot[Task]:
        """Resumes a paused task. Raises: `NotFound`, `Refused`."""
        return await self.command(id, c.Resume())

    async def retry(self, id: str, *, deadline_ns: int | None = None) -> Snapshot[Task]:
        """Retries a failed, dead, cancelled or blocked task, with another deadline if given; 0 for none.

        Raises: `NotFound`, `Refused` (nothing to try again; its deadline has passed).
        """
        return await self.command(id, retry_of("", 0, deadline_ns))

    async def signal(self, id: str, name: str, payload: Any = None) -> Snapshot[Task]:
        """Sends the task a signal, kept in the order of the calls until its code takes it.

        Raises: `NotFound`, `Refused` (ended; no name; no JSON).
        """
        return await self.command(id, signal_of(name, payload))

    async def delete(self, id: str) -> Snapshot[Task]:
        """Deletes a task that no node has; its history stays readable. Raises: `NotFound`, `Refused`."""
        return await self.command(id, c.Delete())

    async def edit(self, id: str, **changes: Any) -> Snapshot[Task]:
        """Changes what is asked for, by the names of `spec_of`; only before it first runs.

        Raises: `NotFound`, `Refused` (it runs, or somebody else has edited it meanwhile).
        """
        spec = (await self.look(id)).state.spec
        if spec is None:
            raise NotFound(f"there is no task {id!r}")
        edit = edit_of(spec, changes)
        if "params" in changes:  # else they are on record as they should be
            await self.skills.check(edit.spec)
            edit = replace(edit, spec=await self.payloads.offload_payload(edit.spec))
        return await self.command(id, edit)

    async def fork(self, id: str, step: str, *, new_id: str | None = None) -> "Ref":
        """A new task that starts with the steps of `id` before this one.

        With `new_id`, the same call again finds the same fork. Raises: `NotFound`, `Refused` (no such step, id taken).
        """
        ref = Ref(self, self._id(new_id, None))
        question = msgspec.json.encode(ForkRequest(checked_id(id), step, ref.id))
        outcome = msgspec.json.decode(await self.questions.ask("fork", question, verb="do"), type=Outcome)
        if outcome.error is not None:
            raise error_of(outcome.error)
        return ref

    async def redrive(
        self,
        *ids: str,
        skill: str = "",
        error: str = "",
        limit: int | None = None,
        rate_per_s: float | None = None,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> "list[RedriveReport]":
        """Retries dead tasks: these, or those of that skill and error class, newest first, at most `limit`.

        `progress` is told how many of how many. Order: idempotent, a task that has moved on meanwhile is left alone.
        Raises: `NotFound`, `Refused`, `Unavailable`.
        """
        from clawactors.runtime.client.redriving import redrive

        return await redrive(self, ids, skill=skill, error=error, limit=limit, rate_per_s=rate_per_s, progress=progress)

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


class Ref:
    """A handle on one task."""

    def __init__(self, client: Client, id: str) -> None:
        self._client, self.id = client, id

    def __repr__(self) -> str:
        return f"<task {self.id}>"

    async def result(self, timeout_s: float | None = None) -> Any:
        """What the task returned, once it has ended.

        Raises: `TaskFailed` when it ended otherwise, `TimeoutError`, `NotFound`, `Refused` (needs a newer release).
        """
        end = self._client.ends.expect(self.id)
        try:
            return await self._client._result(self.id, end, timeout_s)
        finally:
            self._client.ends.forget(self.id, end)

    def stream(self, name: str = OUT, *, after: int = 0, live: bool = True) -> "AsyncGenerator[Chunk]":
        """What the task's code emits, as it comes, until the task has ended; from behind the chunk at `after`.

        A task that is tried again emits anew: `attempt` tells its chunks apart. With `live` False it ends with what is
        there now. `clawactors.LOG` is the stream of what the code prints and logs. Output is kept for seven days.
        Raises: `NotFound`, `Unavailable`. Order: that of the code; nothing twice, also over a lost connection.
        """
        from clawactors.runtime.client.streaming import follow

        return follow(self._client, self._client.outputs, self.id, name, after, live=live)

    async def look(self) -> Snapshot[Task]:
        """The task as the log has it. Raises: `NotFound`."""
        return await self._client.look(self.id)

    async def cancel(self) -> Snapshot[Task]:
        """Cancels the task. Raises: `NotFound`, `Refused`."""
        return await self._client.cancel(self.id)

    async def pause(self) -> Snapshot[Task]:
        """Pauses the task. Raises: `NotFound`, `Refused`."""
        return await self._client.pause(self.id)

    async def resume(self) -> Snapshot[Task]:
        """Resumes a paused task. Raises: `NotFound`, `Refused`."""
        return await self._client.resume(self.id)

    async def retry(self, *, deadline_ns: int | None = None) -> Snapshot[Task]:
        """Retries it. Raises: `NotFound`, `Refused`."""
        return await self._client.retry(self.id, deadline_ns=deadline_ns)

    async def signal(self, name: str, payload: Any = None) -> Snapshot[Task]:
        """Sends it a signal. Raises: `NotFound`, `Refused`."""
        return await self._client.signal(self.id, name, payload)

    async def fork(self, step: str, *, new_id: str | None = None) -> "Ref":
        """A new task that starts with the steps before this one. Raises: `NotFound`, `Refused`."""
        return await self._client.fork(self.id, step, new_id=new_id)

    async def redrive(self) -> "RedriveReport":
        """Retries it if it is dead. Raises: `NotFound`."""
        return (await self._client.redrive(self.id))[0]

    async def delete(self) -> Snapshot[Task]:
        """Deletes it. Raises: `NotFound`, `Refused`."""
        return await self._client.delete(self.id)

    async def edit(self, **changes: Any) -> Snapshot[Task]:
        """Changes what is asked for, before it first runs. Raises: `NotFound`, `Refused`."""
        return await self._client.edit(self.id, **changes)
