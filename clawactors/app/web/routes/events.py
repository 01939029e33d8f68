"""What happens, as it happens: server-sent events of the log, and what the code of a task emits and prints."""

from collections.abc import AsyncGenerator
from typing import Annotated, Any, Final

from litestar import Controller, Request, get
from litestar.params import HeaderParameter, QueryParameter
from litestar.response import Stream

from clawactors.app.web.guard import Guard
from clawactors.app.web.hub import EventHub, EventId, id_of
from clawactors.app.web.keyring import Asker
from clawactors.app.web.outputs import OutputHub
from clawactors.app.web.parameters import Claw, Flag, InPath, Text, words
from clawactors.app.web.streams import STREAM, EventStream
from clawactors.kernel.errors import InvalidQuery
from clawactors.runtime.client.events import LogFilter
from clawactors.systems.tasks.submission import checked_id

__all__ = ["EventRoutes"]

_OF_MEMORY = ("chat.", "memory.", "owner.")
"""What a key without the scope `memory` is not sent."""
_Types = Annotated[list[str] | None, QueryParameter(description="names of events, as in `task.*`")]
_From = Annotated[
    str, QueryParameter(name="from", description="events behind this sequence; 0 for all. By default from now on")
]
_DIGITS: Final = 18
"""No position of a chunk has more."""
_After = Annotated[
    int,
    QueryParameter(ge=0, le=10**_DIGITS - 1, description="`position` of the last chunk that was received"),
]
_Last = Annotated[str, HeaderParameter(name="Last-Event-ID", description="the id of the last event that was received")]


class EventRoutes(Controller):
    """Streams without an end; with `Last-Event-ID` they go on behind that event: none is missed or repeated."""

    path = "/"
    tags = ["events"]  # noqa: RUF012 # as litestar declares it

    @get("/events", operation_id="events", media_type=STREAM)
    async def events(
        self,
        request: Request[Any, Any, Any],
        type: _Types = None,
        task: Text = "",
        skill: Text = "",
        user: Text = "",
        begin: _From = "",
        last: _Last = "",
    ) -> Stream:
        """Every event of the log, as it comes; each `id` is a sequence of the log."""
        _check_room(request)
        hub: EventHub = request.app.state.hub
        asker: Asker = request.scope["state"]["asker"]
        hidden = () if "memory" in asker.scopes else _OF_MEMORY
        wanted = LogFilter(words(type), task, skill, user, hidden)
        return await _streamed(request, await hub.listen(wanted, _place(begin, last)))

    @get("/tasks/{id:str}/events", operation_id="task_events", media_type=STREAM)
    async def of_task(
        self,
        request: Request[Any, Any, Any],
        claw: Claw,
        id: InPath,
        type: _Types = None,
        begin: _From = "",
        last: _Last = "",
    ) -> Stream:
        """Every event of a task, as it comes; `GET /tasks/{id}/history` has what came before."""
        _check_room(request)
        await claw.snapshot(id, brief=True)
        hub: EventHub = request.app.state.hub
        return await _streamed(request, await hub.listen(LogFilter(words(type), id), _place(begin, last)))

    @get("/tasks/{id:str}/stream/{name:str}", operation_id="stream", media_type=STREAM)
    async def output(
        self,
        request: Request[Any, Any, Any],
        claw: Claw,
        id: InPath,
        name: InPath,
        after: _After = 0,
        live: Flag = True,
        last: _Last = "",
    ) -> Stream:
        """What the code of a task emits (`out`, or a stream of its own) or prints (`log`), from its start to its end.

        The last event is `end`.
        """
        if last and not (last.isascii() and last.isdigit() and len(last) <= _DIGITS):
            raise InvalidQuery(f"Last-Event-ID: {last[:40]!r} is no position of a chunk")
        _check_room(request)
        checked_id(name, "stream")
        await claw.snapshot(id, brief=True)
        outputs: OutputHub = request.app.state.outputs
        asker: Asker = request.scope["state"]["asker"]
        place = int(last) if last else after
        if live:
            return await _streamed(request, outputs.listen(claw, (asker.user, asker.principal), id, name, place))
        return await _streamed(request, outputs.read(claw, id, name, place))


def _check_room(request: Request[Any, Any, Any]) -> None:
    guard: Guard = request.scope["state"]["guard"]
    guard.streams.check_room()


def _place(begin: str, last: str) -> EventId | None:
    """Behind which event to go on: a `Last-Event-ID` is newer than what the first request asked for."""
    text = last or begin
    if not text:
        return None
    if (found := id_of(text)) is None:
        name = "Last-Event-ID" if last else "from"
        raise InvalidQuery(f"{name}: {text[:40]!r} is no sequence of the log")
    return found


async def _streamed(request: Request[Any, Any, Any], frames: AsyncGenerator[bytes]) -> Stream:
    await request.app.state.hub.begin()  # it hears when a key is revoked
    return EventStream(request.scope["state"]["guard"].streams, request.scope["state"]["asker"], frames)
