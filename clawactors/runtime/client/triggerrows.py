"""Rows of triggers; as in `rows`, names and meanings are promises."""

from typing import Any

import msgspec

__all__ = ["TriggerFailureRow", "TriggerRow"]


class TriggerFailureRow(msgspec.Struct, frozen=True, kw_only=True):
    """What a trigger could not deliver; `id` is the task or the message, `of` the task or node of the event."""

    id: str
    of: str
    event: str
    reason: str
    tries: int
    at: str | None


class TriggerRow(msgspec.Struct, frozen=True, kw_only=True):
    """A trigger. `position` is how far it has worked off the log; `again` is how many deliveries are being repeated."""

    name: str
    status: str
    reason: str | None
    on: tuple[str, ...]
    where: str | None
    skill: str | None
    params: dict[str, Any] | None
    webhook: str | None
    secret: str | None
    publish: str | None
    allow_loop: bool
    rate: int
    position: int
    fired: int
    failed: int
    again: int
    failures: tuple[TriggerFailureRow, ...]
    last_at: str | None
    added_at: str | None
    updated_at: str | None
    version: int
