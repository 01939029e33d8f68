"""What goes through a dispatcher: a call, its answer, and the shape of all that handles it."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from clawactors.kernel.fold import Snapshot
from clawactors.kernel.kind import Kind

__all__ = ["Answer", "Call", "Handler", "Middleware", "Reply"]


class Call(msgspec.Struct, frozen=True, gc=False):
    """Commands to one aggregate, all of them or none.

    `known` is what the caller knows of the aggregate; None has it loaded. `once`: it was decided on that very state, so
    a lost race ends it (`WrongVersion`). `decided` is what that led to: the state after it, and the events. `commit`
    names the append, which goes out under its old name after a doubt. `deadline_ns` is the log's time, 0 for none.
    `version` is the only one that it may be decided on, -1 for any. `content` is the digest of what the command says,
    where its sender has chosen the id.
    """

    kind: Kind[Any, Any, Any]
    id: str
    commands: tuple[Any, ...]
    command_id: str = ""
    principal: str = ""
    deadline_ns: int = 0
    known: Snapshot[Any] | None = None
    once: bool = False
    decided: tuple[Any, tuple[Any, ...]] | None = None
    commit: str = ""
    version: int = -1
    content: str = ""


class Answer(msgspec.Struct, frozen=True, gc=False):
    """The aggregate after the call: its version and state, and the events that the call led to.

    `repeats`: it led to events before, under the same command id, and to none now.
    """

    version: int
    state: Any
    events: tuple[Any, ...] = ()
    repeats: bool = False


type Reply = Answer | Exception
"""What became of a call.

Errors: `Refused`, `PermissionDenied`, `TooLarge`, `WrongVersion` for a call that is decided `once`, `Unavailable` (it
may or may not be stored: ask again).
"""

type Handler = Callable[[Sequence[Call]], Awaitable[Sequence[Reply]]]
"""Takes independent calls and gives each a reply of its own, in their order. Raises nothing but what cancels it."""

type Middleware = Callable[[Handler], Handler]
