"""The rules of erasures.

1. One erasure of an owner at a time; a second one waits for the end of the first.
2. What was asked once under a name is carried out once.
"""

from typing import Final, Literal, assert_never

import msgspec
from msgspec.structs import replace

from clawactors.kernel.decider import Decider
from clawactors.kernel.errors import Refused
from clawactors.systems.erasures.events import Count, Erased, ErasureBegun, ErasureEvent, ErasureFinished

__all__ = ["ERASURE", "BeginErasure", "Erasure", "ErasureCommand", "ErasureRun", "FinishErasure", "decide", "evolve"]

_RUNS_KEPT: Final = 100


class BeginErasure(msgspec.Struct, frozen=True):
    """Erase what these keys have sealed."""

    request: str
    keys: tuple[str, ...]
    by: str = ""
    reason: str = ""


class FinishErasure(msgspec.Struct, frozen=True):
    """The keys are gone, and so is the rest."""

    request: str
    erased: Erased


type ErasureCommand = BeginErasure | FinishErasure


class ErasureRun(msgspec.Struct, frozen=True, omit_defaults=True):
    """One erasure; `finished_ns` is 0 while it is under way."""

    request: str
    keys: tuple[str, ...] = ()
    by: str = ""
    reason: str = ""
    begun_ns: Count = 0
    finished_ns: Count = 0
    erased: Erased = Erased()


class Erasure(msgspec.Struct, frozen=True, omit_defaults=True):
    """The erasures of one owner, the newest last."""

    runs: tuple[ErasureRun, ...] = ()
    times: int = 0

    @property
    def exists(self) -> bool:
        """True once anything was erased."""
        return bool(self.runs)

    @property
    def open(self) -> ErasureRun | None:
        """The one that is under way."""
        return self.runs[-1] if self.runs and not self.runs[-1].finished_ns else None

    @property
    def status(self) -> Literal["absent", "erasing", "erased"]:
        """For faults and rows."""
        return "erasing" if self.open else "erased" if self.runs else "absent"

    def find(self, request: str) -> ErasureRun | None:
        """The one that was asked for under that name."""
        return next((run for run in self.runs if run.request == request), None)


def decide(command: ErasureCommand, erasure: Erasure) -> tuple[ErasureEvent, ...]:
    """The events that the command leads to in this state, none for a repeat. Raises `Refused`."""
    match command:
        case BeginErasure():
            if erasure.find(command.request) is not None:
                return ()
            if erasure.open is not None:
                raise Refused("another erasure of this owner is under way: try again once it has ended")
            return (ErasureBegun(request=command.request, keys=command.keys, by=command.by, reason=command.reason),)
        case FinishErasure():
            begun = erasure.find(command.request)
            if begun is None:
                raise Refused("no such erasure was begun")
            return () if begun.finished_ns else (ErasureFinished(request=command.request, erased=command.erased),)
        case _:
            assert_never(command)


def evolve(erasure: Erasure, event: ErasureEvent, at_ns: int) -> Erasure:
    """The state after the event; the same object where the event is illegal in this state."""
    match event:
        case ErasureBegun() if erasure.open is None and erasure.find(event.request) is None:
            new = ErasureRun(event.request, event.keys, event.by, event.reason, at_ns)
            return replace(erasure, runs=(*erasure.runs, new)[-_RUNS_KEPT:], times=erasure.times + 1)
        case ErasureFinished() if (run := erasure.open) is not None and run.request == event.request:
            done = replace(run, finished_ns=at_ns, erased=event.erased)
            return replace(erasure, runs=(*erasure.runs[:-1], done))
        case ErasureBegun() | ErasureFinished():
            return erasure
        case _:
            assert_never(event)


ERASURE: Final[Decider[ErasureCommand, Erasure, ErasureEvent]] = Decider("erasure", Erasure(), decide, evolve)
