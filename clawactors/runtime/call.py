"""What goes through a dispatcher: a call, its answer, and the shape of all that handles it."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from clawactors.kernel.fold import Snapshot

__all__ = ["Answer", "Call", "Handler", "Middleware"]


class Call(msgspec.Struct, frozen=True, gc=False):
    """Commands to one aggregate, all of them or none.

    `known` is what the caller knows of the aggregate; None has it loaded. `once`: it was decided on that very state, so
    a lost race ends it (`WrongVersion`). `deadline_ns` is the log's time, 0 for none.
    """

    kind: str
    id: str
    commands: tuple[Any, ...]
    command_id: str = ""
    principal: str = ""
    deadline_ns: int = 0
    known: Snapshot[Any] | None = None
    once: bool = False


class Answer(msgspec.Struct, frozen=True, gc=False):
    """The aggregate after the call: its version and state, and the events that the call led to."""

    version: int
    state: Any
    events: tuple[Any, ...] = ()


type Handler = Callable[[Call], Awaitable[Answer]]
"""Raises: `Refused`, `PermissionDenied`, `TooLarge`, `Unavailable` (it may or may not be stored: ask again)."""

type Middleware = Callable[[Handler], Handler]
