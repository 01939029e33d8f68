"""Follows the log as it comes, event by event.

The client keeps the place: nothing is lost and nothing comes twice over a lost connection or a change of the leader.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

import msgspec

from clawactors.eventlog import Record
from clawactors.kernel.errors import NotFound, Refused
from clawactors.kernel.time import iso
from clawactors.kinds import DECODER
from clawactors.runtime.hedging import ask_until_answered
from clawactors.runtime.naming import new_id
from clawactors.runtime.questions import read_log_end
from clawactors.runtime.recordpages import EventsQuestion, PageReader, page_in
from clawactors.systems.tasks.kind import TASKS

if TYPE_CHECKING:
    from clawactors.runtime.client.connected import ConnectedClient

__all__ = ["LogEvent", "LogFilter", "follow_log", "pages_of"]

_ANSWER_S: Final = 3.0
"""Longer than control waits for something to tell; who has not answered by then was killed, or hangs."""
_OF_TASKS: Final = f"{TASKS.name}."
_KNOWN: Final = 100_000
"""Skill and user are remembered of so many tasks."""

_encode: Final = msgspec.msgpack.Encoder().encode


class LogEvent(msgspec.Struct, frozen=True):
    """An event of an aggregate, by its `kind` and `id`: `data` is what it says.

    `place` counts the events of one commit, which share `seq`; `last` is true for the last of them.
    """

    seq: int
    at: str | None
    kind: str
    id: str
    type: str
    data: dict[str, Any]
    by: str
    to: str
    place: int
    last: bool

    @property
    def row(self) -> dict[str, Any]:
        """As the HTTP API sends it: what the event says, beside the rest."""
        beside = {name: value for name, value in (("by", self.by), ("to", self.to)) if value}
        own = {"seq": self.seq, "at": self.at, "kind": self.kind, "id": self.id, "type": self.type}
        # An event's own `by` says more than the commit's; its own names never hide whose event it is.
        return beside | self.data | own


class LogFilter:
    """Which events are wanted: types as in `task.*`, one task, tasks of a skill, tasks of a user.

    `without` are beginnings of types that are left out.
    """

    def __init__(
        self,
        types: Iterable[str] = (),
        task: str = "",
        skill: str = "",
        user: str = "",
        without: tuple[str, ...] = (),
    ) -> None:
        self.types, self.task, self.skill, self.user = tuple(types), task, skill, user
        self.without = without

    @property
    def asks_whose(self) -> bool:
        """It needs to know skill and user of tasks."""
        return bool(self.skill or self.user)

    def fits(self, event: LogEvent, whose: tuple[str, str] | None) -> bool:
        """`whose` is skill and user of the event's task, None for what is no task."""
        if event.type.startswith(self.without):
            return False
        if self.types and not any(fnmatchcase(event.type, wanted) for wanted in self.types):
            return False
        if self.task and (event.kind, event.id) != (TASKS.name, self.task):
            return False
        if not self.asks_whose:
            return True
        return whose is not None and self.skill in ("", whose[0]) and self.user in ("", whose[1])


class TaskOwners:
    """Skill and user of tasks, remembered from their first events, else asked for."""

    def __init__(self, client: "ConnectedClient") -> None:
        self._client = client
        self._known: dict[str, tuple[str, str]] = {}

    async def of(self, event: LogEvent) -> tuple[str, str] | None:
        """None for what is no task. Raises: `Unavailable`."""
        if not event.type.startswith(_OF_TASKS):
            return None
        if event.type == "task.submitted":
            self._keep(event.id, (str(event.data.get("skill", "")), str(event.data.get("user", ""))))
        if event.id not in self._known:
            try:
                spec = (await self._client.snapshot(event.id, brief=True)).state.spec
            except (NotFound, Refused):
                return None
            self._keep(event.id, ("", "") if spec is None else (spec.skill, spec.user))
        return self._known[event.id]

    def _keep(self, id: str, whose: tuple[str, str]) -> None:
        self._known[id] = whose
        if len(self._known) > _KNOWN:
            del self._known[next(iter(self._known))]


async def follow_log(
    client: "ConnectedClient", after: int | None, wanted: LogFilter, *, live: bool
) -> AsyncGenerator[LogEvent]:
    """See `ClusterClient.events`."""
    owners = TaskOwners(client)
    async for events in pages_of(client, after, live=live):
        for event in events:
            if wanted.fits(event, await owners.of(event) if wanted.asks_whose else None):
                yield event


async def pages_of(client: "ConnectedClient", after: int | None, *, live: bool) -> AsyncGenerator[list[LogEvent]]:
    """All events behind that sequence, page by page as they come; those that are there now where it is not `live`.

    Raises: `Refused`, `Unavailable`.
    """
    end = (await read_log_end(client.questions)).last_seq
    reader, name = PageReader(end if after is None else after), new_id()
    subject, busy = f"claw.query.{client.principal}.events", "this client follows the log too often at once"
    while live or reader.after < end:
        body = _encode(EventsQuestion(name, reader.after, reader.offset, waits=True))
        page = await ask_until_answered(client.requests, subject, body, page_in, _ANSWER_S, busy)
        if events := [event for record in reader.take(page) for event in events_in(record)]:
            yield events
        elif not page.records:
            await asyncio.sleep(0)


def events_in(record: Record) -> list[LogEvent]:
    """The events of a commit; one for a record that can't be read, with what is wrong as its type."""
    commit, at = DECODER.decode(record), iso(record.at_ns)
    if commit.fault:
        said = {"reason": commit.reason}
        return [
            LogEvent(record.seq, at, commit.kind, commit.id, commit.fault, said, record.by, commit.to, 0, last=True)
        ]
    told = [msgspec.to_builtins(event) for event in commit.events]
    return [
        LogEvent(
            record.seq, at, commit.kind, commit.id, data.pop("type"), data, record.by, commit.to, place,
            last=place == len(told) - 1,
        )
        for place, data in enumerate(told)
    ]  # fmt: skip
