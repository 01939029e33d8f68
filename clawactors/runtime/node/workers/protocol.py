"""What a worker tells its node: one JSON object a line, `op` says which. Described in docs/workers.md."""

from typing import Any, Final

import msgspec

__all__ = [
    "FROM_WORKER",
    "LINE_MAX_BYTES",
    "PROTOCOLS",
    "SILENCE_S",
    "CodeAnswered",
    "CodeCall",
    "CodeError",
    "CodeHeartbeat",
    "CodeLog",
    "CodeProgress",
    "CodeRaised",
    "CodeResult",
    "FromWorker",
    "OfAttempt",
    "SkillDeclaration",
    "StepRaised",
    "StepReturned",
    "WireMessage",
    "WorkerHello",
    "WorkerPong",
    "decode_message",
]

PROTOCOLS: Final = (1,)
"""The versions that this release speaks."""

LINE_MAX_BYTES: Final = 65 << 20
SILENCE_S: Final = 120.0


class WireMessage(msgspec.Struct, frozen=True, tag_field="op", omit_defaults=True):
    """What all messages share."""


class CodeError(msgspec.Struct, frozen=True, omit_defaults=True, rename={"kind": "class"}):
    """What code raised. `kind` is a class of errors, '' where the node finds it out by type, status and text."""

    message: str = ""
    type: str = "Error"
    kind: str = ""
    retryable: bool | None = None
    traceback: str = ""
    status: int | None = None
    data: Any = None


class SkillDeclaration(msgspec.Struct, frozen=True):
    """A skill that a worker offers; `parameters` is a JSON Schema of an object."""

    name: str
    description: str = ""
    version: str = "1"
    parameters: dict[str, Any] = {}
    timeout_s: float | None = None
    heartbeat_s: float | None = None
    cancel_grace_s: float = 30.0
    concurrency: int | None = None
    secrets: tuple[str, ...] = ()
    retry: dict[str, Any] | None = None
    on_failure: str = "retry"


class WorkerHello(WireMessage, frozen=True, tag="hello"):
    """The answer to the node's hello. Killed when it answers no ping for `silence_s`; 0 for never."""

    protocol: int
    skills: tuple[SkillDeclaration, ...]
    language: str = ""
    silence_s: float = SILENCE_S


class CodeCall(WireMessage, frozen=True, tag="call"):
    """A call of the task; `id` is new for each. `branch` names code that runs beside other code."""

    attempt: str
    id: int
    method: str
    args: list[Any] = []
    options: dict[str, Any] = {}
    branch: str = ""


class StepReturned(WireMessage, frozen=True, tag="done"):
    """The function of a step has returned."""

    attempt: str
    id: int
    value: Any = None


class StepRaised(WireMessage, frozen=True, tag="failed"):
    """The function of a step has raised."""

    attempt: str
    id: int
    error: CodeError


class CodeResult(WireMessage, frozen=True, tag="result"):
    """The code has returned."""

    attempt: str
    value: Any = None


class CodeRaised(WireMessage, frozen=True, tag="error"):
    """The code has raised."""

    attempt: str
    error: CodeError


class CodeAnswered(WireMessage, frozen=True, tag="answer"):
    """The answer to `ask`."""

    attempt: str
    id: int
    value: Any = None
    error: CodeError | None = None


class CodeProgress(WireMessage, frozen=True, tag="progress"):
    """`done` of `total`; needs no answer."""

    attempt: str
    done: float
    total: float = 1.0


class CodeHeartbeat(WireMessage, frozen=True, tag="heartbeat"):
    """A sign of life of the code; needs no answer."""

    attempt: str


class CodeLog(WireMessage, frozen=True, tag="log"):
    """A line for `claw logs`; needs no answer."""

    attempt: str
    text: str
    level: str = "info"
    logger: str = ""


class WorkerPong(WireMessage, frozen=True, tag="pong"):
    """The answer to a ping."""

    id: int


type OfAttempt = (
    CodeCall
    | StepReturned
    | StepRaised
    | CodeResult
    | CodeRaised
    | CodeAnswered
    | CodeProgress
    | CodeHeartbeat
    | CodeLog
)
type FromWorker = WorkerHello | OfAttempt | WorkerPong

FROM_WORKER: Final = (WorkerHello, *OfAttempt.__value__.__args__, WorkerPong)
"""All of them."""

_decode: Final[msgspec.json.Decoder[FromWorker]] = msgspec.json.Decoder(FromWorker)


def decode_message(line: bytes) -> FromWorker:
    """The message in a line. Raises: `msgspec.DecodeError`, `RecursionError`."""
    return _decode.decode(line)
