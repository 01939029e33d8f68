"""Questions about views and their answers, as they travel on `claw.query.<name>` (JSON)."""

from typing import Any, Final

import msgspec

__all__ = [
    "QUESTIONS",
    "DigestQuestion",
    "ErrorReply",
    "FaultsQuestion",
    "FaultsReply",
    "NodeQuestion",
    "NodesQuestion",
    "PendingQuestion",
    "Problem",
    "Question",
    "RowReply",
    "RowsReply",
    "ScheduleQuestion",
    "SchedulesQuestion",
    "SkillsQuestion",
    "StatusQuestion",
    "StatusReply",
    "TaskQuestion",
    "TasksQuestion",
]


class Question(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`fresh` asks for an answer that holds everything which was in the log when the question was put."""

    fresh: bool = False


class TasksQuestion(Question, frozen=True, kw_only=True):
    """Tasks, newest first; see `selection.Filter`. `cursor` is that of the page before."""

    status: tuple[str, ...] = ()
    node: str = ""
    user: str = ""
    skill: str = ""
    tag: str = ""
    since_ns: int | None = None
    until_ns: int | None = None
    limit: int = 100
    cursor: str = ""


class TaskQuestion(Question, frozen=True, kw_only=True):
    """One task."""

    id: str


class PendingQuestion(Question, frozen=True, kw_only=True):
    """The pending tasks in the order in which they are due."""

    limit: int = 100
    cursor: str = ""


class NodesQuestion(Question, frozen=True, kw_only=True):
    """Nodes by id. `available`: takes work and has a free slot; `silent_s`: said to live, but not heard for so long."""

    status: str = ""
    skill: str = ""
    available: bool = False
    silent_s: float | None = None
    limit: int = 1000
    cursor: str = ""


class NodeQuestion(Question, frozen=True, kw_only=True):
    """One node."""

    id: str


class SkillsQuestion(Question, frozen=True, kw_only=True):
    """What the nodes offer, by name, with figures of what ran."""

    limit: int = 1000
    cursor: str = ""


class SchedulesQuestion(Question, frozen=True, kw_only=True):
    """The schedules that are there, by name."""


class ScheduleQuestion(Question, frozen=True, kw_only=True):
    """One schedule."""

    id: str


class StatusQuestion(Question, frozen=True, kw_only=True):
    """How many tasks and nodes there are in each state."""


class FaultsQuestion(Question, frozen=True, kw_only=True):
    """What could not be folded."""

    limit: int = 100


class DigestQuestion(Question, frozen=True, kw_only=True):
    """The digest of the rows, of all views or of those named; it reads every row."""

    views: tuple[str, ...] = ()


QUESTIONS: Final[dict[str, type[Question]]] = {
    "tasks": TasksQuestion,
    "task": TaskQuestion,
    "pending": PendingQuestion,
    "nodes": NodesQuestion,
    "node": NodeQuestion,
    "skills": SkillsQuestion,
    "schedules": SchedulesQuestion,
    "schedule": ScheduleQuestion,
    "status": StatusQuestion,
    "faults": FaultsQuestion,
    "digest": DigestQuestion,
}
"""What can be asked, by the last token of the subject."""


class RowsReply(msgspec.Struct):
    """Rows; `cursor` asks for the next page, None after the last. `position` is the log's sequence they stand for."""

    rows: list[dict[str, Any]]
    position: int
    cursor: str | None = None


class RowReply(msgspec.Struct):
    """One row."""

    row: dict[str, Any]
    position: int


class StatusReply(msgspec.Struct):
    """Counts by status; `needs_upgrade` and `faults` count what could not be folded."""

    tasks: dict[str, int]
    nodes: dict[str, int]
    needs_upgrade: int
    faults: int
    position: int
    events: int
    size_bytes: int


class FaultsReply(msgspec.Struct):
    """Faults by sort, and aggregates that need a newer release."""

    faults: list[dict[str, Any]]
    frozen: list[dict[str, Any]]
    position: int


class Problem(msgspec.Struct):
    """Why there is no answer; `code` is for programs, `hint` says what to do."""

    code: str
    message: str
    hint: str = ""


class ErrorReply(msgspec.Struct):
    """The answer to a question that can't be answered."""

    error: Problem
