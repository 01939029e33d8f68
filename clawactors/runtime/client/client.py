"""What users and the command line call: submit, wait, look, cancel. It decides for itself; nothing is asked of a server
but to keep what was decided."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from itertools import batched
from typing import Any, Final

import msgspec

from clawactors.errors import NotFound, Refused
from clawactors.fold import Folded, fold
from clawactors.runtime.actor import Actor, Desk
from clawactors.runtime.client.asking import ask
from clawactors.runtime.client.schedules import Schedules
from clawactors.runtime.client.skills import KnownSkills
from clawactors.runtime.client.streaming import Chunk, follow
from clawactors.runtime.client.waiting import Waiting
from clawactors.runtime.naming import id_of_key, new_id
from clawactors.runtime.payloads import Payloads
from clawactors.runtime.ports import Blobs, Live, Outputs, Requests
from clawactors.runtime.said import OUT
from clawactors.tasks import TASK, Task
from clawactors.tasks import commands as c
from clawactors.tasks import events as e
from clawactors.tasks.payload import is_reference
from clawactors.tasks.submission import checked_id, delayed, spec_of
from eventlog import Draft, EventLog, EventLogError, TooLarge, WrongVersion, aggregate_pattern

__all__ = ["Client", "Ref", "Rejected", "TaskFailed", "Wish"]

_TOGETHER: Final = 1000
"""Tasks that are read at once: a reading of many costs as much as one of a few."""


class TaskFailed(Exception):
    """The awaited task ended without a result. `status` is failed, dead or cancelled."""

    def __init__(self, id: str, status: str, error: e.TaskError | None) -> None:
        super().__init__(f"task {id} is {status}" + (f": {error.kind}: {error.message}" if error else ""))
        self.id, self.status, self.error = id, status, error


class Wish(msgspec.Struct, frozen=True):
    """One task of a batch: its id and what is asked for; with `delay_s` it starts so long after it was asked for."""

    id: str
    spec: e.Spec
    delay_s: float | None = None


class Rejected(msgspec.Struct, frozen=True):
    """A task of a batch that was refused, by its place in the batch."""

    index: int
    id: str
    message: str


class Batch(msgspec.Struct, frozen=True):
    """What became of a batch."""

    submitted: int
    existing: int
    refused: tuple[Rejected, ...] = ()


class Client:
    """One connection's worth of asking. Tasks are aggregates: every call decides on the state that the log shows."""

    def __init__(self, desk: Desk, requests: Requests, live: Live, blobs: Blobs, outputs: Outputs) -> None:
        self.desk, self.requests = desk, requests
        self.payloads, self.outputs = Payloads(blobs), outputs
        self.skills = KnownSkills(self.ask)
        self.waiting = Waiting(desk.log, live)
        self.schedules = Schedules(self)

    @property
    def log(self) -> EventLog:
        """The log it appends to."""
        return self.desk.log

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

        `wishes` are those of `spec_of`: priority, tags, requires, timeout_s, max_retries …
        With `delay_s` it starts so long from now; a repeat leaves the start as it was.
        Raises: `Refused` (malformed, parameters that don't fit the skill, id taken by another task).
        """
        spec = spec_of(skill, params, **wishes)
        if delay_s is not None:
            spec = delayed(spec, delay_s, await self.now_ns())
        await self.skills.check(spec)
        spec = await self.payloads.outlined(spec)
        ref = Ref(self, self._id(id, key))
        await self._submit(ref.id, spec, delayed=delay_s is not None)
        return ref

    async def run(self, skill: str, params: Mapping[str, Any] | None = None, **wishes: Any) -> Any:
        """Submits and returns the result: `submit` and `Ref.result` in one, without a read in between."""
        timeout_s = wishes.pop("wait_s", None)
        id = self._id(wishes.pop("id", None), wishes.pop("key", None))
        spec = spec_of(skill, params, **wishes)
        await self.skills.check(spec)
        spec = await self.payloads.outlined(spec)
        self.waiting.expect([id])
        try:
            if not await self._submit(id, spec):
                await self.look(id)  # it may have ended before
            return await self._result(id, timeout_s)
        finally:
            self.waiting.forget(id)

    async def submit_many(self, wishes: Sequence[Wish]) -> Batch:
        """Makes all of them; repeats are counted, refusals are told one by one and hold up nobody else."""
        refused: list[Rejected] = []
        todo: dict[str, tuple[int, e.Spec]] = {}
        fits = await self.skills.checker({wish.spec.skill for wish in wishes})
        late = {wish.id for wish in wishes if wish.delay_s is not None}
        now_ns = await self.now_ns() if late else 0
        for index, wish in enumerate(wishes):
            try:
                checked_id(wish.id)
                if wish.delay_s is not None:
                    wish = Wish(wish.id, delayed(wish.spec, wish.delay_s, now_ns))
                await fits(wish.spec)
                spec = await self.payloads.outlined(wish.spec)
                if (earlier := todo.get(wish.id)) is not None:
                    if earlier[1] != spec:
                        raise Refused("the id comes twice in the batch, with another content")
                    continue
            except Refused as refusal:
                refused.append(Rejected(index, wish.id, str(refusal)))
                continue
            todo[wish.id] = (index, spec)

        made = await self._submit_fresh(todo)
        submitted = sum(new is True for new in made.values())
        async for id, known in self._read_together([id for id, new in made.items() if new is None]):
            index, spec = todo[id]
            try:
                # What the log has of it says mostly all; where it does not, the usual way tells.
                if known.frozen or TASK.decide(c.Submit(spec, id in late), known.state):
                    submitted += await self._submit(id, spec, delayed=id in late)
            except (Refused, TooLarge) as refusal:
                refused.append(Rejected(index, id, str(refusal)))
        existing = len(wishes) - submitted - len(refused)
        return Batch(submitted, existing, tuple(sorted(refused, key=lambda rejected: rejected.index)))

    async def _submit_fresh(self, todo: Mapping[str, tuple[int, e.Spec]]) -> dict[str, bool | None]:
        """True for each task that is made; None where the id is taken or the task too large: `_submit` tells."""
        drafts = [
            Draft(
                kind="task",
                id=id,
                body=e.CODEC.encode(TASK.decide(c.Submit(spec), TASK.initial)),
                commit=self.desk.names.commit(),
                by=self.desk.by,
            )
            for id, (_, spec) in todo.items()
        ]
        made: dict[str, bool | None] = {}
        for id, outcome in zip(todo, await self.log.append_many([(draft, 0) for draft in drafts]), strict=True):
            if isinstance(outcome, EventLogError) and not isinstance(outcome, WrongVersion | TooLarge):
                raise outcome
            made[id] = True if isinstance(outcome, int) else None
        return made

    async def _read_together(self, ids: Sequence[str]) -> AsyncIterator[tuple[str, Folded[Task]]]:
        """The tasks as the log has them: one reading for many, where each alone would cost a consumer."""
        for group in batched(ids, _TOGETHER):
            known: dict[str, Folded[Task]] = dict.fromkeys(group, Folded(TASK.initial))
            async for records in self.log.read([aggregate_pattern("task", id) for id in group]):
                for record in records:
                    id = record.subject.split(".", 3)[2]
                    known[id] = fold(TASK, e.CODEC, known[id], record)
            for id, folded in known.items():
                yield id, folded

    async def _submit(self, id: str, spec: e.Spec, *, delayed: bool = False) -> bool:
        """True when the task is new."""
        return await Actor(self.desk, TASK, e.CODEC, id).handle(c.Submit(spec, delayed))

    async def now_ns(self) -> int:
        """The time of the log, ns since 1970: the clock of this machine may be off. Raises: `Unavailable`."""
        time = self.desk.time
        time.hear((await self.log.head()).at_ns)
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

    async def look(self, id: str) -> Folded[Task]:
        """The task as the log has it. Raises: `NotFound`."""
        known = await self.waiting.look(id)
        if not known.state.exists:
            raise NotFound(f"there is no task {id!r}")
        return known

    async def ended(self, ids: Iterable[str]) -> AsyncIterator[str]:
        """The ids as their tasks end; what ended before is found by reading."""
        wanted = list(dict.fromkeys(ids))
        self.waiting.expect(wanted)
        try:
            for id in wanted:
                await self.look(id)
            async for id in self.waiting.each(wanted):
                yield id
        finally:
            for id in wanted:
                self.waiting.forget(id)

    async def _result(self, id: str, timeout_s: float | None) -> Any:
        try:
            async with asyncio.timeout(timeout_s):
                known = await self.waiting.ended(id)
        except TimeoutError:
            raise TimeoutError(f"task {id} has not ended within {timeout_s:g} s") from None
        life = known.state.life
        if known.frozen:
            raise Refused(f"task {id} needs a newer release: {known.frozen}")
        if life.status != "completed":
            raise TaskFailed(id, life.status, life.error)
        return await self.payloads.whole(life.result) if is_reference(life.result) else life.result

    # Changing

    async def command(self, id: str, command: c.TaskCommand) -> Folded[Task]:
        """Decides a command on the task and returns the task after it. Raises: `NotFound`, `Refused`."""
        actor = Actor(self.desk, TASK, e.CODEC, checked_id(id), route=_runner)
        await actor.catch_up()
        if not actor.state.exists:
            raise NotFound(f"there is no task {id!r}")
        await actor.handle(command)
        return Folded(actor.state, actor.version)

    async def cancel(self, id: str) -> Folded[Task]:
        """Ends the task; running code is told and confirms. Raises: `NotFound`, `Refused`."""
        return await self.command(id, c.Cancel(self.desk.by))

    async def blob(self, name: str) -> bytes:
        """What code has stored under that name (`TaskHandle.store`). Raises: `Missing`, `Corrupt`, `Unavailable`."""
        return await self.payloads.blobs.get(name)

    async def ask(self, name: str, question: Any = None) -> bytes:
        """The answer of the views to a query. Raises: `Unavailable` when no control process answers."""
        return await ask(self.requests, f"claw.query.{name}", msgspec.json.encode(question))


def _runner(task: Task) -> str:
    """The node that must hear of a change to the task."""
    return task.life.node if task.life.status in ("scheduled", "running", "paused") else ""


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
        waiting = self._client.waiting
        waiting.expect([self.id])
        try:
            await self._client.look(self.id)
            return await self._client._result(self.id, timeout_s)
        finally:
            waiting.forget(self.id)

    def stream(self, name: str = OUT, *, after: int = 0, live: bool = True) -> AsyncGenerator[Chunk]:
        """What the task's code emits, as it comes, until the task has ended; from behind the chunk at `after`.

        A task that is tried again emits anew: `attempt` tells its chunks apart. With `live` False it ends with what is
        there now. `clawactors.LOG` is the stream of what the code prints and logs. Output is kept for seven days.
        Raises: `NotFound`, `Unavailable`. Order: that of the code; nothing twice, also over a lost connection.
        """
        return follow(self._client.waiting, self._client.outputs, self.id, name, after, live=live)

    async def look(self) -> Folded[Task]:
        """The task as the log has it. Raises: `NotFound`."""
        return await self._client.look(self.id)

    async def cancel(self) -> Folded[Task]:
        """Ends the task. Raises: `NotFound`, `Refused`."""
        return await self._client.cancel(self.id)
