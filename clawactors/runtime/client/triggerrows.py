"""Rows of triggers; as in `rows`, names and meanings are promises."""

from typing import Any

import msgspec

from clawactors.systems.triggers.events import Notification

__all__ = ["AlarmRow", "NotificationRow", "TriggerFailureRow", "TriggerRow"]


class AlarmRow(msgspec.Struct, frozen=True, kw_only=True):
    """An alarm of the cluster: `raised` or `cleared`, since when and why, and how often it was raised."""

    name: str
    status: str
    reason: str
    since: str | None
    times: int
    version: int


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
    notify: Notification | None
    allow_loop: bool
    rate: int
    position: int
    fired: int
    failed: int
    again: int
    failures: tuple[TriggerFailureRow, ...]
    muted_until: str | None
    last_at: str | None
    added_at: str | None
    updated_at: str | None
    version: int


class NotificationRow(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that notifies. `sent` are messages, `muted_until` a time or None; `failures` could not be sent."""

    name: str
    status: str
    when: tuple[str, ...]
    to: str
    skill: str | None
    tag: str | None
    user: str | None
    every_s: float
    secret: str | None
    muted_until: str | None
    sent: int
    failed: int
    failures: tuple[TriggerFailureRow, ...]
    last_at: str | None
    added_at: str | None
    version: int
