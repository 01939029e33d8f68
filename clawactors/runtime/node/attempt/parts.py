"""The parts of an attempt that its code uses, each made on first use: most attempts need few.

They hold proxies: in reference cycles each attempt would have to wait for the garbage collector.
"""

import asyncio
import weakref
from functools import cached_property
from typing import TYPE_CHECKING, cast

from clawactors.runtime.memory import Memories
from clawactors.runtime.node.answers import TaskAnswers
from clawactors.runtime.node.attempt.files import AttemptFiles
from clawactors.runtime.node.attempt.recording import RecordingAttempt
from clawactors.runtime.node.attempt.values import AttemptValues
from clawactors.runtime.node.attempt.waits import Waits
from clawactors.runtime.node.memories import TaskMemories
from clawactors.runtime.node.patches import TaskPatches
from clawactors.runtime.node.predecessors import Predecessors
from clawactors.runtime.node.signals import TaskSignals
from clawactors.runtime.node.sleeps import TaskSleeps
from clawactors.runtime.node.steps import Steps

if TYPE_CHECKING:
    from clawactors.runtime.node.attempt.attempt import Attempt

__all__ = ["AttemptParts"]


class AttemptParts(RecordingAttempt):
    """An attempt as its code uses it."""

    _memories: Memories | None
    _loop: asyncio.AbstractEventLoop

    @property
    def _proxy(self) -> "Attempt":
        return cast("Attempt", weakref.proxy(self))

    @cached_property
    def values(self) -> AttemptValues:
        """Its results, payloads, secrets and output."""
        return AttemptValues(self._proxy, self._loop)

    @cached_property
    def files(self) -> AttemptFiles:
        """The files that it was given and has made."""
        return AttemptFiles(self._proxy)

    @cached_property
    def steps(self) -> Steps:
        """The steps that its code takes."""
        return Steps(self._proxy)

    @cached_property
    def sleeps(self) -> TaskSleeps:
        """The sleeps of its code."""
        return TaskSleeps(self._proxy)

    @cached_property
    def signals(self) -> TaskSignals:
        """The signals that its code takes."""
        return TaskSignals(self._proxy)

    @cached_property
    def predecessors(self) -> Predecessors:
        """What the tasks that this one came after have returned."""
        return Predecessors(self._proxy)

    @cached_property
    def memories(self) -> TaskMemories:
        """What its code remembers and recalls."""
        return TaskMemories(self._proxy, self._memories)

    @cached_property
    def patches(self) -> TaskPatches:
        """The changes that its code asks for."""
        return TaskPatches(self._proxy)

    @cached_property
    def answers(self) -> TaskAnswers:
        """What its code answers."""
        return TaskAnswers(self._proxy)

    @cached_property
    def waits(self) -> Waits:
        """What its code waits for."""
        return Waits(self._proxy)
