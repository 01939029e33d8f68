"""What type checkers know of `SyncClient`. Made by `python -m tests.app.syncstub`: do not edit it."""

import builtins
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, Unpack, overload

from clawactors.app.discovery import Found
from clawactors.eventlog.jetstream.log.peers import ServersReport
from clawactors.kernel.external import ExternalCommand
from clawactors.kernel.fold import Snapshot
from clawactors.runtime.archiving import ArchiveReport, CompactReply
from clawactors.runtime.client.archivedrows import ArchivedRow
from clawactors.runtime.client.backuprows import BackupRow
from clawactors.runtime.client.bridges import BridgeRow
from clawactors.runtime.client.bulk import ChangeReport
from clawactors.runtime.client.checks import Check
from clawactors.runtime.client.deadletterrows import DeadLetterDetail, DeadLetterRow, Reports
from clawactors.runtime.client.difference import TaskDifference
from clawactors.runtime.client.events import LogEvent
from clawactors.runtime.client.files import FileRow
from clawactors.runtime.client.history import HistoryEntry
from clawactors.runtime.client.identities import IdentityRow
from clawactors.runtime.client.keys import AddedKey, KeyRow
from clawactors.runtime.client.listing import TaskFilters
from clawactors.runtime.client.overview import Overview
from clawactors.runtime.client.reasons import Explanation
from clawactors.runtime.client.redriving import RedriveReport
from clawactors.runtime.client.rows import ApprovalRow, NodeRow, Page, ScheduleRow, SkillRow, TaskRow, TaskTree
from clawactors.runtime.client.selecting import ChangeName, ChangeSummary
from clawactors.runtime.client.settingrows import SettingChange, SettingRow, ValueChange
from clawactors.runtime.client.settings import SettingChanges, SettingRows
from clawactors.runtime.client.streaming import Chunk
from clawactors.runtime.client.submitting import Batch, Submission, TaskRequest
from clawactors.runtime.client.summary import ClusterStatus, PastStatus, Sizes, Statistics
from clawactors.runtime.client.triggerrows import AlarmRow, NotificationRow, TriggerRow
from clawactors.runtime.client.workflowrows import WorkflowRow
from clawactors.runtime.client.workflows import DiagramFormat, Given
from clawactors.runtime.files import FileSource
from clawactors.runtime.memory import StoredNote
from clawactors.runtime.memoryoptions import (
    AuditOptions,
    ExportOptions,
    ForgetOptions,
    MessageOptions,
    NoteOptions,
    RecallOptions,
    SettingsOptions,
)
from clawactors.runtime.packing import Count
from clawactors.runtime.queue import QueueReply
from clawactors.runtime.settings import Layer
from clawactors.runtime.times import Moment
from clawactors.runtime.workflows.plan import Plan
from clawactors.systems.bridges import Ask, BridgeState
from clawactors.systems.bridges.events import Stranger
from clawactors.systems.chats.events import Role
from clawactors.systems.keys.events import KeyGrant
from clawactors.systems.memories import Content
from clawactors.systems.schedules import Schedule
from clawactors.systems.schedules.events import CatchUp
from clawactors.systems.settings import Settings
from clawactors.systems.skills import SkillCall, TypedSkill
from clawactors.systems.tasks import Task
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks.files import StoredFile
from clawactors.systems.tasks.options import RepeatedOptions, TaskOptions
from clawactors.systems.triggers import Trigger

__all__ = [
    "SyncApiKeys",
    "SyncBridges",
    "SyncClient",
    "SyncClientDeadLetters",
    "SyncClientMemories",
    "SyncClusterBackups",
    "SyncClusterConfig",
    "SyncIdentities",
    "SyncNotifications",
    "SyncPastCluster",
    "SyncRef",
    "SyncSchedules",
    "SyncTaskFiles",
    "SyncTriggers",
    "SyncTypedRef",
    "SyncWorkflows",
]

class SyncRef:
    """A handle on one task."""

    @property
    def id(self) -> str:
        """The id of the task."""

    @property
    def new(self) -> bool:
        """True where the call that returned this handle made the task, False where it found it."""

    def result(self, timeout_s: float | None = None) -> Any:
        """Waits for the task, at most `timeout_s`, and returns its result.

        Raises: `TaskFailed` when it ended otherwise, `TaskBlocked` when it needs a person,
        `TimeoutError`, `NotFound`, `Refused` (needs a newer release)."""

    def stream(self, name: str = ..., *, after: int = 0, live: bool = True) -> Generator[Chunk]:
        """Yields what the task emits until it ends, starting after the chunk at position `after`.

        A task that is tried again emits anew: `attempt` tells its chunks apart. With `live` False it ends with what is
        there now. `clawactors.LOG` is the stream of what the code prints and logs. Output is kept for seven days.
        Raises: `NotFound`, `Unavailable`. Order: that of the code; nothing twice, also over a lost connection."""

    def snapshot(self, *, brief: bool = False) -> Snapshot[Task]:
        """The current state of the task; `brief`: without its journal. Raises: `NotFound`, `Unavailable`."""

    def cancel(self, *, undo: bool = False, now: bool = False) -> Snapshot[Task]:
        """Cancels the task; its code cleans up first, unless it is to end `now`. Raises: `NotFound`, `Refused`.

        With `undo`, its done steps are undone first."""

    def pause(self) -> Snapshot[Task]:
        """Pauses the task. Raises: `NotFound`, `Refused`."""

    def resume(self) -> Snapshot[Task]:
        """Resumes a paused task; runs one that waits up to its wait again, if no node has its code in memory.

        Raises: `NotFound`, `Refused`."""

    def retry(self, *, deadline_ns: int | None = None) -> Snapshot[Task]:
        """Retries it. Raises: `NotFound`, `Refused`."""

    def signal(self, name: str, payload: Any = None) -> Snapshot[Task]:
        """Sends it a signal. Raises: `NotFound`, `Refused`."""

    def ask(self, name: str, *args: Any, timeout: str | float = 10.0) -> Any:
        """Asks its code, as `ClusterClient.ask_task`."""

    def approve(self, name: str = "", comment: str = "") -> Snapshot[Task]:
        """Approves what it asks for. Raises: `NotFound`, `Refused`."""

    def deny(self, name: str = "", comment: str = "") -> Snapshot[Task]:
        """Denies what it asks for. Raises: `NotFound`, `Refused`."""

    def files(self) -> list[FileRow]:
        """Its files: those it was given, and those it has made. Raises: `NotFound`, `Unavailable`."""

    def download(self, name: str, path: str | Path = ".") -> Path:
        """Writes one of its files to `path`, a file or a folder; returns where it is. See `TaskFiles.download`."""

    def fork(self, step: str, *, new_id: str | None = None) -> SyncRef:
        """Starts a new task that inherits the steps before this one. Raises: `NotFound`, `Refused`."""

    def redrive(self) -> RedriveReport:
        """Retries it if it is dead. Raises: `NotFound`."""

    def delete(self) -> Snapshot[Task]:
        """Deletes it. Raises: `NotFound`, `Refused`."""

    def edit(self, **changes: Any) -> Snapshot[Task]:
        """Changes fields of the task before its first run. Raises: `NotFound`, `Refused`."""

class SyncTypedRef[R](SyncRef):
    """A handle on a task of a skill that was at hand: its result is of the type that the skill is annotated with."""

    def result(self, timeout_s: float | None = None) -> R:
        """As `Ref.result`. Raises also: `Refused` where the result is not what the annotation says."""

class SyncApiKeys:
    """The keys of a cluster, as its client sees them."""

    def add(
        self,
        name: str,
        scopes: Iterable[str] = ...,
        *,
        user: str = "",
        expires: Moment | None = None,
        rate_per_s: float = 0.0,
        quota_per_day: int = 0,
    ) -> AddedKey:
        """Adds a key; its secret is in the answer, and nowhere else.

        `scopes` are some of `read`, `tasks`, `memory`, `admin`; `user` is whom it acts for; `rate_per_s` and
        `quota_per_day` bound its requests, 0 for no bound. Raises: `Refused` (no such scope, name taken)."""

    def revoke(self, name: str) -> KeyRow:
        """Revokes the key, at once; it stays on record. Raises: `NotFound`."""

    def list(self, *, fresh: bool = True) -> builtins.list[KeyRow]:
        """All keys, by name. Raises: `Unavailable`."""

    def get(self, name: str, *, fresh: bool = True) -> KeyRow:
        """One key. Raises: `NotFound`, `Unavailable`."""

    def grant(self, secret: str) -> tuple[str, KeyGrant] | None:
        """The name and the grant of the key with this secret while it is valid, else None. Raises: `Unavailable`."""

class SyncBridges:
    """The bridges of a cluster, as its client sees them."""

    def allow(
        self, name: str, chat: str, *, member: str = "", user: str = "", skills: str | Iterable[str] = ...
    ) -> BridgeRow:
        """Lets a chat talk to the cluster by the bridge of that name, or one `member` of it.

        They act as `user`, by default `chat-` and the id, and may submit `skills` (`*` is all). Given again, it
        replaces what was said before. Raises: `Refused`."""

    def disallow(self, name: str, chat: str, *, member: str = "") -> BridgeRow:
        """Lets them talk no longer. Raises: `Refused` where they are not on the list."""

    def list(self, *, fresh: bool = True) -> builtins.list[BridgeRow]:
        """All bridges, by name. Raises: `Unavailable`."""

    def state(self, name: str) -> BridgeState:
        """All that is known of a bridge now. Raises: `Unavailable`."""

    def number(self, name: str, asks: Iterable[Ask]) -> BridgeState:
        """Gives each of these approvals a short number, the same whenever it is asked; see `BridgeState.number_of`."""

    def answering(self, name: str, message: str) -> None:
        """Puts on record that the answer to that message is about to go out, or, with '', certainly did not."""

    def advance(
        self, name: str, after: str, place: str, *, ignored: int = 0, strangers: Iterable[Stranger] = ...
    ) -> BridgeState:
        """Puts on record that all messages up to `place` are done with. Raises: `Refused` if another process has."""

class SyncClientDeadLetters:
    """`Client.dead_letters`."""

    def list(
        self,
        *,
        kind: str | Iterable[str] = ...,
        skill: str = "",
        error: str = "",
        since: Moment | None = None,
        limit: int | None = 100,
        cursor: str = "",
    ) -> Page[DeadLetterRow]:
        """A page of them: tasks first, then deliveries, commands and records; of each kind the newest first.

        `kind` is one or several of `task`, `delivery`, `command`, `record`. With `skill` or `error`, a class of errors,
        only what has one is listed: tasks, and by skill the deliveries of triggers that submit it. `since` is when it
        came to nothing. `cursor` is that of the page before. Raises: `InvalidQuery`, `Unavailable`."""

    def get(self, id: str) -> DeadLetterDetail:
        """One of them, by its id; a task also by its own. Raises: `NotFound`, `InvalidQuery`, `Unavailable`."""

    def redrive(self, ids: Iterable[str], *, progress: Callable[[int, int], None] = ...) -> Reports:
        """Tries them again: tasks are retried, deliveries repeated, commands sent again, in the name of this client.

        What can't be tried again, such as a record that nobody can read, is left with the reason.
        Raises: `InvalidQuery`, `Unavailable`."""

    def drop(self, ids: Iterable[str], *, progress: Callable[[int, int], None] = ...) -> Reports:
        """Keeps them no longer: dead tasks are deleted, their histories stay readable. Raises: as `redrive`."""

class SyncClientMemories:
    """Memories, and the conversations that they are made of. `by` is on record for what no user asks for."""

    def say(
        self,
        conversation: str,
        text: str,
        *,
        role: Role = "user",
        user: str = "",
        speaker: str = "",
        message: str = "",
        at: Moment | None = None,
        happened_ns: int = 0,
        recalled: Iterable[str] = ...,
        agent: str = "",
    ) -> str:
        """Adds a message to a conversation; a user's own also asks for memories of it, in the same commit.

        `at` is when it was said, by default now. `recalled` names memories that the text repeats; `agent` is the agent
        that it is said to. Returns the message's id; the same id again is quiet. Raises: `Refused`; what the log
        raises."""

    def get(self, id: str, *, at_seq: int = 0, at: Moment | None = None) -> dict[str, Any]:
        """A memory with all its fields, now or at a sequence or time of the log. Raises: `NotFound`."""

    def about(self, name: str, *, owner: str = "", depth: int = 1) -> list[dict[str, Any]]:
        """The facts about a name, and those that can be reached from it in `depth` steps."""

    def recent(self, limit: int = 100) -> list[dict[str, Any]]:
        """The newest events that memories are made of: the sensory level."""

    def working(self, task: str, *, budget: int = 1000) -> dict[str, Any]:
        """The working memory of a task, as `text` within a budget of tokens."""

    def statistics(self, *, at_seq: int = 0, at: Moment | None = None) -> dict[str, Any]:
        """How many memories there are, by kind, status, owner and origin; how far memory has read, and its size."""

    def consolidate(self, since: Moment | None = None) -> dict[str, Any]:
        """Consolidates what was remembered since then, by default all; returns what came of it."""

    def update(self, id: str, text: str, *, tags: Iterable[str] | None = None) -> None:
        """Puts a memory in other words; `tags` None leaves its tags. Raises: `NotFound`, `Refused`."""

    def history(self, key: str = "", *, id: str = "", owner: str = "") -> list[dict[str, Any]]:
        """The versions of what was remembered under the key, or of a memory, oldest first, with `text`, `at`, `by`.

        Raises: `NotFound`."""

    def forget(self, *ids: str, **scope: Unpack[ForgetOptions]) -> dict[str, Any]:
        """Forgets memories, and what derives: by id, or within a scope (owner, session, agent, since, until).

        Returns the receipt: `ids`, `counts`, and `upto`, the position up to which nothing comes back.
        Raises: `NotFound`, `Refused`."""

    def export(self, owner: str = "", **scope: Unpack[ExportOptions]) -> Generator[dict[str, Any]]:
        """All memories of the owner, by default those of the user of this client, oldest first."""

    def settings(self, owner: str = "", **changes: Unpack[SettingsOptions]) -> dict[str, Any]:
        """The settings of the owner, after these changes: memory, retention_days, language, zone, sharing.

        Raises: `Refused`."""

    def archive(self, id: str, *, restore: bool = False, reason: str = "") -> None:
        """Archives a memory, so that searches skip it, or restores it. Raises: `NotFound`, `Refused`."""

    def audit(self, id: str = "", **wanted: Unpack[AuditOptions]) -> list[dict[str, Any]]:
        """Who changed what, when and why, newest first: of a memory, or an owner. Raises: `NotFound`, `Refused`."""

    def remember(self, text: str, *, tags: Iterable[str] = ..., **more: Unpack[NoteOptions]) -> str:
        """Remembers the text; returns the memory's id, which follows from owner and `key`, by default from the text.

        `at` is when it happened. The same again is quiet; other words for the same `key` replace what it stood for
        (see `history`). Raises: `Refused`; `TypeError` for an option that there is not; what the log raises."""

    def record(self, content: Content, key: str = "") -> str:
        """As `remember`, with the content as it is."""

    def record_many(self, contents: Sequence[Content], keys: Sequence[str] = ...) -> list[StoredNote]:
        """Remembers all of them, each named by its key, by default its words and its date; repeats are quiet.

        A refusal holds up nobody else. Raises: what the log raises, but for what is wrong with one content."""

    def recall(self, text: str, *, limit: int = 5, **wanted: Unpack[RecallOptions]) -> list[dict[str, Any]]:
        """The memories that answer best, best first, as rows with `text`, `score`, `weak`, `at`, `sources` …

        A user gets their own and what nobody owns; `owner` names another one, who has to share them.

        Raises: `Refused` (a wrong question), `TypeError` (no such option), `Unavailable` (nobody answers)."""

    def context(
        self, text: str, *, tokens: int = 2000, count: Count | None = None, **wanted: Unpack[RecallOptions]
    ) -> dict[str, Any]:
        """What memory holds about a text, packed into at most `tokens` tokens for a language model.

        The answer has `text`, `tokens`, `tokens_before`, and `items` with the sources of each entry; `wanted` as in
        `recall`. `count` counts tokens as the model does; by default they are estimated.
        Raises: as `recall`."""

    def ask(self, name: str, /, timeout_s: float = ..., **question: Any) -> dict[str, Any]:
        """The answer to `claw.query.<name>`. Raises: `Refused`, `NotFound`, `Unavailable`."""

class SyncClusterBackups:
    """The backups of a cluster, as its client sees them."""

    def plan(self, folder: str, every_s: float, copies: int = 7) -> BackupRow:
        """Has the process that leads make one every `every_s` seconds in `folder`, and leave the newest `copies` there.

        The folder is on the machine of that process. Raises: `Refused`."""

    def stop(self) -> BackupRow:
        """Ends the plan; the files stay."""

    def note(self, file: str, size_bytes: int, last_seq: int, seconds: float) -> BackupRow:
        """Records that somebody has made a backup."""

    def get(self, *, fresh: bool = True) -> BackupRow | None:
        """The plan and the last backup, None where there never was one. Raises: `Unavailable`."""

class SyncClusterConfig:
    """The settings of a cluster, as its client sees them. All raise `Unavailable`."""

    def list(self, *, origins: bool = False, at_seq: int | None = None, at: Moment | None = None) -> SettingRows:
        """All settings by name, now or at a sequence or time of the log.

        `origins`: with what counts in each process now, and why. Raises: `InvalidQuery` for two of these."""

    def get(
        self, name: str, *, origins: bool = False, at_seq: int | None = None, at: Moment | None = None
    ) -> SettingRow:
        """One setting. Raises: `Refused` for a name that there is not; as `list`."""

    def settings(self, given: Sequence[Layer] = ...) -> Settings:
        """What the cluster is set to, with types, under what a program of yours was `given` beside it."""

    def version(self) -> int:
        """The version of the settings: how often they were changed."""

    def set(self, name: str, value: Any, *, reason: str = "", if_version: int | None = None) -> SettingRow:
        """Sets one; the value is JSON, or text as `claw config set` takes it. To set the same again changes nothing.

        `if_version`: only if it has not changed since that version of the settings.
        Raises: `Refused` (no such setting, a value that it does not take, a secret, changed since), `InvalidQuery`."""

    def unset(self, name: str, *, reason: str = "", if_version: int | None = None) -> SettingRow | None:
        """Takes one back to its default; None for one that only a later release has. Raises: as `set`."""

    def change(self, changes: Mapping[str, Any], *, reason: str = "", if_version: int | None = None) -> SettingRows:
        """Sets several, all or none, None for the default; returns all settings after it. Raises: as `set`."""

    def rollback(self, version: int, *, reason: str = "", if_version: int | None = None) -> SettingRows:
        """Sets all settings back to what they were at that version, 0 for before the first; returns them after it.

        What a later release has set stays. Raises: `NotFound` for a version that there is not, `Refused`."""

    def difference(self, begin: int, end: int | None = None) -> dict[str, ValueChange]:
        """What differs between two versions of the settings, by default up to now. Raises: `NotFound`."""

    def history(self, name: str = "") -> SettingChanges:
        """Every change, oldest first; with a name only of that setting. Raises: `Refused` for a name that is none."""

    def watch(self, after: int | None = None) -> Generator[SettingChange]:
        """Changes as they are made, without end; those after that version, by default from now on.

        Raises: `InvalidQuery` for a version that there is not yet."""

class SyncIdentities:
    """The machines and people of a cluster, as its client sees them."""

    def invite(
        self, role: str, name: str, *, secret: str, expires: Moment, uses: int = 1, skills: Iterable[str] = ...
    ) -> IdentityRow:
        """Lets those who know the secret join as `node`, `client` or `observer`; the line to paste is `claw invite`'s.

        With more than one use those who join are called `<name>-1`, `<name>-2` … Raises: `Refused`."""

    def join(self, name: str, *, secret: str, public_key: str, host: str = "") -> IdentityRow:
        """Admits the holder of the key by the invitation of this name; the row of the one that joined.

        Raises: `NotFound` (not invited), `Refused` (wrong secret, expired, used, revoked)."""

    def renew(self, name: str, public_key: str) -> IdentityRow:
        """Lets another key count in place of the one that it has. Raises: `NotFound`, `Refused`."""

    def revoke(self, name: str, reason: str = "") -> IdentityRow:
        """Ends what it may, and its connections; an invitation for several takes all with it that it has admitted.

        Returns once the server refuses it. Raises: `NotFound`; `Refused` where the machine of the authority does
        not answer: the revocation is on record, and takes effect when that is up again."""

    def list(self, *, role: str = "", status: str = "", fresh: bool = True) -> builtins.list[IdentityRow]:
        """All who are invited or have joined, by name; or those who are `invited`, `expired`, `joined` or `revoked`.

        Raises: `InvalidQuery`, `Unavailable`."""

    def get(self, name: str, *, fresh: bool = True) -> IdentityRow:
        """One of them, also who was revoked. Raises: `NotFound`, `Unavailable`."""

class SyncNotifications:
    """The notifications of a cluster, as its client sees them."""

    def add(
        self,
        name: str,
        when: str | Iterable[str],
        to: str,
        *,
        skill: str = "",
        tag: str = "",
        user: str = "",
        every: str | float = 60.0,
        secret: str = "",
    ) -> NotificationRow:
        """Adds a rule: whenever something of `when` happens, `to` is told, once at most in `every` (seconds, or `10m`).

        `when` has `dead`, `failed`, `blocked`, `approval`, `completed`, `cancelled`, `node-lost`, `lag`, `disk`. `to`
        is `https://…`, `mailto:ops@example.org`, `desktop` or `telegram:CHAT`. Of tasks, only those with this `skill`
        (which may hold `*`), `tag` and `user`. `secret` names what signs a webhook.
        Raises: `Refused` (unknown name or target; the name is taken by another rule or a trigger)."""

    def mute(self, name: str, duration: str | float | None = None) -> NotificationRow:
        """Tells nothing of what happens from now on, for so long (seconds, or `2h`), or until `unmute`.

        Raises: `NotFound`."""

    def unmute(self, name: str) -> NotificationRow:
        """Tells again what happens from now on. Raises: `NotFound`."""

    def remove(self, name: str) -> NotificationRow:
        """Removes the rule. Raises: `NotFound`."""

    def redrive(self, name: str) -> NotificationRow:
        """Sends again what could not be sent and is kept. Raises: `NotFound`."""

    def test(self, name: str) -> None:
        """Sends a message to where the rule sends, and returns once it is there.

        Raises: `NotFound`; `Refused` with the reason why it was not sent; `Unavailable`."""

    def alarms(self, *, fresh: bool = True) -> builtins.list[AlarmRow]:
        """What was ever wrong with the cluster as a whole, by name, and whether it is over. Raises: `Unavailable`."""

    def list(self, *, fresh: bool = True) -> builtins.list[NotificationRow]:
        """All rules, by name. Raises: `Unavailable`."""

    def get(self, name: str, *, fresh: bool = True) -> NotificationRow:
        """One rule. Raises: `NotFound`, `Unavailable`."""

class SyncPastCluster:
    """`ClusterClient.at` makes it. `progress` is told how many of how many commits are in views that are built."""

    def prepare(self) -> None:
        """Returns when the views of that moment are there. Raises: `InvalidQuery` where the log has no such moment."""

    def history(self, id: str) -> list[HistoryEntry]:
        """Every event of the task up to then, oldest first. Raises: `NotFound`, `Refused`."""

    def status(self) -> PastStatus:
        """A summary of the cluster's state then."""

    def nodes(
        self,
        *,
        status: str = "",
        skill: str = "",
        available: bool = False,
        silent_s: float | None = None,
        fresh: bool = True,
    ) -> list[NodeRow]:
        """See `Listing.nodes`; who was silent is not on record."""

    def task(self, id: str) -> TaskRow:
        """The task as it was then. Raises: `NotFound`."""

    def tasks(
        self,
        *,
        status: str | Iterable[str] = ...,
        node: str = "",
        user: str = "",
        skill: str = "",
        tag: str = "",
        parent: str = "",
        error: str = "",
        interrupted: bool = False,
        text: str = "",
        silent_s: float | None = None,
        since: Moment | None = None,
        until: Moment | None = None,
        limit: int | None = 100,
        cursor: str = "",
        fresh: bool = False,
    ) -> Page[TaskRow]:
        """A page of the tasks that match, newest first; `limit` None lists all.

        `since` and `until` are times of submission; `parent` is a task whose children are wanted; `error` is a class of
        errors; `interrupted`: the last attempts were cut short; `silent_s`: running, and nothing has come from the task
        for so many seconds; `text`: words of the name or the last error, all of them, `conn*` for a beginning.
        `cursor` is that of the page before; `fresh` waits until the views hold all that is in the log now.
        Returns: the rows, and in `cursor` where the next page begins, None for the last one.
        Raises: `InvalidQuery`, `Unavailable`."""

    def count(self, *, fresh: bool = False, most: int = 0, **wanted: Unpack[TaskFilters]) -> int:
        """How many tasks match the filter of `tasks`; those in the archive don't.

        By states and one of skill, user, node, tag and error it costs next to nothing; else 2 us a task on its lists,
        20 us with times or a text. With `most`, counting ends where it has taken long and found that many: then the
        answer is `most`. Raises: `InvalidQuery`, `Unavailable`."""

    def archived(
        self,
        *,
        ended: str | Iterable[str] = ...,
        user: str = "",
        skill: str = "",
        since: Moment | None = None,
        until: Moment | None = None,
        limit: int | None = 100,
        cursor: str = "",
        fresh: bool = False,
    ) -> Page[ArchivedRow]:
        """A page of the tasks in the archive, newest first; `limit` None lists all.

        `ended` is how they had ended: `completed`, `failed`, `cancelled`, `dead` or `deleted`. The rest: see `tasks`.
        Raises: `InvalidQuery`, `Unavailable`."""

    def task_tree(self, id: str, *, limit: int = 1000, fresh: bool = True) -> TaskTree:
        """The task with its children and theirs, at most `limit` tasks. Raises: `NotFound`, `Unavailable`."""

    def approvals(self, *, by: str = "", limit: int = 1000, fresh: bool = True) -> list[ApprovalRow]:
        """What open tasks ask people for, the oldest task first; with `by`, what this user may answer.

        Raises: `InvalidQuery`, `Unavailable`."""

    def each_task(self, *, fresh: bool = True, **wanted: Unpack[TaskFilters]) -> Generator[TaskRow]:
        """Every task by the filter of `tasks`, newest first, with one page in memory.

        Raises: `InvalidQuery`, `Unavailable`."""

    def pending(self, *, limit: int | None = 100, cursor: str = "", fresh: bool = False) -> Page[TaskRow]:
        """A page of the pending tasks, the most urgent first, then the oldest; `queue` has them as they are placed.

        Raises: `InvalidQuery`, `Unavailable`."""

    def node(self, id: str, *, fresh: bool = True) -> NodeRow:
        """One node by its id. Raises: `NotFound`, `Unavailable`."""

    def skills_known(self, *, fresh: bool = True) -> list[SkillRow]:
        """The skills that nodes offer, by name. Raises: `Unavailable`."""

    def ids(self, start: str, *, limit: int = 100, fresh: bool = False) -> list[str]:
        """The ids of tasks that begin with `start`, in their order. Raises: `InvalidQuery`, `Unavailable`."""

    def resolve(self, start: str) -> str | None:
        """The id of the only task whose id starts with `start`, with or without the `t-` of generated ids; else None.

        Raises: `Unavailable`; `InvalidQuery` when several ids begin so; it lists up to five of them."""

    def statistics(
        self,
        *,
        by: Iterable[str] = ...,
        since: Moment | None = None,
        until: Moment | None = None,
        limit: int = 100,
        fresh: bool = True,
    ) -> Statistics:
        """Counts, durations and sizes; of each dimension of `by` the `limit` values with the most tasks.

        Of hours it has the newest, within `since` and `until`; then `window` sums up the hours between them.
        Raises: `InvalidQuery`, `Unavailable`."""

class SyncSchedules:
    """The schedules of a cluster, as its client sees them."""

    def add(
        self,
        name: str,
        cron: str,
        skill: str,
        params: Mapping[str, Any] | None = None,
        *,
        zone: str = "UTC",
        catch_up: CatchUp = "coalesce",
        **options: Unpack[RepeatedOptions],
    ) -> Snapshot[Schedule]:
        """Adds a schedule that submits tasks of the skill; adding the same one again changes nothing.

        Raises: `Refused` (no cron line, no zone, parameters that don't fit, name taken), `TypeError` for an unknown
        option."""

    def pause(self, name: str) -> Snapshot[Schedule]:
        """Pauses the schedule. Raises: `NotFound`."""

    def resume(self, name: str) -> Snapshot[Schedule]:
        """Resumes a paused schedule at its next time. Raises: `NotFound`."""

    def remove(self, name: str) -> Snapshot[Schedule]:
        """Removes the schedule; its tasks stay. Raises: `NotFound`."""

    def list(self, *, fresh: bool = True) -> builtins.list[ScheduleRow]:
        """All schedules, by name. Raises: `Unavailable`."""

    def get(self, name: str, *, fresh: bool = True) -> ScheduleRow:
        """One schedule. Raises: `NotFound`, `Unavailable`."""

class SyncTaskFiles:
    """`Client.files`. A file is given by its reference, a `StoredFile` or what stands for it in JSON."""

    def put(self, name: str, source: FileSource, *, progress: Callable[[int], None] = ...) -> StoredFile:
        """Stores a file, of any size; its reference may stand in parameters.

        `source` is a path, bytes, an open file, or an async iterator of bytes. What no task names within the age of a
        sweep is removed by it; `progress` is told how many bytes are stored.
        Raises: `Refused` (name, source), `Unavailable`."""

    def read(self, file: StoredFile | Mapping[str, Any], start: int = 0, end: int | None = None) -> Generator[bytes]:
        """The bytes from `start` up to `end`, in pieces of at most a few MB.

        Raises: `Refused` (no file), `Missing` (swept, erased), `Corrupt` (not what was put), `Unavailable`."""

    def row(self, id: str, name: str) -> FileRow:
        """A file of a task by its name, or by the parameter or the place that holds it; the newest of several.

        Raises: `NotFound`, `Unavailable`."""

    def download(
        self, file: StoredFile | Mapping[str, Any], path: str | Path = ".", *, progress: Callable[[int], None] = ...
    ) -> Path:
        """Writes a file to `path`, under its own name where that is a folder; returns where it is.

        It has its name only once it is whole; what has that name is replaced.
        Raises: as `read`; `OSError` where it can't be written."""

class SyncTriggers:
    """The triggers of a cluster, as its client sees them."""

    def add(
        self,
        name: str,
        on: str | Iterable[str],
        *,
        submit: str = "",
        params: Mapping[str, Any] | None = None,
        webhook: str = "",
        secret: str = "",
        publish: str = "",
        where: str = "",
        allow_loop: bool = False,
        rate: int = ...,
        **options: Unpack[RepeatedOptions],
    ) -> Snapshot[Trigger]:
        """Adds a trigger: for each event of a name in `on`, for which `where` holds, one of three things follows.

        `submit` names the skill of a task whose `params` may hold `${expression}`, `webhook` the address of a POST that
        the secret named `secret` signs, `publish` a subject. Adding the same one again changes nothing.
        Raises: `Refused` (unknown event, wrong expression, name taken), `TypeError` for an unknown option."""

    def pause(self, name: str) -> Snapshot[Trigger]:
        """Holds the trigger; what happens meanwhile is kept for it. Raises: `NotFound`."""

    def resume(self, name: str) -> Snapshot[Trigger]:
        """Lets a paused or stopped trigger go on where it was. Raises: `NotFound`."""

    def redrive(self, name: str, deliveries: Iterable[str] = ...) -> Snapshot[Trigger]:
        """Delivers again what failed and is kept: all, or the `deliveries` with these ids. Raises: `NotFound`."""

    def drop(self, name: str, deliveries: Iterable[str]) -> Snapshot[Trigger]:
        """Keeps these failed deliveries no longer; they stay in its history. Raises: `NotFound`."""

    def remove(self, name: str) -> Snapshot[Trigger]:
        """Removes the trigger; its tasks stay. Raises: `NotFound`."""

    def list(self, *, fresh: bool = True) -> builtins.list[TriggerRow]:
        """All triggers, by name. Raises: `Unavailable`."""

    def get(self, name: str, *, fresh: bool = True) -> TriggerRow:
        """One trigger. Raises: `NotFound`, `Unavailable`."""

class SyncWorkflows:
    """The workflows of a cluster, as its client sees them."""

    def add(self, definition: Given) -> WorkflowRow:
        """Adds a workflow, or a new version of it: a file, the text of one, what a file would say, or a checked one.

        The same definition again changes nothing. Skills that no node offers are allowed: see `missing_skills`.
        Raises: `InvalidDefinition` (a `Refused`) with all that is wrong, each with its line and column; `OSError`."""

    def check(self, definition: Given) -> Plan:
        """What `add` would run; no server is asked. Raises: `InvalidDefinition`, `OSError`."""

    def missing_skills(self, definition: Given) -> builtins.list[str]:
        """The skills that it needs and no node offers now. Raises: `InvalidDefinition`, `Unavailable`."""

    def list(self, *, fresh: bool = True) -> builtins.list[WorkflowRow]:
        """All workflows, by name; a large definition as a reference. Raises: `Unavailable`."""

    def get(self, name: str, version: int | None = None) -> WorkflowRow:
        """One workflow with the definition of that version, by default of the newest, also if it was removed.

        Raises: `NotFound`, `Unavailable`."""

    def check_params(self, name: str, params: Mapping[str, Any] | None = None, version: int | None = None) -> None:
        """Raises what `submit` would: `NotFound`, `Refused` (parameters that don't fit), `Unavailable`."""

    def submit(
        self,
        name: str,
        params: Mapping[str, Any] | None = None,
        /,
        *,
        version: int | None = None,
        id: str | None = None,
        key: str | None = None,
        **options: Unpack[TaskOptions],
    ) -> SyncRef:
        """Submits an instance: a task of the skill `workflow`, which keeps the version, by default the newest.

        Raises: `NotFound`, `Refused` (parameters that don't fit), as `Client.submit`."""

    def run(
        self,
        name: str,
        params: Mapping[str, Any] | None = None,
        /,
        *,
        version: int | None = None,
        id: str | None = None,
        key: str | None = None,
        wait_s: float | None = None,
        **options: Unpack[TaskOptions],
    ) -> Any:
        """Submits an instance and returns its result. Raises: as `submit`, and as `Client.run`."""

    def diagram(
        self, name: str, version: int | None = None, *, format: DiagramFormat = "mermaid", task: str = ""
    ) -> str:
        """A picture of the workflow, as text; with `task`, an instance, its steps have their states.

        Raises: `NotFound`, `Unavailable`."""

    def remove(self, name: str) -> WorkflowRow:
        """Removes the workflow; instances go on, and its versions stay readable. Raises: `NotFound`."""

class SyncClient:
    """`claw = SyncClient.connect()`: for as long as the program runs, or `with` it, or `close` it.

    Any thread may use it, also where an event loop runs, as in notebooks. A process that was forked connects anew."""

    @classmethod
    def connect(
        cls, url: str | None = None, data: str | None = None, *, context: str | None = None, user: str = ""
    ) -> Self:
        """A client of the cluster that `claw` finds with `--nats`, `--data` and `--context`; see `Client.connect`.

        Raises: `Unavailable` (no cluster, no server), `Misconfigured` (password, version, context)."""

    @classmethod
    def of(cls, found: Found, *, user: str = "", timeout_s: float = ...) -> Self:
        """A client of a server that was found; see `Client.of`. Raises: as that."""

    @property
    def user(self) -> str:
        """Who it acts for, '' for nobody."""

    @property
    def found(self) -> Found:
        """Which server it talks to, and why that one."""

    def close(self) -> None:
        """Fails what still waits, and all later calls, with `Closed`. Order: idempotent."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def cluster(self) -> ServersReport:
        """The servers: who leads which stream, who is behind or away, and which may be stopped now.

        Raises: `Unavailable`, `PermissionDenied` (it asks the streams: `$JS.API.STREAM.INFO.*`)."""

    @property
    def schedules(self) -> SyncSchedules:
        """The schedules of the cluster."""

    @property
    def backups(self) -> SyncClusterBackups:
        """The backups of the cluster."""

    @property
    def config(self) -> SyncClusterConfig:
        """The settings of the cluster."""

    @property
    def triggers(self) -> SyncTriggers:
        """The triggers of the cluster."""

    @property
    def workflows(self) -> SyncWorkflows:
        """The workflows of the cluster."""

    @property
    def memories(self) -> SyncClientMemories:
        """The memories of the cluster."""

    def archive(
        self, older_than_s: float = ..., *, dry_run: bool = False, progress: Callable[[ArchiveReport], None] = ...
    ) -> ArchiveReport:
        """Moves tasks that ended at least so long ago to the archive; `dry_run` only counts them.

        Raises: `InvalidQuery`, `Refused` (it stopped half way, with the reason: call it again), `Unavailable`."""

    def compact(self) -> CompactReply:
        """Gives back the space that deleted rows have left in the views; says what they took before and take now.

        Raises: `Unavailable`."""

    def drain(self, id: str) -> NodeRow:
        """Lets the node finish its tasks and gives it no new ones until `uncordon`. Raises: `NotFound`, `Refused`."""

    def cordon(self, id: str) -> NodeRow:
        """Stops placing new tasks on the node. Raises: `NotFound`, `Refused`."""

    def uncordon(self, id: str) -> NodeRow:
        """Places tasks on the node again. Raises: `NotFound`, `Refused`."""

    def remove_node(self, id: str) -> NodeRow:
        """Removes a node that has left. Raises: `NotFound`, `Refused`."""

    def set_node(self, id: str, *, slots: int | None = None, affinity: Mapping[str, str] | None = None) -> NodeRow:
        """Sets slots, and adds to the affinity; an empty value removes its key. Raises: `NotFound`, `Refused`."""

    def fork(self, id: str, step: str, *, new_id: str | None = None) -> SyncRef:
        """A new task that starts with the steps of `id` before this one; returns its handle.

        With `new_id`, the same call again finds the same fork.
        Raises: `NotFound`, `Refused` (no such step, id taken), `Unavailable`."""

    def redrive(
        self,
        *ids: str,
        skill: str = "",
        error: str = "",
        limit: int | None = None,
        rate_per_s: float | None = None,
        progress: Callable[[int, int], None] = ...,
    ) -> list[RedriveReport]:
        """Retries dead tasks, by id or by skill and error class: newest first, at most `limit`.

        `progress` is told how many of how many. Order: idempotent, a task that has moved on meanwhile is left alone.
        Raises: `NotFound`, `Refused`, `Unavailable`."""

    def erase(
        self, owner: str, *, cancel: bool = False, reason: str = "", stage: Callable[[str], None] = ...
    ) -> dict[str, Any]:
        """Erases all words of a user for good: memories, conversations, and what their tasks asked, said and returned.

        Ids, times and states of the tasks stay. `cancel` ends first what of theirs is under way, which is refused
        otherwise. Returns `{"erased": commits, "receipt": …}` once no view holds them; `stage` is told how far it is.
        Order: may be repeated. Raises: `Refused`, `Unavailable`."""

    def ref(self, id: str) -> SyncRef:
        """A handle on a task that may or may not exist."""

    def ended(self, ids: Iterable[str]) -> Generator[str]:
        """The ids in the order in which their tasks end; those that have ended come first. Raises: `NotFound`."""

    def ask_task(self, id: str, name: str, *args: Any, timeout: str | float = 10.0) -> Any:
        """What the task's code answers to that, see `TaskContext.answer`; also while it waits. Nothing is recorded.

        It is asked again within `timeout` (seconds or as in `10s`) while the task waits for a slot or its node is lost.
        Raises: `NotFound`; `Refused` (no such answer; ended, blocked, paused, or not in memory; no JSON);
        `AskFailed` where the code raised; `TimeoutError`."""

    def remember(self, text: str, *, tags: Iterable[str] = ..., **more: Unpack[NoteOptions]) -> str:
        """Remembers the text; durable when it returns the memory's id. See `Memories.remember`."""

    def recall(self, text: str, *, limit: int = 5, **wanted: Unpack[RecallOptions]) -> list[dict[str, Any]]:
        """The memories that match best, best first: the user's own, and what nobody owns. See `Memories.recall`."""

    def context(
        self, text: str, *, tokens: int = 2000, count: Count | None = None, **wanted: Unpack[RecallOptions]
    ) -> dict[str, Any]:
        """What memory holds about a text, packed into at most `tokens` tokens. See `Memories.context`."""

    def say(self, conversation: str, text: str, **more: Unpack[MessageOptions]) -> str:
        """Adds a message to a conversation; memories are made of a user's own. See `ClientMemories.say`."""

    @property
    def files(self) -> SyncTaskFiles:
        """The files of tasks, and files to be given to tasks."""

    def blob(self, name: str) -> bytes:
        """The bytes that a task stored (`TaskHandle.store`). Raises: `Missing`, `Corrupt`, `Unavailable`."""

    @property
    def bridges(self) -> SyncBridges:
        """The bridges to chats: who may talk to the cluster from there."""

    @property
    def identities(self) -> SyncIdentities:
        """The machines and people who may connect."""

    @property
    def keys(self) -> SyncApiKeys:
        """The keys of programs that ask over HTTP."""

    @property
    def notifications(self) -> SyncNotifications:
        """The notifications of the cluster: rules that tell people what happens."""

    @overload
    def submit[R](
        self,
        skill: SkillCall[R],
        *,
        id: str | None = None,
        key: str | None = None,
        delay_s: float | None = None,
        files: Mapping[str, FileSource | StoredFile] | None = None,
        **options: Unpack[TaskOptions],
    ) -> SyncTypedRef[R]:
        """Submits a task; the same id (or idempotency key) and content again returns the existing task.

        With `delay_s` it starts after that many seconds; a repeated submission does not change the start.
        `files`, by name, are stored first, and stand in the parameters: see `TaskContext.file`.
        Raises: `Refused` (malformed, parameters that don't fit, id taken by another task, predecessors not there),
        `TypeError` for an unknown option."""

    @overload
    def submit[R](
        self,
        skill: TypedSkill[..., R],
        params: Mapping[str, Any] | None = None,
        *,
        id: str | None = None,
        key: str | None = None,
        delay_s: float | None = None,
        files: Mapping[str, FileSource | StoredFile] | None = None,
        **options: Unpack[TaskOptions],
    ) -> SyncTypedRef[R]: ...
    @overload
    def submit(
        self,
        skill: str,
        params: Mapping[str, Any] | None = None,
        *,
        id: str | None = None,
        key: str | None = None,
        delay_s: float | None = None,
        files: Mapping[str, FileSource | StoredFile] | None = None,
        **options: Unpack[TaskOptions],
    ) -> SyncRef: ...
    @overload
    def run[R](
        self,
        skill: SkillCall[R],
        *,
        id: str | None = None,
        key: str | None = None,
        wait_s: float | None = None,
        files: Mapping[str, FileSource | StoredFile] | None = None,
        **options: Unpack[TaskOptions],
    ) -> R:
        """Submits and returns the result: `submit` and `Ref.result` in one, waiting for `wait_s` at most.

        Raises: as these two, so `TaskFailed` when the task ended without a result, `TaskBlocked`, `TimeoutError`."""

    @overload
    def run[R](
        self,
        skill: TypedSkill[..., R],
        params: Mapping[str, Any] | None = None,
        *,
        id: str | None = None,
        key: str | None = None,
        wait_s: float | None = None,
        files: Mapping[str, FileSource | StoredFile] | None = None,
        **options: Unpack[TaskOptions],
    ) -> R: ...
    @overload
    def run(
        self,
        skill: str,
        params: Mapping[str, Any] | None = None,
        *,
        id: str | None = None,
        key: str | None = None,
        wait_s: float | None = None,
        files: Mapping[str, FileSource | StoredFile] | None = None,
        **options: Unpack[TaskOptions],
    ) -> Any: ...
    def submit_one(self, request: TaskRequest) -> Submission:
        """Submits a task, a `TaskRequest(id, spec_of(…))`, and returns its row; says whether it was there before.

        Raises: as `submit`."""

    def submit_many(self, requests: Sequence[TaskRequest]) -> Batch:
        """Submits many tasks, each a `TaskRequest(id, spec_of(…))`; counts repeats, lists refusals.

        A refusal affects only the tasks that depend on it. Predecessors may stand anywhere in the batch.
        Returns: how many were made and how many were there, and the refusals. Raises: `Unavailable`."""

    @property
    def dead_letters(self) -> SyncClientDeadLetters:
        """What came to nothing and is kept for a person."""

    def change_many(
        self, ids: Iterable[str], change: Callable[[str], Snapshot[Task]], *, progress: Callable[[int, int], None] = ...
    ) -> list[ChangeReport]:
        """Changes each task, as in `claw.change_many(ids, claw.cancel)`; one refusal does not stop the others.

        `progress` is told how many of how many. Returns: a report for each, in the order of the ids.
        Raises: `Unavailable`; `Refused` for what is no list of ids."""

    def delete_ended(self, *, until: Moment, status: Iterable[str] = ..., **wanted: Any) -> int:
        """Deletes finished tasks submitted up to a time, with the filter of `tasks`; returns how many.

        Their histories stay readable. Raises: `InvalidQuery`, `Unavailable`."""

    def change_tasks(
        self,
        change: ChangeName,
        *,
        ids: Iterable[str] = ...,
        limit: int = 1000,
        dry_run: bool = False,
        undo: bool = False,
        now: bool = False,
        deadline_ns: int | None = None,
        rate_per_s: float | None = None,
        **wanted: Unpack[TaskFilters],
    ) -> ChangeSummary:
        """One change, by its name, of the tasks with these ids or by the filter of `tasks`: at most `limit` of them.

        Without `status`, a filter selects what is in a state that the change fits; `redrive` leaves a task alone that
        has moved on since it was listed. `undo` and `now` belong to `cancel`, `deadline_ns` to `retry`. `dry_run` only
        lists. Returns: what became of each. Raises: `InvalidQuery` (no such change, neither ids nor a filter),
        `Unavailable`."""

    def task(self, id: str, *, at_seq: int | None = None, at: Moment | None = None) -> TaskRow:
        """The task now, or its state at a sequence or time of the log.

        Raises: `NotFound`, `Refused` (needs a newer release), `InvalidQuery` (a place and a time), `Unavailable`."""

    def history(self, id: str, *, at_seq: int | None = None, at: Moment | None = None) -> list[HistoryEntry]:
        """Every event of the task, oldest first, up to a sequence or time of the log.

        Raises: `NotFound`, `Refused` (needs a newer release), `InvalidQuery` (a place and a time), `Unavailable`."""

    def difference(
        self,
        id: str,
        *,
        from_seq: int | None = None,
        begin: Moment | None = None,
        to_seq: int | None = None,
        end: Moment | None = None,
    ) -> TaskDifference:
        """What changed in the task between two moments, each a sequence or a time; by default from its start to now.

        Raises: `NotFound` where it was not there at the end, `InvalidQuery`, `Refused`, `Unavailable`."""

    def at(self, place: Moment, *, progress: Callable[[int, int], None] = ...) -> SyncPastCluster:
        """The cluster as it was at a past moment, to be asked as it is asked now.

        `place`: a sequence of the log, a time with its zone, or a time ago as in `-2h`. The first question has views of
        that moment built; `progress` is told how many of how many commits they have.
        Raises: `InvalidQuery`."""

    def events(
        self,
        after: int | None = None,
        *,
        types: Iterable[str] = ...,
        task: str = "",
        skill: str = "",
        user: str = "",
        live: bool = True,
    ) -> Generator[LogEvent]:
        """Every event behind the sequence `after`, by default from now on, as they come; without end while `live`.

        `types` are names of events, with `*` as in `task.*`; `task` is one task, `skill` and `user` select tasks.
        Order: that of the log; nothing twice, also over a lost connection. Raises: `Refused`, `Unavailable`."""

    def why(self, id: str) -> Explanation:
        """Why the task is in its state, in sentences. Raises: `NotFound`, `Refused`, `Unavailable`."""

    def queue(self, skill: str = "", *, limit: int = 20) -> QueueReply:
        """The next pending tasks, in the order in which they are placed: why in that order, and what holds each back.

        Raises: `InvalidQuery`, `Unavailable`."""

    def checks(self, memory: Callable[..., dict[str, Any]], accepted: int = 0) -> Generator[Check]:
        """The checks of `claw doctor` that need only a client; `memory` asks the memory process.

        Faults up to the log position `accepted` are known to a person."""

    def tasks(
        self,
        *,
        status: str | Iterable[str] = ...,
        node: str = "",
        user: str = "",
        skill: str = "",
        tag: str = "",
        parent: str = "",
        error: str = "",
        interrupted: bool = False,
        text: str = "",
        silent_s: float | None = None,
        since: Moment | None = None,
        until: Moment | None = None,
        limit: int | None = 100,
        cursor: str = "",
        fresh: bool = False,
    ) -> Page[TaskRow]:
        """A page of the tasks that match, newest first; `limit` None lists all.

        `since` and `until` are times of submission; `parent` is a task whose children are wanted; `error` is a class of
        errors; `interrupted`: the last attempts were cut short; `silent_s`: running, and nothing has come from the task
        for so many seconds; `text`: words of the name or the last error, all of them, `conn*` for a beginning.
        `cursor` is that of the page before; `fresh` waits until the views hold all that is in the log now.
        Returns: the rows, and in `cursor` where the next page begins, None for the last one.
        Raises: `InvalidQuery`, `Unavailable`."""

    def count(self, *, fresh: bool = False, most: int = 0, **wanted: Unpack[TaskFilters]) -> int:
        """How many tasks match the filter of `tasks`; those in the archive don't.

        By states and one of skill, user, node, tag and error it costs next to nothing; else 2 us a task on its lists,
        20 us with times or a text. With `most`, counting ends where it has taken long and found that many: then the
        answer is `most`. Raises: `InvalidQuery`, `Unavailable`."""

    def archived(
        self,
        *,
        ended: str | Iterable[str] = ...,
        user: str = "",
        skill: str = "",
        since: Moment | None = None,
        until: Moment | None = None,
        limit: int | None = 100,
        cursor: str = "",
        fresh: bool = False,
    ) -> Page[ArchivedRow]:
        """A page of the tasks in the archive, newest first; `limit` None lists all.

        `ended` is how they had ended: `completed`, `failed`, `cancelled`, `dead` or `deleted`. The rest: see `tasks`.
        Raises: `InvalidQuery`, `Unavailable`."""

    def task_tree(self, id: str, *, limit: int = 1000, fresh: bool = True) -> TaskTree:
        """The task with its children and theirs, at most `limit` tasks. Raises: `NotFound`, `Unavailable`."""

    def approvals(self, *, by: str = "", limit: int = 1000, fresh: bool = True) -> list[ApprovalRow]:
        """What open tasks ask people for, the oldest task first; with `by`, what this user may answer.

        Raises: `InvalidQuery`, `Unavailable`."""

    def each_task(self, *, fresh: bool = True, **wanted: Unpack[TaskFilters]) -> Generator[TaskRow]:
        """Every task by the filter of `tasks`, newest first, with one page in memory.

        Raises: `InvalidQuery`, `Unavailable`."""

    def pending(self, *, limit: int | None = 100, cursor: str = "", fresh: bool = False) -> Page[TaskRow]:
        """A page of the pending tasks, the most urgent first, then the oldest; `queue` has them as they are placed.

        Raises: `InvalidQuery`, `Unavailable`."""

    def nodes(
        self,
        *,
        status: str = "",
        skill: str = "",
        available: bool = False,
        silent_s: float | None = None,
        fresh: bool = True,
    ) -> list[NodeRow]:
        """The nodes, by id, that have this status, this skill, or a free slot (`available`).

        With `silent_s`, only those that are said to live but were not heard for that many seconds.
        Raises: `InvalidQuery`, `Unavailable`."""

    def node(self, id: str, *, fresh: bool = True) -> NodeRow:
        """One node by its id. Raises: `NotFound`, `Unavailable`."""

    def skills_known(self, *, fresh: bool = True) -> list[SkillRow]:
        """The skills that nodes offer, by name. Raises: `Unavailable`."""

    def ids(self, start: str, *, limit: int = 100, fresh: bool = False) -> list[str]:
        """The ids of tasks that begin with `start`, in their order. Raises: `InvalidQuery`, `Unavailable`."""

    def resolve(self, start: str) -> str | None:
        """The id of the only task whose id starts with `start`, with or without the `t-` of generated ids; else None.

        Raises: `Unavailable`; `InvalidQuery` when several ids begin so; it lists up to five of them."""

    def overview(self, *, window_s: int = 60, series_s: int = 0) -> Overview:
        """The cluster at a glance, cheap enough to be asked every second: nothing is read that grows with its tasks.

        `window_s` is what rates, waits, durations and errors are of; `series_s` asks for so many seconds one by one.
        Both are 300 at most. Raises: `InvalidQuery`, `Unavailable`."""

    def status(self, *, fresh: bool = False) -> ClusterStatus:
        """A summary of the cluster's state.

        `fresh` waits until the views hold all that is in the log now. Raises: `Unavailable`."""

    def leader(self) -> str | None:
        """The control process that leads, or None."""

    def sizes(self) -> Sizes:
        """What log, views, large values and memory take on disk. Raises: `Unavailable`."""

    def statistics(
        self,
        *,
        by: Iterable[str] = ...,
        since: Moment | None = None,
        until: Moment | None = None,
        limit: int = 100,
        fresh: bool = True,
    ) -> Statistics:
        """Counts, durations and sizes; of each dimension of `by` the `limit` values with the most tasks.

        Of hours it has the newest, within `since` and `until`; then `window` sums up the hours between them.
        Raises: `InvalidQuery`, `Unavailable`."""

    def command(self, id: str, command: c.TaskCommand, *, key: str = "", version: int = ...) -> Snapshot[Task]:
        """Sends the command and returns the task after the decision, without its journal.

        With an idempotency `key`, this client's command takes effect once, however often it is sent. With a `version`,
        it takes effect only if the task is at that version.

        Raises: `NotFound`, `Refused` (`Changed`: another version), `Unavailable`."""

    def cancel(self, id: str, *, undo: bool = False, now: bool = False) -> Snapshot[Task]:
        """Cancels the task; running code cleans up first, unless it is to end `now`, and confirms it.

        With `undo`, its done steps are undone first. Raises: `NotFound`, `Refused`, `Unavailable`."""

    def pause(self, id: str) -> Snapshot[Task]:
        """Pauses the task; running code stops at its next step. Raises: `NotFound`, `Refused`, `Unavailable`."""

    def resume(self, id: str) -> Snapshot[Task]:
        """Resumes a paused task; runs one that waits up to its wait again, if no node has its code in memory.

        Raises: `NotFound`, `Refused`, `Unavailable`."""

    def retry(self, id: str, *, deadline_ns: int | None = None, key: str = "") -> Snapshot[Task]:
        """Retries a failed, dead, cancelled or blocked task, with a new deadline if one is given; 0 removes it.

        Raises: `NotFound`, `Unavailable`, `Refused` (nothing to try again; its deadline has passed)."""

    def signal(self, id: str, name: str, payload: Any = None, *, key: str = "") -> Snapshot[Task]:
        """Sends the task a signal; signals are kept in order until its code takes them.

        With an idempotency `key`, the same call again sends nothing more.

        Raises: `NotFound`, `Unavailable`, `Refused` (ended; no name; no JSON)."""

    def approve(self, id: str, name: str = "", comment: str = "") -> Snapshot[Task]:
        """Approves what the task asks for; `name` may be left out where it asks one thing only.

        Raises: `NotFound`, `Unavailable`, `Refused` (nothing is asked, answered already, not this user's to answer)."""

    def deny(self, id: str, name: str = "", comment: str = "") -> Snapshot[Task]:
        """Denies what the task asks for. Raises: as `approve`."""

    def delete(self, id: str, *, version: int = ...) -> Snapshot[Task]:
        """Deletes a task that no node runs, if it is at that version, -1 for any; its history stays.

        Raises: `NotFound`, `Refused` (`Changed`: another version), `Unavailable`."""

    def edit(self, id: str, *, of: Snapshot[Task] | None = None, **changes: Any) -> Snapshot[Task]:
        """Changes fields of the task, named as in `spec_of`, before its first run; `of` is the task as it was read.

        Raises: `NotFound`, `Unavailable`, `Refused` (it runs, or somebody else has edited it meanwhile)."""

    def ask(self, name: str, question: Any = None) -> bytes:
        """Asks the views; returns their answer as JSON.

        Raises: `InvalidQuery` (no JSON), `Unavailable` (no control process answers)."""

    def now_ns(self) -> int:
        """The time of the log, ns since 1970: the clock of this machine may be off. Raises: `Unavailable`."""

    def snapshot(self, id: str, *, brief: bool = False) -> Snapshot[Task]:
        """The task with everything that is in the log now; `brief`: without its journal.

        Raises: `NotFound`, `Unavailable`."""

    def state[S](self, kind: str, id: str, type: type[S], *, at_least: int = ..., brief: bool = False) -> Snapshot[S]:
        """One aggregate, with all its commits up to `at_least`, -1 for all in the log; `brief`: without its journal.

        Raises: `Refused`, `Unavailable`."""

    def ask_for_change[S](
        self, kind: str, id: str, request: ExternalCommand, type: type[S], *, version: int = ...
    ) -> Snapshot[S]:
        """Sends the command; returns the aggregate after it, without its journal. Raises: as `CommandSender.ask`."""
