"""The client that users and the command line call. It asks; control decides (docs/adr/0005)."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Unpack

import msgspec

from clawactors.runtime.asking import ForkRequest, Outcome, checked_reply
from clawactors.runtime.client.noticing import ClientNotices
from clawactors.runtime.client.ref import Ref, task_id
from clawactors.runtime.client.rows import NodeRow
from clawactors.runtime.client.waiting import until_ended
from clawactors.systems.tasks.submission import checked_id

if TYPE_CHECKING:
    from clawactors.runtime.archiving import ArchiveReport, CompactReply
    from clawactors.runtime.client.backups import ClusterBackups
    from clawactors.runtime.client.files import TaskFiles
    from clawactors.runtime.client.nodechanges import NodeChanges
    from clawactors.runtime.client.recording import ClientMemories
    from clawactors.runtime.client.redriving import RedriveReport
    from clawactors.runtime.client.schedules import Schedules
    from clawactors.runtime.client.settings import ClusterConfig
    from clawactors.runtime.client.triggers import Triggers
    from clawactors.runtime.client.workflows import Workflows
    from clawactors.runtime.memoryoptions import MessageOptions, NoteOptions, RecallOptions
    from clawactors.runtime.packing import Count

__all__ = ["ClusterClient"]


class ClusterClient(ClientNotices):
    """A client of a cluster. Every change is a request that control decides on.

    What it can do stands in `Listing`, `Summary` and `ClusterReader` (asking), `TaskChanges` and `BulkChanges`
    (changing), and here: making tasks, waiting for them, nodes, schedules, workflows, memories.
    """

    # What few programs need is imported when it is used

    @cached_property
    def schedules(self) -> "Schedules":
        """The schedules of the cluster."""
        from clawactors.runtime.client.schedules import Schedules

        return Schedules(self)

    @property
    def backups(self) -> "ClusterBackups":
        """The backups of the cluster."""
        from clawactors.runtime.client.backups import ClusterBackups

        return ClusterBackups(self)

    @property
    def config(self) -> "ClusterConfig":
        """The settings of the cluster."""
        from clawactors.runtime.client.settings import ClusterConfig

        return ClusterConfig(self)

    @property
    def triggers(self) -> "Triggers":
        """The triggers of the cluster."""
        from clawactors.runtime.client.triggers import Triggers

        return Triggers(self)

    @property
    def workflows(self) -> "Workflows":
        """The workflows of the cluster."""
        from clawactors.runtime.client.workflows import Workflows

        return Workflows(self)

    @cached_property
    def memories(self) -> "ClientMemories":
        """The memories of the cluster."""
        from clawactors.runtime.client.recording import AskingRecorder, ClientMemories

        recorder = AskingRecorder(self.process, self.sender, self.user)
        return ClientMemories(recorder, self.requests, self.user, self.process.by)

    @cached_property
    def _nodes(self) -> "NodeChanges":
        from clawactors.runtime.client.nodechanges import NodeChanges

        return NodeChanges(self)

    async def archive(
        self,
        older_than_s: float = 30 * 86_400.0,
        *,
        dry_run: bool = False,
        progress: "Callable[[ArchiveReport], None]" = lambda report: None,
    ) -> "ArchiveReport":
        """Moves tasks that ended at least so long ago to the archive; `dry_run` only counts them.

        Raises: `InvalidQuery`, `Refused` (it stopped half way, with the reason: call it again), `Unavailable`.
        """
        from clawactors.runtime.client.archiving import archive

        return await archive(self.questions, older_than_s, dry_run=dry_run, progress=progress)

    async def compact(self) -> "CompactReply":
        """Gives back the space that deleted rows have left in the views; says what they took before and take now.

        Raises: `Unavailable`.
        """
        from clawactors.runtime.client.archiving import compact

        return await compact(self.requests, self.principal)

    # Nodes

    async def drain(self, id: str) -> NodeRow:
        """Lets the node finish its tasks and gives it no new ones until `uncordon`. Raises: `NotFound`, `Refused`."""
        return await self._nodes.drain(id)

    async def cordon(self, id: str) -> NodeRow:
        """Stops placing new tasks on the node. Raises: `NotFound`, `Refused`."""
        return await self._nodes.cordon(id)

    async def uncordon(self, id: str) -> NodeRow:
        """Places tasks on the node again. Raises: `NotFound`, `Refused`."""
        return await self._nodes.uncordon(id)

    async def remove_node(self, id: str) -> NodeRow:
        """Removes a node that has left. Raises: `NotFound`, `Refused`."""
        return await self._nodes.remove_node(id)

    async def set_node(
        self, id: str, *, slots: int | None = None, affinity: Mapping[str, str] | None = None
    ) -> NodeRow:
        """Sets slots, and adds to the affinity; an empty value removes its key. Raises: `NotFound`, `Refused`."""
        return await self._nodes.set_node(id, slots=slots, affinity=affinity)

    # Tasks

    async def fork(self, id: str, step: str, *, new_id: str | None = None) -> Ref:
        """A new task that starts with the steps of `id` before this one; returns its handle.

        With `new_id`, the same call again finds the same fork.
        Raises: `NotFound`, `Refused` (no such step, id taken), `Unavailable`.
        """
        made = task_id(new_id, None)
        question = msgspec.json.encode(ForkRequest(checked_id(id), step, made))
        reply = msgspec.json.decode(await self.questions.ask("fork", question, verb="do"), type=Outcome)
        return Ref(self, made, new=checked_reply(reply).changed)

    async def redrive(
        self,
        *ids: str,
        skill: str = "",
        error: str = "",
        limit: int | None = None,
        rate_per_s: float | None = None,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> "list[RedriveReport]":
        """Retries dead tasks, by id or by skill and error class: newest first, at most `limit`.

        `progress` is told how many of how many. Order: idempotent, a task that has moved on meanwhile is left alone.
        Raises: `NotFound`, `Refused`, `Unavailable`.
        """
        from clawactors.runtime.client.redriving import redrive

        return await redrive(self, ids, skill=skill, error=error, limit=limit, rate_per_s=rate_per_s, progress=progress)

    async def erase(
        self,
        owner: str,
        *,
        cancel: bool = False,
        reason: str = "",
        stage: Callable[[str], None] = lambda text: None,
    ) -> dict[str, Any]:
        """Erases all words of a user for good: memories, conversations, and what their tasks asked, said and returned.

        Ids, times and states of the tasks stay. `cancel` ends first what of theirs is under way, which is refused
        otherwise. Returns `{"erased": commits, "receipt": …}` once no view holds them; `stage` is told how far it is.
        Order: may be repeated. Raises: `Refused`, `Unavailable`.
        """
        from clawactors.runtime.client.erasing import erase

        return await erase(self, owner, cancel=cancel, reason=reason, stage=stage)

    # One task, and waiting

    def ref(self, id: str) -> Ref:
        """A handle on a task that may or may not exist."""
        return Ref(self, checked_id(id))

    def ended(self, ids: Iterable[str]) -> AsyncIterator[str]:
        """The ids in the order in which their tasks end; those that have ended come first. Raises: `NotFound`."""
        return until_ended(self, ids)

    async def ask_task(
        self,
        id: str,
        name: str,
        *args: Any,
        timeout: str | float = 10.0,  # noqa: ASYNC109 # it is told to who answers
    ) -> Any:
        """What the task's code answers to that, see `TaskContext.answer`; also while it waits. Nothing is recorded.

        It is asked again within `timeout` (seconds or as in `10s`) while the task waits for a slot or its node is lost.
        Raises: `NotFound`; `Refused` (no such answer; ended, blocked, paused, or not in memory; no JSON);
        `AskFailed` where the code raised; `TimeoutError`.
        """
        from clawactors.runtime.client.asking import ask_task

        return await ask_task(self, id, name, args, timeout)

    # Memory

    async def remember(self, text: str, *, tags: Iterable[str] = (), **more: "Unpack[NoteOptions]") -> str:
        """Remembers the text; durable when it returns the memory's id. See `Memories.remember`."""
        return await self.memories.remember(text, tags=tags, **more)

    async def recall(self, text: str, *, limit: int = 5, **wanted: "Unpack[RecallOptions]") -> list[dict[str, Any]]:
        """The memories that match best, best first: the user's own, and what nobody owns. See `Memories.recall`."""
        return await self.memories.recall(text, limit=limit, **wanted)

    async def context(
        self, text: str, *, tokens: int = 2000, count: "Count | None" = None, **wanted: "Unpack[RecallOptions]"
    ) -> dict[str, Any]:
        """What memory holds about a text, packed into at most `tokens` tokens. See `Memories.context`."""
        return await self.memories.context(text, tokens=tokens, count=count, **wanted)

    async def say(self, conversation: str, text: str, **more: "Unpack[MessageOptions]") -> str:
        """Adds a message to a conversation; memories are made of a user's own. See `ClientMemories.say`."""
        from clawactors.runtime.memoryoptions import MessageOptions, checked

        return await self.memories.say(conversation, text, **checked("say", more, MessageOptions))

    # What lies beside the log

    @cached_property
    def files(self) -> "TaskFiles":
        """The files of tasks, and files to be given to tasks."""
        from clawactors.runtime.client.files import TaskFiles

        return TaskFiles(self)

    async def blob(self, name: str) -> bytes:
        """The bytes that a task stored (`TaskHandle.store`). Raises: `Missing`, `Corrupt`, `Unavailable`."""
        return await self.payloads.blobs.get(name)
