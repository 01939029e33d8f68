"""The headers of a commit: the guard, the name of the commit, and who caused it."""

from typing import Final

from eventlog.record import Draft, aggregate_pattern, is_id

__all__ = ["STATUS_LINE", "header_lines"]

STATUS_LINE: Final = "NATS/1.0\r\n"


def header_lines(draft: Draft, expected: int) -> str:
    """The header lines of a guarded append, without status line and end.

    Raises: `ValueError` where an id or header value could break out of its place on the wire.
    """
    if not (is_id(draft.kind) and is_id(draft.id) and (not draft.to or is_id(draft.to))):
        raise ValueError(f"not an id that can be part of a subject: {draft.subject!r}")
    if not draft.commit or not (draft.commit + draft.by + draft.cause + draft.flow).isprintable():
        raise ValueError(f"a commit has a name, and its headers are printable text: {draft.commit!r}")
    lines = (
        f"Nats-Expected-Last-Subject-Sequence: {expected}\r\n"
        f"Nats-Expected-Last-Subject-Sequence-Subject: {aggregate_pattern(draft.kind, draft.id)}\r\n"
        f"Claw-Commit: {draft.commit}\r\n"
    )
    if draft.by:
        lines += f"Claw-By: {draft.by}\r\n"
    if draft.cause:
        lines += f"Claw-Cause: {draft.cause}\r\n"
    if draft.flow:
        lines += f"Claw-Flow: {draft.flow}\r\n"
    return lines
