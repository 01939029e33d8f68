"""What a client asks and what it is answered, as bytes: requests on `claw.do.<principal>.<kind>`.

1. A request holds one or many commands; its answer holds one outcome each, in their order.
2. Every command has an id: asked again after a lost answer, the same thing comes out once.
3. `deadline_ns` is a time of the log; an answer tells the log's time, so that a client's clock may be wrong.
"""

from typing import Any, Final, Protocol

import msgspec

from clawactors.eventlog import Corrupt, EventLogError, Missing, NoSpace, PermissionDenied, TooLarge, Unavailable
from clawactors.kernel.errors import Changed, NotFound, Refused
from clawactors.kernel.kind import Home

__all__ = [
    "BLOCKED",
    "BUSY",
    "EXPIRED",
    "HORIZON_NS",
    "LEADER_KEY",
    "STATE",
    "AskReply",
    "AskRequest",
    "Command",
    "EndNotice",
    "Ended",
    "Failure",
    "ForkRequest",
    "LogReply",
    "Outcome",
    "RegisterReply",
    "RegisterRequest",
    "StateQuestion",
    "checked_reply",
    "error_of",
    "failure_of",
    "is_busy",
]

HORIZON_NS: Final = 600_000_000_000
"""A deadline lies at most so far ahead: ids of commands are kept for that long."""

LEADER_KEY: Final = "leader"
"""The lease of the control process that leads; its value names that process."""

STATE: Final = {Home.CONTROL: "state", Home.MEMORY: "memory.state"}
"""The question for the state of an aggregate, by the home of its kind."""

BLOCKED: Final = "blocked"
"""The status of a task that needs a person, and may end once it has been retried."""

BUSY: Final = "busy"
EXPIRED: Final = "expired"


class Command(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One command to the aggregate `id`, at any version for -1; `state` asks for the aggregate after it, in brief."""

    id: str
    command: msgspec.Raw
    state: bool = False
    version: int = -1


class AskRequest(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`client` wants to hear of the ends of the tasks of these commands, where it says so by `awaits`."""

    deadline_ns: int
    commands: list[Command]
    client: str = ""
    awaits: bool = False


class Failure(msgspec.Struct, frozen=True, gc=False):
    """Why a command has no effect: a word for programs, a sentence for people."""

    code: str
    message: str


class Outcome(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What became of a command, or the answer to a question for a state; `changed`: the command led to events.

    `repeats`: it did so when it was asked for the first time, under the same id.
    `state` is left out where an earlier outcome of the answer has it, for the same id and version, and where it is too
    large: then it has to be asked for. The answer to that question is a `part` of `size` bytes in all.
    """

    version: int = 0
    changed: bool = False
    state: msgspec.Raw = msgspec.Raw(b"null")
    error: Failure | None = None
    frozen: str = ""
    part: bytes = b""
    size: int = 0
    repeats: bool = False

    @property
    def has_state(self) -> bool:
        """The state is in it."""
        return bytes(self.state) != b"null"


class StateQuestion(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One aggregate with all its commits up to `at_least`, -1 for all that are in the log; from byte `after` on.

    `brief` leaves out what grows with its history.
    """

    kind: str
    id: str
    at_least: int = -1
    after: int = 0
    brief: bool = False


class LogReply(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Where the log ends, its size, its time, who leads, None for nobody; how far clocks are ahead of that time."""

    last_seq: int = 0
    messages: int = 0
    size_bytes: int = 0
    at_ns: int = 0
    leader: str | None = None
    server_ahead_ns: int = 0
    own_ahead_ns: int = 0
    error: Failure | None = None


class SizesReply(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What lies on the server, in bytes."""

    log_bytes: int = 0
    blobs_bytes: int = 0
    error: Failure | None = None


class ForkRequest(msgspec.Struct, frozen=True, gc=False):
    """A new task `new_id` that begins with the steps of `id` before `step`."""

    id: str
    step: str
    new_id: str


class AskReply(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`error` concerns the whole request: nothing of it was decided."""

    now_ns: int = 0
    outcomes: list[Outcome] = []
    error: Failure | None = None


class Ended(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A task that has ended, or is `BLOCKED`, and then its end is told later.

    A `large` result has to be asked for; `frozen`: a later release has written to it; `erased`: the result is gone.
    """

    id: str
    version: int
    status: str
    result: Any = None
    large: bool = False
    error: dict[str, str] | None = None
    frozen: str = ""
    erased: bool = False


class RegisterRequest(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A client wants to hear of the ends of these tasks, or no longer does."""

    client: str
    ids: list[str] = []
    forget: list[str] = []


class RegisterReply(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Those that have ended already, those that do not exist, and the place in the client's row of notices."""

    epoch: str = ""
    number: int = 0
    ended: list[Ended] = []
    missing: list[str] = []
    error: Failure | None = None


class EndNotice(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Told on `claw.ended.<principal>.<client>`: one number more than the last, or the same number as a heartbeat."""

    epoch: str
    number: int
    ended: list[Ended] = []


def is_busy(answer: bytes) -> bool:
    """True for the answer of an endpoint that has too many requests of this principal."""
    return answer.startswith(b'{"error":{"code":"busy"')


_CODES: Final[tuple[tuple[type[Exception], str], ...]] = (
    (NotFound, "not_found"),
    (Changed, "changed"),
    (Refused, "refused"),
    (TooLarge, "too_large"),
    (PermissionDenied, "denied"),
    (Missing, "missing"),
    (NoSpace, "no_space"),
    (Unavailable, "unavailable"),
    (Corrupt, "corrupt"),
)
"""The first that fits counts."""


def failure_of(error: Exception) -> Failure:
    """The error as it travels."""
    return Failure(next((code for kind, code in _CODES if isinstance(error, kind)), "unavailable"), str(error))


class _MayFail(Protocol):
    @property
    def error(self) -> Failure | None: ...


def checked_reply[R: _MayFail](reply: R) -> R:
    """The reply. Raises: the error that it holds."""
    if reply.error is not None:
        raise error_of(reply.error)
    return reply


def error_of(failure: Failure) -> Exception:
    """The error that travelled."""
    match failure.code:
        case "too_large":
            return TooLarge(0, 0, failure.message)
        case "denied":  # the server's words, without the subject that they name
            return EventLogError(failure.message)
    return next((kind for kind, code in _CODES if code == failure.code), Unavailable)(failure.message)
