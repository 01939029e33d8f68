"""A memory actor over an in-process log, with everything it needs, in the loop of the test."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from clawactors.eventlog import Draft, InProcessLog, aggregate_pattern
from clawactors.eventlog.decoding import Commit
from clawactors.eventlog.leases import InProcessLeases
from clawactors.eventlog.requests import InProcessRequests
from clawactors.kinds import DECODER, KINDS
from clawactors.memory.index.view import memory_projection
from clawactors.memory.models.parts import DEFAULT_PARTS, MemoryParts
from clawactors.memory.process import MemoryActor, MemoryPlan
from clawactors.memory.process.plan import DEFAULT_PLAN
from clawactors.projections.engine.replay import Progress
from clawactors.projections.past import build_views
from clawactors.runtime.call import Call
from clawactors.runtime.client.recording import ClientMemories
from clawactors.runtime.clock import SystemClock
from clawactors.runtime.context import ActorContext
from clawactors.runtime.dispatcher import Dispatcher
from clawactors.runtime.endpoint import CommandEndpoint
from clawactors.runtime.node.recording import WritingRecorder
from clawactors.runtime.snapshots import LogSnapshots
from clawactors.systems.chats import MessageAdded
from clawactors.systems.chats.commands import AddMessage
from clawactors.systems.chats.kind import CHATS
from clawactors.systems.memories import Content
from clawactors.systems.memories.commands import RecordMemory
from clawactors.systems.memories.kind import MEMORIES
from clawactors.systems.tasks.events import CODEC as TASK_CODEC
from clawactors.systems.tasks.events import TaskEvent
from clawactors.systems.tasks.kind import TASKS

PATIENCE_S = 30.0


class _Recorder(WritingRecorder):
    """Writes messages too, so that there are some before the memory process runs."""

    def __init__(self, context: ActorContext) -> None:
        super().__init__(context)
        self._dispatcher = context.dispatcher

    async def record(self, id: str, content: Content, *, replaces: bool = False, key: str = "") -> tuple[int, bool]:
        answer = await self._dispatcher.send(Call(MEMORIES, id, (RecordMemory(content, replaces),)))
        return answer.version, bool(answer.events)

    async def add_message(self, conversation: str, message: MessageAdded) -> None:
        await self._dispatcher.send(Call(CHATS, conversation, (AddMessage(message, conversation),)))


class Place:
    """A log, and a folder for memory's actor; `running` lets one live there."""

    def __init__(self, log: InProcessLog, folder: Path) -> None:
        self.log, self.folder = log, folder
        self.leases, self.requests = InProcessLeases(), InProcessRequests()
        self.context = ActorContext(log, SystemClock(), "client/test")
        self.memories = ClientMemories(_Recorder(self.context), self.requests)
        self.control = CommandEndpoint(Dispatcher(self.context, LogSnapshots(log)), [TASKS])
        """Decides what is asked of tasks, as a control process does."""
        self._names = iter(range(1, 1_000_000))

    @contextlib.asynccontextmanager
    async def running(
        self,
        folder: str = "memory",
        name: str = "memory",
        plan: MemoryPlan = DEFAULT_PLAN,
        parts: MemoryParts = DEFAULT_PARTS,
    ) -> AsyncIterator[MemoryActor]:
        """An actor that answers; it ends in good order with the block."""
        context = ActorContext(self.log, SystemClock(), f"memory/{name}")

        async def build(into: Path, position: int, progress: Progress) -> None:
            await build_views(self.log, into, memory_projection(), position, progress)

        requests, at = self.requests.of("memory"), self.folder / folder
        actor = MemoryActor(context, KINDS, self.leases, requests, at, plan, parts, build=build)
        await actor.listen()
        serving = asyncio.create_task(actor.serve())
        try:
            async with asyncio.timeout(PATIENCE_S):
                await actor.opened()
            yield actor
        finally:
            serving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await serving

    async def append(self, id: str, *events: TaskEvent, version: int = 0) -> int:
        """A commit of a task."""
        draft = Draft("task", id, TASK_CODEC.encode(events), f"c-{next(self._names)}")
        return await self.log.append(draft, version)

    async def history(self, id: str, *commits: tuple[TaskEvent, ...]) -> list[int]:
        """A task's commits, and their sequences."""
        versions = [0]
        for events in commits:
            versions.append(await self.append(id, *events, version=versions[-1]))
        return versions[1:]

    async def ask(self, name: str, /, **question: Any) -> Any:
        """The answer of memory."""
        return await self.memories.ask(f"memory.{name}", **question)

    async def raw(self, name: str, body: bytes) -> Any:
        """The answer to whatever bytes."""
        return json.loads(await self.requests.request(f"claw.query.memory.{name}", body, PATIENCE_S))

    async def commits(self, pattern: str) -> list[Commit]:
        """All that the log has of it."""
        return [DECODER.decode(each) async for records in self.log.read([pattern]) for each in records]

    async def commits_of(self, kind: str, id: str) -> list[Commit]:
        """All of one aggregate."""
        return await self.commits(aggregate_pattern(kind, id))


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    """An empty log and an empty folder."""
    async with InProcessLog() as log:
        made = Place(log, tmp_path)
        await made.control.open(made.requests)
        yield made
