"""Questions about views: a question's bytes in, the answer's bytes out, from one moment of the store.

Each view registers its questions; nothing here knows one. A wrong question gets an error, never an exception.
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Final

import msgspec

from clawactors.eventlog import UNREADABLE, EventLogError, Unavailable, is_id
from clawactors.kernel.errors import NotFound, Refused
from clawactors.projections.engine.faults import FROZEN
from clawactors.projections.engine.pages import InvalidQuery
from clawactors.projections.engine.state import State, state_of
from clawactors.projections.engine.store import Reading, Store
from clawactors.systems.nodes.row import Heartbeat

__all__ = [
    "Building",
    "ErrorReply",
    "HeartbeatOf",
    "ProgressOf",
    "Queries",
    "QueryContext",
    "QueryError",
    "QuestionHandler",
    "ViewQuestion",
    "checked_id",
    "error_reply",
    "no_progress",
    "read_question",
]

type HeartbeatOf = Callable[[str], Heartbeat | None]
"""The last heartbeat of a node."""

type ProgressOf = Callable[[str, int, str], float]
"""What that attempt of a task on that node reported last, 0..1."""


def no_progress(_id: str, _attempt: int, _node: str) -> float:
    """Nothing was heard."""
    return 0.0


_encode: Final = msgspec.json.Encoder().encode


class ViewQuestion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`at_least`: the answer waits until the views hold the log up to that version.

    `fresh`: it waits until they hold everything that is in the log when the question arrives.
    `at_seq`, or else `at_time_ns`, in ns since 1970: the answer is as it was then; 0 is now.
    """

    fresh: bool = False
    at_least: int = 0
    at_seq: int = 0
    at_time_ns: int = 0


class Building(Unavailable):
    """Views of a past moment are being built: ask again soon. So many commits `done` `of` so many."""

    def __init__(self, text: str, done: int, of: int) -> None:
        super().__init__(text)
        self.done, self.of = done, of


class QueryContext(msgspec.Struct, dict=True):
    """What an answer is made from: one moment of the store, and figures that expire and so are in no view."""

    reading: Reading
    state: State
    store: Store
    heartbeat: HeartbeatOf
    now_ns: int
    reported: ProgressOf = no_progress

    @cached_property
    def some_frozen(self) -> bool:
        """Whether any aggregate needs a newer release."""
        return self.reading.count(FROZEN) > 0


class QuestionHandler(msgspec.Struct, frozen=True):
    """A question by the last token of its subject, and the function that answers it.

    `answer(question, context)` gives the fields of the reply; raises `Refused` and `NotFound`.
    `quick`: it is answered in the event loop; a page of a thousand rows would hold the loop up.
    """

    name: str
    question: type[ViewQuestion]
    answer: Callable[[Any, QueryContext], dict[str, Any]]
    quick: bool = False


class QueryError(msgspec.Struct):
    """Why there is no answer; `code` is for programs, `hint` says what to do."""

    code: str
    message: str
    hint: str = ""


class BuildingError(QueryError):
    """The views of that moment are being built."""

    done: int = 0
    of: int = 0


class ErrorReply(msgspec.Struct):
    """The answer to a question that can't be answered."""

    error: QueryError


def read_question[Q](kinds: Mapping[str, type[Q]], name: str, body: bytes, about: str = "") -> Q:
    """The question of that name; `about` is what the subjects of its kinds begin with. Raises: `InvalidQuery`."""
    kind = kinds.get(name)
    if kind is None:
        raise InvalidQuery(f"there is no question {about}{name!r}; ask one of {', '.join(kinds)}")
    try:
        return msgspec.json.decode(body or b"{}", type=kind)
    except UNREADABLE as error:
        known = ", ".join(kind.__struct_fields__) if isinstance(kind, type(msgspec.Struct)) else ""
        hint = f"; {name} takes {known}" if known and "unknown field" in str(error) else ""
        raise InvalidQuery(f"not a question: {error}{hint}") from None


class Queries:
    """Answers the `questions` of a projection. `store` gives the live store, `now_ns` the time."""

    def __init__(
        self,
        questions: Mapping[str, QuestionHandler],
        store: Callable[[], Store],
        heartbeat: HeartbeatOf,
        now_ns: Callable[[], int],
        reported: ProgressOf = no_progress,
    ) -> None:
        self._reported = reported
        self._questions, self._store, self._heartbeat, self._now_ns = questions, store, heartbeat, now_ns
        self._types = {name: handler.question for name, handler in questions.items()}

    def read(self, name: str, body: bytes) -> ViewQuestion:
        """The question that arrived on `claw.query.<name>`. Raises: `InvalidQuery`."""
        return read_question(self._types, name, body)

    def is_quick(self, name: str) -> bool:
        """True for a question that may be answered in the event loop."""
        return self._questions[name].quick

    def answer(self, name: str, question: ViewQuestion) -> bytes:
        """The encoded answer. Raises: `Refused`, `NotFound`, `Unavailable`, `Corrupt`."""
        store = self._store()
        with store.snapshot() as reading:
            state = state_of(reading)
            if state is None:
                raise Unavailable("the views are being built")
            context = QueryContext(reading, state, store, self._heartbeat, self._now_ns(), self._reported)
            return _encode(self._questions[name].answer(question, context) | {"position": state.position})

    def reply(self, name: str, body: bytes) -> bytes:
        """The encoded answer or error; it never raises for what was asked."""
        try:
            return self.answer(name, self.read(name, body))
        except (Refused, EventLogError, RecursionError) as error:
            return error_reply(error)


def error_reply(error: Exception) -> bytes:
    """The error as an answer."""
    match error:
        case InvalidQuery():
            code, hint = "usage", ""
        case NotFound():
            code, hint = "not_found", ""
        case Refused() | RecursionError():
            code, hint = "refused", ""
        case Building(done=done, of=of):
            return _encode(ErrorReply(BuildingError("building", str(error), "ask again in a moment", done, of)))
        case Unavailable():
            code, hint = "unavailable", "try again in a moment"
        case _:
            code, hint = "unavailable", "rebuild the views: claw-replay"
    return _encode(ErrorReply(QueryError(code, str(error), hint)))


def checked_id(id: str) -> str:
    """The id itself. Raises: `InvalidQuery`."""
    if not is_id(id):
        raise InvalidQuery("an id has 1 to 128 of the characters A-Z a-z 0-9 _ -")
    return id
