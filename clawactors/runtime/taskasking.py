"""What a client asks a running task, and what it is answered, as bytes: a client asks control, control asks the node.

1. Nothing of it is stored, and nothing of it changes the task.
2. An answer that says `again` has none yet: who asks does so again until its time is over.
"""

from typing import Final

import msgspec

from clawactors.runtime.asking import Failure
from clawactors.systems.tasks.spec import TaskError

__all__ = ["ANSWER_MAX_BYTES", "ASK", "TIMED_OUT", "CodeAnswer", "CodeQuestion", "subject_of_node"]

ASK: Final = "ask"
"""The name of the question to control."""

ANSWER_MAX_BYTES: Final = 400_000
TIMED_OUT: Final = "timeout"
"""The code of the failure of an answer that took too long."""


class CodeQuestion(msgspec.Struct, frozen=True, gc=False):
    """`name` is what the code answers to, `args` a list as JSON, `wait_s` for how long who asks waits."""

    id: str
    name: str
    args: msgspec.Raw = msgspec.Raw(b"[]")
    wait_s: float = 10.0


class CodeAnswer(msgspec.Struct, frozen=True, gc=False):
    """The `value` as JSON; or what the handler `raised`, why nobody can answer, or why nobody can do so now."""

    value: msgspec.Raw = msgspec.Raw(b"null")
    raised: TaskError | None = None
    error: Failure | None = None
    again: str = ""


def subject_of_node(node: str) -> str:
    """Where a node is asked."""
    return f"claw.ask.{node}"
