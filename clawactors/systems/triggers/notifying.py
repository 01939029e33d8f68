"""A rule for notifications as users write it, made the plan of a trigger: what is told, of which tasks, and to whom."""

import difflib
from collections.abc import Iterable
from typing import Final

from clawactors.kernel.errors import Refused
from clawactors.systems.triggers.addresses import check_target
from clawactors.systems.triggers.events import Notification, TriggerPlan

__all__ = ["ALARM_NAMES", "WHEN", "check_notification", "notification_plan"]

WHEN: Final[dict[str, tuple[str, ...]]] = {
    "dead": ("task.dead",),
    "failed": ("task.failed",),
    "blocked": ("task.blocked",),
    "approval": ("task.approval_asked",),
    "completed": ("task.completed",),
    "cancelled": ("task.cancelled",),
    "node-lost": ("node.lost",),
    "lag": ("alarm.raised", "alarm.cleared"),
    "disk": ("alarm.raised", "alarm.cleared"),
}
"""What people may want to be told, and the events that say so."""
ALARM_NAMES: Final = ("lag", "disk")
"""Those that are alarms of the cluster."""
_EVERY_MAX_S: Final = 7 * 86_400.0
_TEXT_MAX: Final = 200


def notification_plan(wanted: Notification, secret: str = "") -> TriggerPlan:
    """The plan of the trigger that does it; `secret` names what signs a webhook. Raises: `Refused`."""
    check_notification(wanted)
    on = dict.fromkeys(name for when in wanted.when for name in WHEN[when])
    return TriggerPlan(on=tuple(on), notify=wanted, secret=secret)


def check_notification(wanted: Notification) -> None:
    """Raises: `Refused`."""
    if not wanted.when:
        raise Refused(f"a notification needs to know when: {', '.join(WHEN)}")
    for name in wanted.when:
        if name not in WHEN:
            raise Refused(f"{name[:40]!r} is nothing that can be told: {_meant(name, WHEN)}")
    check_target(wanted.to)
    if not 0 <= wanted.every_s <= _EVERY_MAX_S:
        raise Refused(f"one message every {wanted.every_s:g} s: use 0s to 7d")
    for name in ("skill", "tag", "user"):
        if len(getattr(wanted, name)) > _TEXT_MAX or not getattr(wanted, name).isprintable():
            raise Refused(f"{name} of a notification is one line of at most {_TEXT_MAX} characters")


def _meant(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
