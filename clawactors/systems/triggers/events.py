"""What happened to a trigger. Tags are promises (see `clawactors.eventlog.codec`); times in ns since 1970."""

import msgspec

from clawactors.eventlog import Codec
from clawactors.systems.tasks.events import Count, Spec

__all__ = [
    "CODEC",
    "RATE",
    "Notification",
    "Place",
    "TriggerAdded",
    "TriggerAdvanced",
    "TriggerDropped",
    "TriggerEvent",
    "TriggerFailure",
    "TriggerMuted",
    "TriggerPaused",
    "TriggerPlan",
    "TriggerRedriven",
    "TriggerRemoved",
    "TriggerResumed",
    "TriggerStopped",
]

RATE = 100
"""What a trigger sets off a second, at most, unless its plan says otherwise; so many may come at once."""


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """One event of the log: the aggregate, the sequence of its commit, and which event of the commit it is.

    `upto` is where a notification ends that tells of several events and begins with this one, 0 for one event.
    """

    kind: str
    id: str
    seq: Count
    index: Count = 0
    upto: Count = 0


class TriggerFailure(msgspec.Struct, frozen=True, omit_defaults=True):
    """What could not be delivered, and why."""

    place: Place
    event: str
    reason: str
    tries: Count = 1
    at_ns: Count = 0


class Notification(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Tell `to` in words, one message for all that comes together, one at most every so many seconds.

    `when` is what to tell, as people say it. `skill`, which may hold `*`, `tag` and `user` say of which tasks.
    """

    to: str
    when: tuple[str, ...]
    every_s: float = 60.0
    skill: str = ""
    tag: str = ""
    user: str = ""


class TriggerPlan(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What was asked for: events named `on` for which `where` holds submit `task`, or go to `webhook` or
    `publish`; `notify` tells people.

    `secret` names the secret that signs webhooks. The strings in the parameters of `task` are templates.
    """

    on: tuple[str, ...]
    where: str = ""
    task: Spec | None = None
    webhook: str = ""
    secret: str = ""
    publish: str = ""
    allow_loop: bool = False
    rate: Count = RATE
    notify: Notification | None = None


class _TriggerEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    pass


class TriggerAdded(TriggerPlan, frozen=True, omit_defaults=True, kw_only=True, tag="trigger.added"):
    """It exists; it works off what comes after this very event."""

    by: str = ""


class TriggerPaused(_TriggerEvent, frozen=True, tag="trigger.paused"):
    """It works nothing off until it is resumed; what comes meanwhile is kept."""

    by: str = ""


class TriggerResumed(_TriggerEvent, frozen=True, tag="trigger.resumed"):
    """It goes on where it was."""

    by: str = ""


class TriggerStopped(_TriggerEvent, frozen=True, tag="trigger.stopped"):
    """The cluster stopped it, for that reason; people may resume it."""

    reason: str


class TriggerAdvanced(_TriggerEvent, frozen=True, kw_only=True, tag="trigger.advanced"):
    """All of the log up to `position` is worked off: `fired` events since the last time, and these failed.

    `redone` are failures that were delivered again, with or without success.
    """

    position: Count
    fired: Count = 0
    failures: tuple[TriggerFailure, ...] = ()
    redone: tuple[Place, ...] = ()


class TriggerRedriven(_TriggerEvent, frozen=True, tag="trigger.redriven"):
    """What had failed is delivered again."""

    places: tuple[Place, ...]
    by: str = ""


class TriggerMuted(_TriggerEvent, frozen=True, tag="trigger.muted"):
    """It tells nothing of what happens until then, 0 for no longer."""

    until_ns: Count
    by: str = ""


class TriggerDropped(_TriggerEvent, frozen=True, tag="trigger.dropped"):
    """What had failed is kept no longer."""

    places: tuple[Place, ...]
    by: str = ""


class TriggerRemoved(_TriggerEvent, frozen=True, tag="trigger.removed"):
    """It was removed; its name may be used again."""

    by: str = ""


type TriggerEvent = (
    TriggerAdded
    | TriggerPaused
    | TriggerResumed
    | TriggerStopped
    | TriggerAdvanced
    | TriggerRedriven
    | TriggerMuted
    | TriggerDropped
    | TriggerRemoved
)

CODEC: Codec[TriggerEvent] = Codec(TriggerEvent.__value__)
