"""Whom other programs may command, and how each of them decides: one entry a kind."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from clawactors.decider import Decider
from clawactors.nodes import NODE
from clawactors.nodes.events import CODEC as NODE_CODEC
from clawactors.nodes.wishes import outside_of as node_wish_of
from clawactors.outside import Outside
from clawactors.runtime.taskactor import runner_of
from clawactors.tasks import TASK
from clawactors.tasks.events import CODEC as TASK_CODEC
from clawactors.tasks.wishes import outside_of as task_wish_of
from eventlog import Codec, is_id

__all__ = ["DOORS", "Door", "door_of"]


class Door(msgspec.Struct, frozen=True):
    """`read` makes a command of bytes, who sent them, and the time; `runner` names the node that must hear of it."""

    decider: Decider[Any, Any, Any]
    codec: Codec[Any]
    read: Callable[[bytes, str, int], Outside[Any]]
    runner: Callable[[Any], str]

    @property
    def kind(self) -> str:
        """Whose door it is."""
        return self.decider.kind


DOORS: Final[Mapping[str, Door]] = {
    "task": Door(TASK, TASK_CODEC, task_wish_of, runner_of),
    "node": Door(NODE, NODE_CODEC, lambda body, by, _: node_wish_of(body, by), lambda _: ""),
}


def door_of(subject: str) -> tuple[Door, str] | None:
    """The door that a command was put to, and the id behind it; None where there is none: `claw.cmd.<kind>.<id>`."""
    parts = subject.split(".")
    if len(parts) != 4 or parts[2] not in DOORS or not is_id(parts[3]):
        return None
    return DOORS[parts[2]], parts[3]
