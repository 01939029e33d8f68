"""A cluster in one event loop: controls, nodes and clients on one log in memory, each on a link of its own.

A process is a name: what it starts runs under that name, so `kill` can end all of it.
"""

import asyncio
import contextlib
import itertools
import random
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextvars import ContextVar
from typing import Any, Final, Self

from clawactors.eventlog import InProcessLog, Unavailable
from clawactors.eventlog.blobs import InProcessBlobs
from clawactors.eventlog.commands import InProcessCommands
from clawactors.eventlog.dead import InProcessDeadLetters
from clawactors.eventlog.inprocess import Fault
from clawactors.eventlog.leases import InProcessLeases
from clawactors.eventlog.outputs import InProcessOutputs
from clawactors.eventlog.requests import InProcessRequests
from clawactors.eventlog.sealedoutputs import SealedOutputs
from clawactors.eventlog.timers import InProcessTimers
from clawactors.kernel.kind import Kinds
from clawactors.kernel.principals import node_principal
from clawactors.kinds import KINDS
from clawactors.runtime.client import ClusterClient
from clawactors.runtime.client.sender import DEADLINE_S
from clawactors.runtime.clock import Clock, SystemClock
from clawactors.runtime.context import ActorContext
from clawactors.runtime.control import Control
from clawactors.runtime.control.inprocess import InProcessViews
from clawactors.runtime.control.ports import Views
from clawactors.runtime.node.node import NodeActor, NodeSettings
from clawactors.runtime.node.secrets import Secrets
from clawactors.runtime.node.supplies import Supplies
from clawactors.systems.skills import Skill
from clawactors.testing.link import Link

__all__ = ["InProcessCluster", "is_in_process"]

_KILLS: Final = 20
"""Code that goes on after so many cancels is left behind."""

_process: ContextVar[tuple[object, str] | None] = ContextVar("process", default=None)


def is_in_process() -> bool:
    """True in what a process of an in-process cluster runs, as the code of a task; false in a test."""
    return _process.get() is not None


class InProcessCluster:
    """What processes share, and the processes by name. Leaving it ends whatever still runs.

    With a `seed`, calls interleave in many ways, the same for the same seed.
    """

    link_type: type[Link] = Link

    def __init__(
        self,
        clock: Clock | None = None,
        seed: int | None = None,
        log: type[InProcessLog] = InProcessLog,
        kinds: Kinds = KINDS,
    ) -> None:
        self.kinds = kinds
        self.clock = clock or SystemClock()
        self.log = log(self.clock.now_ns)
        self.leases, self.requests = InProcessLeases(self.clock.monotonic_s), InProcessRequests()
        self.dead, self.timers = InProcessDeadLetters(), InProcessTimers(self.clock.now_ns)
        self.blobs, self.outputs = InProcessBlobs(self.clock.now_ns), SealedOutputs(InProcessOutputs(), self.log.sealer)
        self.commands_in = InProcessCommands()
        self.chance = None if seed is None else random.Random(seed)  # noqa: S311 - for tests
        self.links: dict[str, Link] = {}
        self.contexts: dict[str, ActorContext] = {}
        self.fault: Fault | None = None
        self.read_fault: Callable[[], None] | None = None
        self.before_request: Callable[[str], Awaitable[None]] | None = None
        """What links that are made from now on begin with."""
        self.controls: dict[str, Control] = {}
        self.nodes: dict[str, NodeActor] = {}
        self.mains: dict[str, asyncio.Task[None]] = {}
        self._names = itertools.count(1)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for name in list(self.links):
            await self.kill(name)
        await self.log.aclose()

    def link(self, name: str) -> Link:
        """A new way in for the process of that name."""
        chance = self.chance and random.Random(self.chance.random())  # noqa: S311 - for tests
        link = self.links[name] = self.link_type(self.log, self.leases, self.requests, chance)
        if self.fault is not None:
            link.fault = self.fault
        if self.read_fault is not None:
            link.read_fault = self.read_fault
        link.before_request = self.before_request
        return link

    def context(self, name: str, by: str = "", node: str = "") -> ActorContext:
        """The context of a new process; its link is in `links`."""
        context = self.contexts[name] = ActorContext(self.link(name), self.clock, by or name, node)
        return context

    def spawn(self, process: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Runs it, and whatever it starts, as a part of that process."""
        token = _process.set((self, process))
        try:
            return asyncio.create_task(work)
        finally:
            _process.reset(token)

    async def control(self, name: str = "", views: Views | None = None, **settings: Any) -> Control:
        """A control process that runs."""
        name = name or f"control/{next(self._names)}"
        context = self.context(name, f"{name}/{next(self._names)}")
        link = self.links[name]
        control = self.controls[name] = Control(
            context,
            link,
            link,
            views or self.views(),
            self.dead,
            self.timers,
            self.commands_in,
            self.blobs,
            self.outputs,
            self.kinds,
            self.log.sealer,
            **settings,
        )
        self.mains[name] = self.spawn(name, control.serve())
        return control

    def views(self) -> Views:
        """What a control process feeds where it is given nothing else."""
        return InProcessViews(self.kinds, self.log)

    async def node(
        self,
        id: str,
        skills: Iterable[Skill],
        slots: int = 5,
        *,
        as_process: str = "",
        secrets: Secrets | None = None,
        **settings: Any,
    ) -> NodeActor:
        """A node that runs. Raises: as `NodeActor.start`; `Unavailable` when it was killed meanwhile."""
        name = as_process or f"node/{id}"
        context = self.context(name, f"{name}/{next(self._names)}", node=id)
        link = self.links[name]
        link.ask_as(node_principal(id))
        supplies = Supplies(self.blobs, self.outputs, secrets)
        node = NodeActor(context, link, link, NodeSettings(id=id, slots=slots, **settings), skills, supplies)
        started = asyncio.Event()

        async def life() -> None:
            await node.start()
            started.set()
            await node.serve()

        main = self.mains[name] = self.spawn(name, life())
        on = asyncio.ensure_future(started.wait())
        await asyncio.wait((main, on), return_when=asyncio.FIRST_COMPLETED)
        on.cancel()
        if not started.is_set():
            if main.cancelled():
                raise Unavailable(f"node {id} was killed while it started")
            main.result()
        self.nodes[id] = node
        return node

    def client(self, name: str = "", *, timeout_s: float = DEADLINE_S) -> ClusterClient:
        """A client."""
        name = name or f"client/{next(self._names)}"
        context = self.context(name)
        link = self.links[name]
        link.ask_as(context.by.partition("/")[2] or context.by)
        return ClusterClient(context, link, timeout_s)

    async def kill(self, name: str) -> None:
        """Ends the process as SIGKILL would: from now on it reaches nothing, and none of its code goes on."""
        if (link := self.links.pop(name, None)) is not None:
            link.unplug()
        self.contexts.pop(name, None)
        for _ in range(_KILLS):
            running = [task for task in asyncio.all_tasks() if task.get_context().get(_process) == (self, name)]
            if not running:
                break
            for task in running:
                task.cancel()
            await asyncio.wait(running, timeout=1)
        if (main := self.mains.pop(name, None)) is not None and main.done():
            with contextlib.suppress(asyncio.CancelledError, BaseException):
                main.result()
