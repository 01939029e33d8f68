"""Dead letters as control tells them: `claw.query.<principal>.letters`, and `claw.do.<principal>.letters` drops some.

They are copies of records that no reader could use, and of commands from other programs that were refused.
"""

import msgspec

from clawactors.runtime.asking import Failure

__all__ = ["BODY_MAX_BYTES", "DropLetters", "DropReply", "Letter", "LettersQuestion", "LettersReply"]

BODY_MAX_BYTES = 200_000
"""So much of the body of one letter is told."""


class LettersQuestion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The newest letters before the sequence `before`, 0 for the end; or the one at `seq`, with its body.

    `commands`: True for refused commands alone, False for records alone. `since_ns` is when they were copied.
    """

    before: int = 0
    limit: int = 100
    seq: int = 0
    commands: bool | None = None
    since_ns: int | None = None


class Letter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One letter: `subject` and `of_seq` are those of the original, `at_ns` is when it was copied."""

    seq: int
    at_ns: int
    subject: str
    of_seq: int
    reason: str
    size: int
    is_command: bool = False
    body: bytes | None = None


class LettersReply(msgspec.Struct, frozen=True, kw_only=True):
    """`before` goes on, 0 at the end."""

    letters: list[Letter] = []
    before: int = 0
    error: Failure | None = None


class DropLetters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Keep these letters no longer."""

    seqs: list[int]


class DropReply(msgspec.Struct, frozen=True, kw_only=True):
    """The sequences of letters that were there."""

    dropped: list[int] = []
    error: Failure | None = None
