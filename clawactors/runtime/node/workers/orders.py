"""What a node tells a worker: one JSON object a line, `op` says which. Described in docs/workers.md."""

from typing import Any, Final

import msgspec

from clawactors.runtime.node.workers.protocol import LINE_MAX_BYTES, CodeError, WireMessage

__all__ = [
    "TO_WORKER",
    "AskCode",
    "CallReply",
    "CancelCode",
    "DoStep",
    "DrainWorker",
    "DropCode",
    "NodeHello",
    "PingWorker",
    "RefusedLine",
    "RunCode",
    "ToWorker",
    "encode_message",
]


class NodeHello(WireMessage, frozen=True, tag="hello"):
    """The first line. The worker chooses one of the protocols."""

    protocols: tuple[int, ...]
    version: str
    node: str
    line_max_bytes: int = LINE_MAX_BYTES


class RunCode(WireMessage, frozen=True, tag="run"):
    """Run the code of a skill. `attempt` names this run in all messages; `attempt_number` is 1 for the first one."""

    attempt: str
    task: str
    skill: str
    params: dict[str, Any]
    attempt_number: int


class CallReply(WireMessage, frozen=True, tag="reply"):
    """The answer to a call."""

    attempt: str
    id: int
    value: Any = None
    error: CodeError | None = None


class DoStep(WireMessage, frozen=True, tag="do"):
    """The step of that call is not on record: run its function. `number` is 1 for the first try."""

    attempt: str
    id: int
    number: int


class AskCode(WireMessage, frozen=True, tag="ask"):
    """Somebody asks what `answer` was called for."""

    attempt: str
    id: int
    name: str
    args: list[Any]


class CancelCode(WireMessage, frozen=True, tag="cancel"):
    """The code is to clean up and end; its open calls raise. It may take steps meanwhile."""

    attempt: str


class DropCode(WireMessage, frozen=True, tag="drop"):
    """Forget that run: it goes on elsewhere, or has been left behind. Nothing of it is read any more."""

    attempt: str


class DrainWorker(WireMessage, frozen=True, tag="drain"):
    """No run comes any more. The end of standard input follows: then the worker ends."""


class PingWorker(WireMessage, frozen=True, tag="ping"):
    """Are you there?"""

    id: int


class RefusedLine(WireMessage, frozen=True, tag="refused"):
    """A line that could not be read or makes no sense; `line` is its number."""

    line: int
    message: str


type ToWorker = (
    NodeHello | RunCode | CallReply | DoStep | AskCode | CancelCode | DropCode | DrainWorker | PingWorker | RefusedLine
)

TO_WORKER: Final = ToWorker.__value__.__args__
"""All of them."""

_encode: Final = msgspec.json.Encoder().encode


def encode_message(message: ToWorker) -> bytes:
    """Its line."""
    return _encode(message) + b"\n"
