"""The test cluster that users hold: control, nodes and a client in the event loop of the test."""

import asyncio
import logging
import random
from collections.abc import Coroutine, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Self

from clawactors.app.projections import CLUSTER
from clawactors.app.questions import answer_questions, heartbeat_of
from clawactors.app.skills.extract import extract
from clawactors.eventlog import Draft, Unavailable
from clawactors.eventlog.inprocess import FaultPoint
from clawactors.kernel.errors import NotFound, Refused
from clawactors.kernel.principals import principal_of
from clawactors.kernel.time import time_ns
from clawactors.runtime.call import Call
from clawactors.runtime.client import ClusterClient
from clawactors.runtime.control import Control
from clawactors.runtime.node.secrets import Secrets
from clawactors.runtime.node.sleep import seconds_of
from clawactors.systems.nodes import commands as nc
from clawactors.systems.nodes.kind import NODES
from clawactors.systems.skills import Skill, checked_skills
from clawactors.testing.clock import VirtualClock
from clawactors.testing.inprocess import InProcessCluster
from clawactors.testing.memory import LazyMemory
from clawactors.testing.timeline import Timeline, WaitingRequests, leader_of
from clawactors.testing.views import QueriedViews

__all__ = ["Cluster"]

_LOOK_S: Final = 0.001
_log = logging.getLogger(__name__)


class Cluster:
    """`async with Cluster(skills=[…]) as cluster:`, or `with` in a test that is not async.

    Everything runs in the event loop of the test, in memory: no server, no network, no files. `start` is the time at
    which the cluster begins, RFC 3339 or a `datetime`, by default now. The `seed` decides what is left to chance.
    """

    client: ClusterClient
    """A client of this cluster, as `clawactors.Client` is one of a real cluster; it acts for no user."""

    def __init__(
        self,
        skills: Iterable[Skill] = (),
        *,
        nodes: int = 1,
        slots: int = 5,
        seed: int = 0,
        start: str | datetime | None = None,
        secrets: Mapping[str, str] | None = None,
    ) -> None:
        if nodes < 0 or slots < 1:
            raise ValueError(f"a cluster has 0 or more nodes of 1 or more slots, not {nodes} of {slots}")
        self._skills, self._ids, self._slots = checked_skills(skills), [f"n{n + 1}" for n in range(nodes)], slots
        self._seed, self._secrets = seed, Secrets(secrets)
        self._clock = VirtualClock(seed, None if start is None else _ns(start))
        self._losses = random.Random(seed)  # noqa: S311 - for tests
        self._lost_share = 0.0
        self._clients: list[ClusterClient] = []
        self._open_requests = 0
        self._runner: asyncio.Runner | None = None
        self._moving: asyncio.Task[None] | None = None

    # Coming and going

    async def __aenter__(self) -> Self:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            raise RuntimeError(
                "a test cluster runs on asyncio: with anyio, let the fixture anyio_backend return 'asyncio'"
            ) from None
        self._host = InProcessCluster(self._clock, self._seed)
        self._host.fault = self._fault
        self._memory = LazyMemory(self._host)
        self._host.before_request = self._memory.before_request
        self._timeline = Timeline(self._host, self._clock, self._is_asked)
        try:
            await self._start_control()
            for id in self._ids:
                await self.start_node(id)
            self.client = self._connect("test")
            self._moving = asyncio.create_task(self._timeline.serve())
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        dead = [name for name, main in self._host.mains.items() if main.done()]
        await self._close()
        if dead:
            raise RuntimeError(
                f"processes of the test cluster have ended by themselves: {', '.join(dead)}; see the log"
            )

    async def _close(self) -> None:
        if self._moving is not None:
            self._moving.cancel()
        for client in self._clients:
            client.close()
        await self._host.__aexit__()
        self._memory.close()

    def __enter__(self) -> Self:
        self._runner = asyncio.Runner()
        try:
            return self._runner.run(self.__aenter__())
        except BaseException:
            self._runner.close()
            raise

    def __exit__(self, *_: object) -> None:
        if self._runner is not None:
            try:
                self._runner.run(self.__aexit__())
            finally:
                self._runner.close()

    def run[T](self, work: Coroutine[Any, Any, T]) -> T:
        """Runs it to its end, in a test that is not async; between two calls the cluster stands still."""
        if self._runner is None:
            work.close()
            raise RuntimeError("run is for tests that are not async, in `with Cluster(…)`; in others, await it")
        return self._runner.run(work)

    # Clients

    def connect(self, user: str) -> ClusterClient:
        """One more client, which acts for that user. It is closed with the cluster."""
        return self._connect(principal_of(user), user)

    def _connect(self, principal: str, user: str = "") -> ClusterClient:
        context, link = self._host.context(name := f"client/{principal}"), self._host.links[name]
        link.ask_as(principal)
        self._clients.append(ClusterClient(context, WaitingRequests(link, self._count), user=user))
        return self._clients[-1]

    def _is_asked(self) -> bool:
        return self._open_requests > 0 or any(client.ends.are_awaited for client in self._clients)

    def _count(self, more: int) -> None:
        self._open_requests += more
        self._timeline.wake()

    # Time

    @property
    def now(self) -> datetime:
        """The time in the cluster, UTC."""
        return datetime.fromtimestamp(self._clock.now_ns() / 1e9, UTC)

    async def sleep(self, how_long: str | float) -> None:
        """Lets `7d`, `1h30m` or a number of seconds pass; returns when all that was due has happened."""
        await self._timeline.pass_until(self._clock.now_ns() + int(seconds_of(how_long) * 1e9))

    async def settle(self) -> None:
        """Returns when nothing happens any more unless time passes or somebody acts: tasks have ended, or wait."""
        await self._timeline.settle()

    # Processes, and what goes wrong

    @property
    def nodes(self) -> list[str]:
        """The ids of the nodes that run."""
        return sorted(self._host.nodes)

    async def start_node(self, id: str, skills: Iterable[Skill] | None = None, *, slots: int | None = None) -> None:
        """Starts a node, one that was killed or a new one, by default with the skills and slots of the others."""
        if id in self._host.nodes:
            raise Refused(f"node {id} runs already")
        skills = self._skills if skills is None else checked_skills(skills)
        while True:
            try:
                await self._host.node(id, [*skills, extract], slots or self._slots, secrets=self._secrets)
            except Unavailable:  # its join was not acknowledged
                await self._host.kill(f"node/{id}")
            else:
                return

    async def kill_node(self, id: str) -> None:
        """Ends the node as SIGKILL would; the others take over its tasks. Threads of its code run on, unheard."""
        incarnation = self._running(id).incarnation
        del self._host.nodes[id]
        await self._host.kill(f"node/{id}")
        leader = await self._leader()
        while True:
            try:
                await leader.dispatcher.send(Call(NODES, id, (nc.LoseNode(incarnation, "it was killed"),)))
            except Unavailable:
                leader = await self._leader()
            else:
                return

    async def stop_node(self, id: str) -> None:
        """Stops the node as a deploy does: it hands its tasks back and leaves."""
        node = self._running(id)
        node.stop()
        await self._host.mains[f"node/{id}"]
        del self._host.nodes[id]
        await self._host.kill(f"node/{id}")

    def _running(self, id: str) -> Any:
        if id not in self._host.nodes:
            raise NotFound(f"no node {id!r} runs here; those that do: {', '.join(self.nodes) or 'none'}")
        return self._host.nodes[id]

    async def restart_control(self) -> None:
        """Kills the control process and starts another, which leads when this returns."""
        for name in list(self._host.controls):
            link = self._host.links[name]
            del self._host.controls[name]
            await self._host.kill(name)
            await link.expire()
        await self._start_control()

    async def _start_control(self) -> None:
        views = QueriedViews(self._host.kinds, self._clock, lambda node: heartbeat_of(control, node), self._host.log)
        control = await self._host.control(views=views)
        await answer_questions(control, views.answer, CLUSTER)
        await self._leader()

    async def _leader(self) -> Control:
        while True:
            if (leader := leader_of(self._host)) is not None:
                return leader
            await asyncio.sleep(_LOOK_S)

    def lose_acknowledgements(self, share: float) -> None:
        """From now on this share of appends is stored, and who appended is not told; 0 ends it.

        Raises: `ValueError` for what is no share.
        """
        if not 0 <= share < 1:
            raise ValueError(f"a share of appends is from 0 to less than 1, not {share!r}")
        self._lost_share = share

    def _fault(self, point: FaultPoint, draft: Draft) -> None:
        if point == "after" and self._lost_share and self._losses.random() < self._lost_share:
            raise Unavailable(f"the acknowledgement of an append to {draft.aggregate} was lost")


def _ns(at: str | datetime) -> int:
    return time_ns(at) if isinstance(at, str) else int(at.timestamp() * 1e9)
