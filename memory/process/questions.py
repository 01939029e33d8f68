"""Questions to memory, as they travel on `claw.query.memory.<name>` (JSON)."""

from typing import Final

import msgspec

from clawactors.memory.recall.evidence import THRESHOLD
from clawactors.systems.memories import Kind, Status

__all__ = [
    "LIMIT_MAX",
    "QUESTIONS",
    "TOKENS_MAX",
    "AboutQuestion",
    "ArchiveQuestion",
    "AuditQuestion",
    "ConsolidateQuestion",
    "ContextQuestion",
    "ExportQuestion",
    "ExtractQuestion",
    "ForgetQuestion",
    "MemoryDigestQuestion",
    "MemoryQuestion",
    "RecentQuestion",
    "RowsHealthQuestion",
    "SearchQuestion",
    "SettingsQuestion",
    "ShowQuestion",
    "StatsQuestion",
    "UpdateQuestion",
    "VersionsQuestion",
    "WorkingQuestion",
]

LIMIT_MAX: Final = 1000
TOKENS_MAX: Final = 1_000_000


class MemoryQuestion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A question. A `fresh` answer includes everything that was in the log when the question arrived.

    `user` is for whom it is asked, None for nobody; `task` and its `skill` are what asks, `by` who is on record for
    what it changes. Of these, a principal may only say `user`, its own. `at_seq` or `at_time_ns`: as it was then.
    """

    fresh: bool = True
    at_seq: int = 0
    at_time_ns: int = 0
    user: str | None = None
    task: str = ""
    skill: str = ""
    by: str = ""


class SearchQuestion(MemoryQuestion, frozen=True, kw_only=True):
    """The memories that best match a text; without a text the newest; with `like` those similar to that memory.

    Conclusions that consolidation is just drawing may appear a little later, even in a fresh answer.
    The answer is added to the working memory of the asking `task`. Times in ns since 1970.
    """

    text: str = ""
    like: str = ""
    limit: int = 5
    owner: str = ""
    shared: bool = False
    """Search what others share with who asks, too; without an owner."""
    kind: Kind | None = None
    tags: tuple[str, ...] = ()
    speaker: str = ""
    session: str = ""
    agent: str = ""
    since_ns: int = 0
    until_ns: int = 0
    past: bool = True
    """Include facts that are no longer valid."""
    zone: str = ""
    """Where words like «yesterday» are meant; the zone of the owner by default."""
    locale: str = ""
    """By which habits `5/6/2026` is read, as in en_GB; the language of the owner by default."""
    threshold: float = THRESHOLD
    explain: bool = False


class ContextQuestion(SearchQuestion, frozen=True, kw_only=True):
    """The evidence for a question, packed into a text of at most `tokens` tokens; `limit` memories are considered."""

    limit: int = 48
    tokens: int = 2000


class ShowQuestion(MemoryQuestion, frozen=True, kw_only=True):
    """One memory with all its fields."""

    id: str


class ExportQuestion(MemoryQuestion, frozen=True, kw_only=True):
    """All memories of an owner, oldest first; without one, those that the asking user owns, or all.

    `after` is the `after` of the previous page.
    """

    owner: str = ""
    session: str = ""
    agent: str = ""
    status: Status | None = None
    after: int = -1
    limit: int = 200


class StatsQuestion(MemoryQuestion, frozen=True, kw_only=True):
    """Counts of memories by kind, status, owner and origin, and how far memory has read."""


class RowsHealthQuestion(MemoryQuestion, frozen=True, kw_only=True):
    """Are the rows sound? `check`: they are read before the answer."""

    fresh: bool = False
    check: bool = False


class ForgetQuestion(MemoryQuestion, frozen=True, kw_only=True):
    """Forgets memories and everything derived from them: by `ids`, or what is of the owner and within the other fields.

    Without an owner a conversation, an agent or a time is forgotten for everyone, or for the asking user. Nothing that
    was said before comes back. `dry_run` only tells which memories there are. Times in ns since 1970.
    """

    id: str = ""
    ids: tuple[str, ...] = ()
    owner: str = ""
    session: str = ""
    agent: str = ""
    since_ns: int = 0
    until_ns: int = 0
    reason: str = ""
    dry_run: bool = False


class UpdateQuestion(MemoryQuestion, frozen=True, kw_only=True):
    """Puts a memory in other words, which were `derived_from` these; `tags` None leaves its tags."""

    id: str
    text: str
    tags: tuple[str, ...] | None = None
    derived_from: tuple[str, ...] = ()


class VersionsQuestion(MemoryQuestion, frozen=True, kw_only=True):
    """The versions of a memory, oldest first, by its id or by `key` and owner."""

    id: str = ""
    key: str = ""
    owner: str = ""


class AuditQuestion(MemoryQuestion, frozen=True, kw_only=True):
    """The changes of one memory, or of the newest of an owner: who, what, when, why, before and after; newest first."""

    id: str = ""
    owner: str = ""
    since_ns: int = 0
    limit: int = 100


class ArchiveQuestion(MemoryQuestion, frozen=True, kw_only=True):
    """Archives a memory, so that searches skip it, or restores it."""

    id: str
    restore: bool = False
    reason: str = ""


class SettingsQuestion(MemoryQuestion, frozen=True, kw_only=True):
    """The settings of an owner, after those changes that are not None."""

    owner: str = ""
    memory: bool | None = None
    retention_days: int | None = None
    language: str | None = None
    zone: str | None = None
    sharing: tuple[str, ...] | None = None


class ConsolidateQuestion(MemoryQuestion, frozen=True, kw_only=True):
    """Consolidates the memories recorded since then, including episodes that are still open."""

    since_ns: int = 0


class ExtractQuestion(MemoryQuestion, frozen=True, kw_only=True):
    """Extracts the memories of a message; the skill `memory.extract` asks for it."""

    key: str
    user: str
    conversation: str
    message: str
    seq: int


class AboutQuestion(MemoryQuestion, frozen=True, kw_only=True):
    """The facts about a name, and those that can be reached from it in `depth` steps."""

    name: str
    owner: str = ""
    depth: int = 1
    at_ns: int = 0
    past: bool = False


class RecentQuestion(MemoryQuestion, frozen=True, kw_only=True):
    """The newest raw events: the sensory level."""

    limit: int = 100


class WorkingQuestion(MemoryQuestion, frozen=True, kw_only=True):
    """The working memory of `task`, as text within a budget of tokens."""

    budget: int = 1000


class MemoryDigestQuestion(MemoryQuestion, frozen=True, kw_only=True):
    """The digest of the rows."""

    views: tuple[str, ...] = ()


QUESTIONS: Final[dict[str, type[MemoryQuestion]]] = {
    "search": SearchQuestion,
    "context": ContextQuestion,
    "show": ShowQuestion,
    "export": ExportQuestion,
    "stats": StatsQuestion,
    "health": RowsHealthQuestion,
    "forget": ForgetQuestion,
    "update": UpdateQuestion,
    "history": VersionsQuestion,
    "audit": AuditQuestion,
    "archive": ArchiveQuestion,
    "settings": SettingsQuestion,
    "consolidate": ConsolidateQuestion,
    "extract": ExtractQuestion,
    "about": AboutQuestion,
    "recent": RecentQuestion,
    "working": WorkingQuestion,
    "digest": MemoryDigestQuestion,
}
"""All questions, by the last token of their subject."""
