"""Questions about memory, as they travel on `claw.query.memory.<name>` (JSON)."""

from typing import Final

import msgspec

from clawactors.memory.recall.relevance import THRESHOLD
from clawactors.systems.memories import Kind

__all__ = [
    "QUESTIONS",
    "About",
    "Consolidate",
    "Digest",
    "Export",
    "Extract",
    "Forget",
    "Question",
    "Recent",
    "Search",
    "Show",
    "Stats",
    "Working",
]

LIMIT_MAX: Final = 1000


class Question(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`fresh` asks for an answer that holds everything which was in the log when the question was put."""

    fresh: bool = True


class Search(Question, frozen=True, kw_only=True):
    """What fits a text best; without a text the newest. `like` is the id of a memory to find similar ones of.

    What consolidation concludes at that very moment may be found a little later, however `fresh` the question.

    `task` is the task that asks: it keeps what it was told in its working memory. Times in ns since 1970.
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
    """Whether facts that hold no more are found."""
    threshold: float = THRESHOLD
    explain: bool = False
    task: str = ""


class Show(Question, frozen=True, kw_only=True):
    """One memory with everything that is known of it."""

    id: str


class Export(Question, frozen=True, kw_only=True):
    """All memories, or those of an owner, oldest first. `after` is the number of the page before."""

    owner: str = ""
    after: int = -1
    limit: int = 200


class Stats(Question, frozen=True, kw_only=True):
    """How much is remembered."""


class Forget(Question, frozen=True, kw_only=True):
    """Forgets a memory, or all of an owner, and what was condensed from them."""

    id: str = ""
    owner: str = ""
    by: str = ""


class Consolidate(Question, frozen=True, kw_only=True):
    """Condenses what was recorded since then, episodes that may still go on included."""

    since_ns: int = 0


class Extract(Question, frozen=True, kw_only=True):
    """Makes memories of a message; what the skill `memory.extract` asks for."""

    key: str
    user: str
    conversation: str
    message: str
    seq: int


class About(Question, frozen=True, kw_only=True):
    """The facts about a name, and those that can be reached from it in `depth` steps."""

    name: str
    owner: str = ""
    depth: int = 1
    at_ns: int = 0
    past: bool = False


class Recent(Question, frozen=True, kw_only=True):
    """The newest raw events: the sensory level."""

    limit: int = 100


class Working(Question, frozen=True, kw_only=True):
    """What a task has at hand, within a budget of tokens."""

    task: str
    budget: int = 1000


class Digest(Question, frozen=True, kw_only=True):
    """The digest of the rows."""

    views: tuple[str, ...] = ()


QUESTIONS: Final[dict[str, type[Question]]] = {
    "search": Search,
    "show": Show,
    "export": Export,
    "stats": Stats,
    "forget": Forget,
    "consolidate": Consolidate,
    "extract": Extract,
    "about": About,
    "recent": Recent,
    "working": Working,
    "digest": Digest,
}
"""What can be asked, by the last token of the subject."""
