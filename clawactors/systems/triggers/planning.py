"""A trigger as users write it, made a `TriggerPlan`: checks that need neither log nor expressions."""

import re
from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from clawactors.kernel.errors import Refused
from clawactors.systems.tasks.submission import checked_id, checked_spec
from clawactors.systems.triggers.addresses import check_url, is_url
from clawactors.systems.triggers.decider import NAME_MAX
from clawactors.systems.triggers.events import TriggerPlan
from clawactors.systems.triggers.names import NAMES, unknown
from clawactors.systems.triggers.notifying import check_notification

__all__ = ["LOOP_DEPTH", "checked_plan", "checked_trigger_name"]

LOOP_DEPTH: Final = 8
"""Triggers one after another, each set off by the task of the one before it, at most."""
_RATE_MAX: Final = 10_000
_OURS: Final = ("claw.", "live.", "$", "_INBOX")
_SUBJECT: Final = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")


def checked_trigger_name(name: str) -> str:
    """The name itself. Raises `Refused`."""
    if len(checked_id(name, "name of a trigger")) > NAME_MAX:
        raise Refused(f"the name of a trigger has at most {NAME_MAX} characters, not {len(name)}")
    return name


def checked_plan(plan: TriggerPlan) -> TriggerPlan:
    """The plan, as it is kept. Raises: `Refused`."""
    if not plan.on:
        raise Refused("a trigger needs an event: say which with --on, such as --on task.completed")
    if wrong := unknown(plan.on):
        raise Refused(f"there is no event {wrong[0]!r}: {_likely(wrong[0])}")
    if sum((plan.task is not None, bool(plan.webhook), bool(plan.publish), plan.notify is not None)) != 1:
        raise Refused("a trigger does one thing: give one of --submit SKILL, --webhook URL and --publish SUBJECT")
    if plan.notify is not None:
        check_notification(plan.notify)
    if plan.secret and not (plan.webhook or (plan.notify is not None and is_url(plan.notify.to))):
        raise Refused("a secret signs webhooks; leave --secret out, or give --webhook URL")
    if not 1 <= plan.rate <= _RATE_MAX:
        raise Refused(f"the rate of a trigger is 1 to {_RATE_MAX} a second, not {plan.rate}")
    if plan.webhook:
        check_url(plan.webhook)
    if plan.secret:
        checked_id(plan.secret, "name of a secret")
    if plan.publish and (not _SUBJECT.fullmatch(plan.publish) or plan.publish.startswith(_OURS)):
        raise Refused(f"{plan.publish!r} can't be published to: name a subject such as app.done, not the cluster's own")
    return plan if plan.task is None else replace(plan, task=checked_spec(plan.task))


def _likely(wrong: str) -> str:
    of: Iterable[str] = [name for name in NAMES if name.partition(".")[0] == wrong.partition(".")[0]] or NAMES
    return f"known are {', '.join(of)}, and task.*, node.*"
