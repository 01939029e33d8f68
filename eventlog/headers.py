"""The headers of a commit: the guard, the name of the commit, and who caused it."""

import re
from typing import Final

from clawactors.eventlog.errors import TooLarge
from clawactors.eventlog.record import Draft, aggregate_pattern

__all__ = ["STATUS_LINE", "header_lines"]

STATUS_LINE: Final = "NATS/1.0\r\n"
MAX_BYTES: Final = 65_000
"""JetStream stores at most 65,535 bytes of headers; the difference is for the headers of a batch."""

_ID = r"[A-Za-z0-9_-]{1,128}"
_PLACE = re.compile(rf"{_ID} {_ID} (?:{_ID})?")


def header_lines(draft: Draft, expected: int) -> str:
    """The header lines of a guarded append, without status line and end.

    Raises: `ValueError` if an id or a value could break the wire format, `TooLarge` if the ids of the commands exceed
    what the server accepts as headers.
    """
    if _PLACE.fullmatch(f"{draft.kind} {draft.id} {draft.to}") is None:
        raise ValueError(f"not ids that can be part of a subject: {draft.kind!r}, {draft.id!r}, {draft.to!r}")
    by, cause, answers = draft.by, draft.cause, " ".join(draft.answers)
    if not draft.commit or not f"{draft.commit}{by}{cause}{answers}".isprintable():
        raise ValueError(f"a commit needs a name, and its headers must be printable text: {draft.commit!r}")
    if tuple(answers.split()) != draft.answers:
        raise ValueError(f"the ids of commands must not contain white space: {draft.answers!r}")
    lines = (
        f"Nats-Expected-Last-Subject-Sequence: {expected}\r\n"
        f"Nats-Expected-Last-Subject-Sequence-Subject: {aggregate_pattern(draft.kind, draft.id)}\r\n"
        f"Claw-Commit: {draft.commit}\r\n"
        f"{f'Claw-By: {by}\r\n' if by else ''}"
        f"{f'Claw-Cause: {cause}\r\n' if cause else ''}"
        f"{f'Claw-Answers: {answers}\r\n' if answers else ''}"
        f"{f'Claw-Key: {draft.key}\r\n' if draft.key else ''}"
    )
    if 4 * len(lines) > MAX_BYTES and len(lines.encode()) > MAX_BYTES:
        raise TooLarge(len(lines), MAX_BYTES)
    return lines
