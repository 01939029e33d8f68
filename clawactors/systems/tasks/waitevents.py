"""What a task waits for, and what comes. Tags are promises, as in `events`."""

from typing import Any

import msgspec

from clawactors.systems.tasks.spec import Count, DurableWait, WaitReason

__all__ = ["Signalled", "Unparked", "Waiting"]


class _WaitEvent(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    pass


class Waiting(_WaitEvent, frozen=True, tag="task.waiting"):
    """It gave its slot back until something comes; `until_ns` where that is a time.

    A task that is blocked for the sake of others waits for them again: the one without a result goes on.
    `waits` lists all that its code waits for, where that is more than one thing; the fields before show the earliest.
    `parked`: its node keeps the run in memory, to go on in place. `limited`: its skill has a limit, so what wakes it
    has to wait for a place. `progress` is what the code has reported, if it has.
    """

    reason: WaitReason = msgspec.field(name="for")
    until_ns: Count = 0
    name: str = ""
    waits: tuple[DurableWait, ...] = ()
    parked: bool = False
    limited: bool = False
    progress: float | None = None


class Unparked(_WaitEvent, frozen=True, tag="task.unparked"):
    """The node that kept its run in memory keeps it no longer: what wakes it builds it again from the journal."""

    reason: str = ""


class Signalled(_WaitEvent, frozen=True, tag="task.signalled"):
    """A message to it, kept in order until its code takes it."""

    name: str
    payload: Any = None
