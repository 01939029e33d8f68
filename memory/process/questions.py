"""Questions to memory, as they travel on `claw.query.memory.<name>` (JSON)."""

from typing import Final

import msgspec

from clawactors.memory.recall.fusion import THRESHOLD
from clawactors.systems.memories import Kind

__all__ = [
    "LIMIT_MAX",
    "QUESTIONS",
    "TOKENS_MAX",
    "AboutQuestion",
    "ConsolidateQuestion",
    "ContextQuestion",
    "ExportQuestion",
    "ExtractQuestion",
    "ForgetQuestion",
    "MemoryDigestQuestion",
    "MemoryQuestion",
    "RecentQuestion",
    "SearchQuestion",
    "ShowQuestion",
    "StatsQuestion",
    "WorkingQuestion",
]

LIMIT_MAX: Final = 1000
TOKENS_MAX: Final = 1_000_000


class MemoryQuestion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A question. A `fresh` answer includes everything that was in the log when the question arrived."""

    fresh: bool = True


class SearchQuestion(MemoryQuestion, frozen=True, kw_only=True):
    """The memories that best match a text; without a text the newest; with `like` those similar to that memory.

    Conclusions that consolidation is just drawing may appear a little later, even in a fresh answer.
    `task` is the asking task: the answer is added to its working memory. Times in ns since 1970.
    """

    text: str = ""
    like: str = ""
    limit: int = 5
    owner: str = ""
    kind: Kind | None = None
    tags: tuple[str, ...] = ()
    speaker: str = ""
    session: str = ""
    since_ns: int = 0
    until_ns: int = 0
    past: bool = True
    """Include facts that are no longer valid."""
    threshold: float = THRESHOLD
    explain: bool = False
    task: str = ""


class ContextQuestion(SearchQuestion, frozen=True, kw_only=True):
    """The evidence for a question, packed into a text of at most `tokens` tokens; `limit` memories are considered."""

    limit: int = 48
    tokens: int = 2000


class ShowQuestion(MemoryQuestion, frozen=True, kw_only=True):
    """One memory with all its fields."""

    id: str


class ExportQuestion(MemoryQuestion, frozen=True, kw_only=True):
    """All memories, or those of an owner, oldest first. `after` is the `after` of the previous page."""

    owner: str = ""
    after: int = -1
    limit: int = 200


class StatsQuestion(MemoryQuestion, frozen=True, kw_only=True):
    """Counts of memories by kind, status, owner and origin, and how far memory has read."""


class ForgetQuestion(MemoryQuestion, frozen=True, kw_only=True):
    """Forgets one memory, or all memories of an owner, and everything derived from them."""

    id: str = ""
    owner: str = ""
    by: str = ""


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
    """The working memory of a task, as text within a budget of tokens."""

    task: str
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
    "forget": ForgetQuestion,
    "consolidate": ConsolidateQuestion,
    "extract": ExtractQuestion,
    "about": AboutQuestion,
    "recent": RecentQuestion,
    "working": WorkingQuestion,
    "digest": MemoryDigestQuestion,
}
"""All questions, by the last token of their subject."""
