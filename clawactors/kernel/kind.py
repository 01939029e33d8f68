"""All that is special about one kind of aggregate, in one value; nothing else in the system asks which kind it has.

1. A kind's decider and codec are pure; who answers its commands (`home`) is a name, not a process.
2. Authority is judged once per commit, on the state before it, from its subject alone: never from what it says.
3. `Kinds` is the one list; every reader of the log gets it as an argument.
"""

from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from typing import Any

import msgspec

from clawactors.eventlog.codec import Codec
from clawactors.eventlog.decoding import Decoder
from clawactors.kernel.decider import Decider
from clawactors.kernel.errors import Refused
from clawactors.kernel.external import DecodedCommand, ExternalCommand, decode_command

__all__ = ["Home", "Kind", "Kinds", "as_it_is", "control_only", "itself", "never", "nobody", "to_nobody"]


class Home(Enum):
    """Which process answers the commands of a kind."""

    CONTROL = "control"
    MEMORY = "memory"


def to_nobody(_state: object) -> str:
    """The route of kinds whose changes no node has to hear of."""
    return ""


def control_only(_id: str, _state: object, writer: str) -> bool:
    """The authority of kinds that no node writes to."""
    return writer == ""


def as_it_is[S](state: S) -> S:
    """The brief form of states that stay small, and the bare form of events in which nothing is personal."""
    return state


def nobody(_state: object) -> str:
    """The owner of kinds that hold nobody's words."""
    return ""


def never(_command: object) -> bool:
    """For kinds none of whose commands begins with nothing known, or needs less than all."""
    return False


def itself(id: str, _state: object, writer: str) -> bool:
    """The authority of nodes: each writes about itself, and about no other."""
    return writer in ("", id)


class Kind[C, S, E](msgspec.Struct, frozen=True):
    """One kind of aggregate.

    `command_decoder` reads commands from outside, `command_of(external, by, at_ns)` makes one of ours of it; both raise
    what `read_command` turns into `Refused`.
    `route(state)` is the node that must hear of a change to this state, "" for none.
    `believes(id, state, writer)`: may that writer, a node or "" for the home process, speak about it in this state?
    `brief(state)` is the state as a command is answered with: without what grows with every command.
    `decides_in_brief(command)`: does that form lead it to the same events?
    `owner(state)` is whose words its events hold, "" for nobody's; `bare(event)` is the event without what is personal.
    `creates(command)`: is it decided on a new aggregate first? Then nothing is read; the guard tells if there is one.
    `administers`: commands about it are for who runs the cluster, not for everybody who may submit tasks.
    """

    name: str
    decider: Decider[C, S, E]
    codec: Codec[E]
    command_decoder: msgspec.json.Decoder[Any]
    command_of: Callable[[Any, str, int], C]
    home: Home = Home.CONTROL
    route: Callable[[S], str] = to_nobody
    believes: Callable[[str, S, str], bool] = control_only
    creates: Callable[[C], bool] = never
    brief: Callable[[S], S] = as_it_is
    decides_in_brief: Callable[[C], bool] = never
    owner: Callable[[S], str] = nobody
    bare: Callable[[E], E] = as_it_is
    administers: bool = False

    def read_command(self, body: bytes, by: str, at_ns: int, *, trusted: bool = True) -> DecodedCommand[C]:
        """The command that another program has written, on behalf of `by`, decided at that time.

        `trusted`: it may say that somebody else asks. Raises: `Refused`.
        """
        external: ExternalCommand = decode_command(self.command_decoder, body, self.name)
        if not trusted and external.by:
            raise Refused("'by' can't be given here: who asks is known from the connection")
        return DecodedCommand(self.command_of(external, by, at_ns), external.id, external.by)

    @property
    def pattern(self) -> str:
        """The subjects of all aggregates of this kind."""
        return f"claw.{self.name}.>"


class Kinds:
    """The kinds of a release by name, and the one decoder that all readers of the log share."""

    def __init__(self, kinds: Iterable[Kind[Any, Any, Any]]) -> None:
        self._by_name = {kind.name: kind for kind in kinds}
        self.decoder = Decoder({kind.name: kind.codec for kind in self._by_name.values()})

    def __getitem__(self, name: str) -> Kind[Any, Any, Any]:
        """The kind of that name. Raises: `KeyError`."""
        return self._by_name[name]

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __iter__(self) -> Iterator[Kind[Any, Any, Any]]:
        return iter(self._by_name.values())

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all kinds."""
        return tuple(self._by_name)

    @property
    def patterns(self) -> tuple[str, ...]:
        """The subjects of all kinds."""
        return tuple(kind.pattern for kind in self)

    def of(self, home: Home) -> tuple[Kind[Any, Any, Any], ...]:
        """The kinds whose commands that process answers."""
        return tuple(kind for kind in self if kind.home is home)
