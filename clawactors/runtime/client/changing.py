"""Changes of one task; each is a command that control decides."""

from typing import Any

from msgspec.structs import replace

from clawactors.kernel.errors import NotFound
from clawactors.kernel.fold import Snapshot
from clawactors.runtime.client.connected import ConnectedClient
from clawactors.runtime.naming import id_of_key
from clawactors.systems.tasks import Task
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks.approvals import checked_comment
from clawactors.systems.tasks.external import edit_of, request_of, retry_of, signal_of
from clawactors.systems.tasks.submission import checked_id

__all__ = ["TaskChanges"]


class TaskChanges(ConnectedClient):
    """Each returns the task after the change, without its journal."""

    async def command(self, id: str, command: c.TaskCommand, *, key: str = "", version: int = -1) -> Snapshot[Task]:
        """Sends the command and returns the task after the decision, without its journal.

        With an idempotency `key`, this client's command takes effect once, however often it is sent. With a `version`,
        it takes effect only if the task is at that version.

        Raises: `NotFound`, `Refused` (`Changed`: another version), `Unavailable`.
        """
        name = id_of_key(f"{self.principal}/{key}") if key else self.process.names.commit()
        request = request_of(await self.payloads.stored(command), name)
        return await self.ask_for_change("task", checked_id(id), request, Task, version=version)

    async def cancel(self, id: str, *, undo: bool = False, now: bool = False) -> Snapshot[Task]:
        """Cancels the task; running code cleans up first, unless it is to end `now`, and confirms it.

        With `undo`, its done steps are undone first. Raises: `NotFound`, `Refused`, `Unavailable`.
        """
        return await self.command(id, c.Cancel(undo=undo, now=now))

    async def pause(self, id: str) -> Snapshot[Task]:
        """Pauses the task; running code stops at its next step. Raises: `NotFound`, `Refused`, `Unavailable`."""
        return await self.command(id, c.Pause())

    async def resume(self, id: str) -> Snapshot[Task]:
        """Resumes a paused task; runs one that waits up to its wait again, if no node has its code in memory.

        Raises: `NotFound`, `Refused`, `Unavailable`.
        """
        return await self.command(id, c.Resume())

    async def retry(self, id: str, *, deadline_ns: int | None = None, key: str = "") -> Snapshot[Task]:
        """Retries a failed, dead, cancelled or blocked task, with a new deadline if one is given; 0 removes it.

        Raises: `NotFound`, `Unavailable`, `Refused` (nothing to try again; its deadline has passed).
        """
        return await self.command(id, retry_of("", 0, deadline_ns), key=key)

    async def signal(self, id: str, name: str, payload: Any = None, *, key: str = "") -> Snapshot[Task]:
        """Sends the task a signal; signals are kept in order until its code takes them.

        With an idempotency `key`, the same call again sends nothing more.

        Raises: `NotFound`, `Unavailable`, `Refused` (ended; no name; no JSON).
        """
        return await self.command(id, signal_of(name, payload), key=key)

    async def approve(self, id: str, name: str = "", comment: str = "") -> Snapshot[Task]:
        """Approves what the task asks for; `name` may be left out where it asks one thing only.

        Raises: `NotFound`, `Unavailable`, `Refused` (nothing is asked, answered already, not this user's to answer).
        """
        return await self.command(id, c.AnswerApproval(name, approved=True, comment=checked_comment(comment)))

    async def deny(self, id: str, name: str = "", comment: str = "") -> Snapshot[Task]:
        """Denies what the task asks for. Raises: as `approve`."""
        return await self.command(id, c.AnswerApproval(name, approved=False, comment=checked_comment(comment)))

    async def delete(self, id: str, *, version: int = -1) -> Snapshot[Task]:
        """Deletes a task that no node runs, if it is at that version, -1 for any; its history stays.

        Raises: `NotFound`, `Refused` (`Changed`: another version), `Unavailable`.
        """
        return await self.command(id, c.Delete(), version=version)

    async def edit(self, id: str, *, of: Snapshot[Task] | None = None, **changes: Any) -> Snapshot[Task]:
        """Changes fields of the task, named as in `spec_of`, before its first run; `of` is the task as it was read.

        Raises: `NotFound`, `Unavailable`, `Refused` (it runs, or somebody else has edited it meanwhile).
        """
        spec = (of or await self.snapshot(id, brief=True)).state.spec
        if spec is None:
            raise NotFound(f"there is no task {id!r}")
        edit = edit_of(spec, changes)
        if "params" in changes:  # else they are on record as they should be
            await self.skills.check(edit.spec)
            edit = replace(edit, spec=await self.payloads.offload_payload(edit.spec))
        return await self.command(id, edit)
