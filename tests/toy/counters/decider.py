"""Counters: numbers that people raise, with a limit. Pure.

In: `Raise` and `Reset`. Out: `Raised` and `WasReset` in `claw.counter.<id>.log`.
"""

from typing import Final, assert_never

import msgspec
from msgspec.structs import replace

from clawactors.eventlog import Codec
from clawactors.kernel.decider import Decider
from clawactors.kernel.errors import Refused

__all__ = ["CODEC", "COUNTER", "MOST", "Counter", "CounterCommand", "CounterEvent", "Raise", "Raised", "Reset"]

MOST: Final = 1000
"""A counter counts no further."""


class Raise(msgspec.Struct, frozen=True):
    """Add to the counter, which begins at 0."""

    by: int


class Reset(msgspec.Struct, frozen=True):
    """Set the counter to 0."""


class Raised(msgspec.Struct, frozen=True, tag="counter.raised"):
    """The counter was raised."""

    by: int


class WasReset(msgspec.Struct, frozen=True, tag="counter.reset"):
    """The counter is at 0 again."""


class Counter(msgspec.Struct, frozen=True):
    """The state of a counter."""

    value: int = 0
    changes: int = 0
    updated_ns: int = 0


type CounterCommand = Raise | Reset
type CounterEvent = Raised | WasReset

CODEC: Final[Codec[CounterEvent]] = Codec(CounterEvent.__value__)


def decide(command: CounterCommand, counter: Counter) -> tuple[CounterEvent, ...]:
    """The events that the command leads to, none where nothing changes. Raises: `Refused`."""
    match command:
        case Raise(by=by) if by < 1:
            raise Refused("a counter is raised by 1 or more")
        case Raise(by=by) if counter.value + by > MOST:
            raise Refused(f"the counter is at {counter.value}, and {MOST} is the most")
        case Raise(by=by):
            return (Raised(by),)
        case Reset():
            return (WasReset(),) if counter.value else ()
        case _:
            assert_never(command)


def evolve(counter: Counter, event: CounterEvent, at_ns: int) -> Counter:
    """The state after the event; the same object where the event is illegal in this state."""
    match event:
        case Raised(by=by) if by > 0 and counter.value + by <= MOST:
            return replace(counter, value=counter.value + by, changes=counter.changes + 1, updated_ns=at_ns)
        case WasReset() if counter.value:
            return replace(counter, value=0, changes=counter.changes + 1, updated_ns=at_ns)
        case _:
            return counter


COUNTER: Final[Decider[CounterCommand, Counter, CounterEvent]] = Decider("counter", Counter(), decide, evolve)
