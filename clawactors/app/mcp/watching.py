"""Tells clients what has changed: the tools where skills come and go, resources that they have subscribed to.

1. Nothing is asked of the cluster unless skills are exported, or somebody has subscribed.
2. Clients of the handshake are told on their connection, stateless ones on the streams that they listen on.
"""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Final

import msgspec
from mcp.server.session import ServerSession
from mcp.server.subscriptions import InMemorySubscriptionBus, ResourceUpdated, ToolsListChanged

from clawactors.app.mcp.exports import ExportedSkill, exported_skills
from clawactors.app.mcp.link import ClientSource
from clawactors.app.mcp.options import McpOptions
from clawactors.app.mcp.resources import task_in
from clawactors.eventlog import EventLogError
from clawactors.kernel.errors import Refused

__all__ = ["ChangeWatch"]

_log = logging.getLogger(__name__)

_LOOK_S: Final = 1.0
_URIS_MAX: Final = 200


class ChangeWatch:
    """`bus` is what stateless clients hear; `exported` are the skills as tools, at the last look, by name."""

    def __init__(self, source: ClientSource, options: McpOptions, look_s: float = _LOOK_S) -> None:
        self._source, self._options, self._look_s = source, options, look_s
        self.bus = InMemorySubscriptionBus()
        self.exported: dict[str, ExportedSkill] = {}
        self._shapes: bytes = b""
        self._sessions: dict[str, ServerSession] = {}
        self._followed: dict[str, set[str]] = {}
        self._listened: Counter[str] = Counter()
        self._versions: dict[str, int] = {}

    # Who is told

    def add_session(self, key: str, session: ServerSession) -> None:
        """A client of the handshake, from now on until its connection ends."""
        self._sessions[key] = session
        # The SDK says nowhere else that a connection has ended; without it the entry stays until a message fails.
        if (connection := getattr(session, "_connection", None)) is not None:
            connection.exit_stack.callback(self.remove, key)

    async def subscribe(self, key: str, uri: str) -> None:
        """That client wants to hear of changes of the resource from now on. Raises: `Refused` for too many."""
        followed = self._followed.setdefault(key, set())
        if len(followed) >= _URIS_MAX:
            raise Refused(f"a client subscribes to {_URIS_MAX} resources at most")
        followed.add(uri)
        await self._look_first(uri)

    def unsubscribe(self, key: str, uri: str) -> None:
        """That client has heard enough of the resource."""
        self._followed.get(key, set()).discard(uri)

    @contextlib.asynccontextmanager
    async def listening(self, uris: Iterable[str]) -> AsyncIterator[None]:
        """A stateless client listens to these resources for as long as the block lasts."""
        some = list(uris)[:_URIS_MAX]
        self._listened.update(some)
        try:
            for uri in some:
                await self._look_first(uri)
            yield
        finally:
            self._listened.subtract(some)
            self._listened += Counter()  # drops those that nobody listens to

    async def _look_first(self, uri: str) -> None:
        """What the resource is like now: who reads it and then subscribes misses nothing."""
        with contextlib.suppress(EventLogError):
            self._versions.setdefault(uri, await self._version(uri))

    # Looking

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Looks again and again for as long as the block lasts."""
        looking = asyncio.create_task(self._run())
        try:
            yield
        finally:
            looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await looking

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._look_s)
            try:
                await self.refresh()
                await self._look_at_tasks()
            except (EventLogError, Refused) as error:
                _log.debug("not looked for changes: %s", error)
            except Exception:
                _log.exception("looking for changes failed")

    async def refresh(self) -> None:
        """Reads which skills there are, and tells clients where that has changed. Raises: `Unavailable`."""
        if not self._options.export or self._options.read_only:  # a skill may change anything
            return
        client = await self._source.client()
        rows, leave = await client.skills_known(), self._options.leave_running
        found = exported_skills(self._options.export, rows, leave_running=leave)
        self.exported = dict(sorted(found.items()))
        shapes = msgspec.json.encode(
            [[each.name, each.description, each.input_schema] for each in self.exported.values()]
        )
        if shapes != self._shapes:
            self._shapes = shapes
            await self.bus.publish(ToolsListChanged())
            await self._tell(lambda session: session.send_tool_list_changed(), list(self._sessions))

    async def _look_at_tasks(self) -> None:
        followed = {uri for uris in self._followed.values() for uri in uris} | set(self._listened)
        self._versions = {uri: version for uri, version in self._versions.items() if uri in followed}
        for uri in followed:
            version = await self._version(uri)
            if self._versions.setdefault(uri, version) != version:
                self._versions[uri] = version
                await self._publish(uri)

    async def _version(self, uri: str) -> int:
        if not (id := task_in(uri)):
            return 0
        try:
            return (await (await self._source.client()).snapshot(id, brief=True)).version
        except Refused:  # not there yet
            return -1

    async def _publish(self, uri: str) -> None:
        await self.bus.publish(ResourceUpdated(uri))
        keys = [key for key, uris in self._followed.items() if uri in uris]
        await self._tell(lambda session: session.send_resource_updated(uri), keys)

    async def _tell(self, send: Callable[[ServerSession], Awaitable[None]], keys: Iterable[str]) -> None:
        for key in keys:
            if (session := self._sessions.get(key)) is None:
                continue
            try:
                await send(session)
            except Exception:  # whatever a connection that is gone raises
                self.remove(key)

    def remove(self, key: str) -> None:
        """That client has gone. Order: idempotent."""
        self._sessions.pop(key, None)
        self._followed.pop(key, None)
