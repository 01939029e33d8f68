"""Whom other programs may command, and how each of them decides: one entry a kind."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from clawactors.eventlog import Codec, is_id
from clawactors.kernel.decider import Decider
from clawactors.kernel.external import DecodedCommand
from clawactors.runtime.taskactor import runner_of
from clawactors.systems.nodes import NODE
from clawactors.systems.nodes.events import CODEC as NODE_CODEC
from clawactors.systems.nodes.external import outside_of as node_wish_of
from clawactors.systems.tasks import TASK
from clawactors.systems.tasks.events import CODEC as TASK_CODEC
from clawactors.systems.tasks.external import outside_of as task_wish_of

__all__ = ["ENDPOINTS", "CommandEndpoint", "endpoint_of"]


class CommandEndpoint(msgspec.Struct, frozen=True):
    """`read` makes a command of bytes, who sent them, and the time; `runner` names the node that must hear of it."""

    decider: Decider[Any, Any, Any]
    codec: Codec[Any]
    read: Callable[[bytes, str, int], DecodedCommand[Any]]
    runner: Callable[[Any], str]

    @property
    def kind(self) -> str:
        """Whose door it is."""
        return self.decider.kind


ENDPOINTS: Final[Mapping[str, CommandEndpoint]] = {
    "task": CommandEndpoint(TASK, TASK_CODEC, task_wish_of, runner_of),
    "node": CommandEndpoint(NODE, NODE_CODEC, lambda body, by, _: node_wish_of(body, by), lambda _: ""),
}


def endpoint_of(subject: str) -> tuple[CommandEndpoint, str] | None:
    """The door that a command was put to, and the id behind it; None where there is none: `claw.cmd.<kind>.<id>`."""
    parts = subject.split(".")
    if len(parts) != 4 or parts[2] not in ENDPOINTS or not is_id(parts[3]):
        return None
    return ENDPOINTS[parts[2]], parts[3]
