"""What can be done with one task: each change is a command that control decides on."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from clawactors.kernel.errors import NotFound
from clawactors.kernel.fold import Snapshot
from clawactors.runtime.asking import ForkRequest, Outcome, error_of
from clawactors.runtime.client.ref import Ref, task_id
from clawactors.systems.tasks import Task
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks.external import edit_of, request_of, retry_of, signal_of
from clawactors.systems.tasks.submission import checked_id

if TYPE_CHECKING:
    from clawactors.runtime.client.client import ClusterClient
    from clawactors.runtime.client.redriving import RedriveReport

__all__ = ["TaskChanges"]


class TaskChanges:
    """The changes of one client."""

    def __init__(self, client: "ClusterClient") -> None:
        self._client = client

    async def command(self, id: str, command: c.TaskCommand) -> Snapshot[Task]:
        """Has the command decided and returns the task after it, without its journal.

        Raises: `NotFound`, `Refused`, `Unavailable`.
        """
        request = request_of(await self._client.payloads.stored(command), self._client.context.names.commit())
        return await self._client.ask_for_change("task", checked_id(id), request, Task)

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
        spec = (await self._client.look(id)).state.spec
        if spec is None:
            raise NotFound(f"there is no task {id!r}")
        edit = edit_of(spec, changes)
        if "params" in changes:  # else they are on record as they should be
            await self._client.skills.check(edit.spec)
            edit = replace(edit, spec=await self._client.payloads.offload_payload(edit.spec))
        return await self.command(id, edit)

    async def fork(self, id: str, step: str, *, new_id: str | None = None) -> Ref:
        """A new task that starts with the steps of `id` before this one.

        With `new_id`, the same call again finds the same fork. Raises: `NotFound`, `Refused` (no such step, id taken).
        """
        ref = Ref(self._client, task_id(new_id, None))
        question = msgspec.json.encode(ForkRequest(checked_id(id), step, ref.id))
        outcome = msgspec.json.decode(await self._client.questions.ask("fork", question, verb="do"), type=Outcome)
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

        return await redrive(
            self._client, ids, skill=skill, error=error, limit=limit, rate_per_s=rate_per_s, progress=progress
        )
