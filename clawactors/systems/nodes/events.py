"""What happened to a node. Heartbeats are leases, not events. Tags are promises (see `clawactors.eventlog.codec`)."""

from typing import Annotated

import msgspec

from clawactors.eventlog import Codec

__all__ = [
    "CODEC",
    "Machine",
    "NodeConfigured",
    "NodeCordoned",
    "NodeDrained",
    "NodeEvent",
    "NodeJoined",
    "NodeLeft",
    "NodeLost",
    "NodeRemoved",
    "NodeReturned",
    "NodeUncordoned",
    "Offer",
    "Parameter",
    "Slots",
]


type Slots = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
type _Number = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
type _Limit = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]


class Parameter(msgspec.Struct, frozen=True, omit_defaults=True):
    """One parameter of a skill: `type` is a JSON type name, a union of them joined by `|`, or `any`."""

    name: str
    type: str = "any"
    required: bool = True


class Offer(msgspec.Struct, frozen=True, omit_defaults=True):
    """A skill as a node offers it. `open` skills take parameters beyond those listed; `timeout_s` bounds an attempt.

    While the node `lacks` secrets that it asks for, it is given no task of it. `concurrency` bounds how many of its
    tasks are under way at once, in the whole cluster. `errors` are its rules for failures and `recover` what is
    asked after the loss of a node, for people.
    """

    name: str
    version: str = "1"
    description: str = ""
    parameters: tuple[Parameter, ...] = ()
    open: bool = False
    timeout_s: float | None = None
    lacks: tuple[str, ...] = ()
    concurrency: _Limit | None = None
    errors: tuple[str, ...] = ()
    recover: str = ""


class Machine(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a node runs."""

    hostname: str = ""
    platform: str = ""
    arch: str = ""
    ip: str = ""
    overlay_ip: str = ""
    port: _Number = 0
    pid: _Number = 0


class _NodeEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    pass


class NodeJoined(_NodeEvent, frozen=True, kw_only=True, tag="node.joined"):
    """One incarnation of the node is there and takes work; it ends any older incarnation."""

    incarnation: str
    slots: Slots = 5
    offers: tuple[Offer, ...] = ()
    affinity: dict[str, str] = {}
    tags: tuple[str, ...] = ()
    machine: Machine = Machine()


class NodeLeft(_NodeEvent, frozen=True, tag="node.left"):
    """It stopped in good order."""

    incarnation: str
    reason: str = ""


class NodeLost(_NodeEvent, frozen=True, tag="node.lost"):
    """It is silent: what it ran goes on elsewhere."""

    incarnation: str
    reason: str = ""


class NodeReturned(_NodeEvent, frozen=True, tag="node.returned"):
    """The lost incarnation was alive after all and is as it was; what it ran before is over."""

    incarnation: str


class NodeDrained(_NodeEvent, frozen=True, tag="node.drained"):
    """It finishes what it runs, hands back its queue and takes nothing new; `held`: until a person lifts that."""

    held: bool = False


class NodeCordoned(_NodeEvent, frozen=True, tag="node.cordoned"):
    """It keeps its queue and takes nothing new."""


class NodeUncordoned(_NodeEvent, frozen=True, tag="node.uncordoned"):
    """It takes work again."""


class NodeConfigured(_NodeEvent, frozen=True, tag="node.configured"):
    """A person changed its slots or its affinity; None means unchanged."""

    slots: Slots | None = None
    affinity: dict[str, str] | None = None


class NodeRemoved(_NodeEvent, frozen=True, tag="node.removed"):
    """It is forgotten until it joins again."""


type NodeEvent = (
    NodeJoined
    | NodeLeft
    | NodeLost
    | NodeReturned
    | NodeDrained
    | NodeCordoned
    | NodeUncordoned
    | NodeConfigured
    | NodeRemoved
)

CODEC: Codec[NodeEvent] = Codec(NodeEvent.__value__)
