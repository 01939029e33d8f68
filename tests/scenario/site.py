"""Three machines with a server each, control processes and nodes on them, and clients that note what they are told."""

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path
from typing import Any

from clawactors.app.client import Client
from clawactors.app.discovery import Found
from clawactors.app.processes.start import ControlStart, NodeStart
from clawactors.eventlog import EventLogError, Unavailable
from clawactors.eventlog.jetstream import Address, JetStreamLog
from clawactors.eventlog.jetstream.log import streams
from clawactors.eventlog.jetstream.wire.api import Refusal, call
from clawactors.runtime.client import TaskFailed
from clawactors.runtime.client.submitting import TaskRequest
from clawactors.systems.tasks.submission import spec_of
from tests import servers
from tests.logs import open_log
from tests.scenario.audit import Audit, read_all
from tests.scenario.limited import most_at_once
from tests.scenario.living import FEW
from tests.scenario.machines import Machine, Machines, machines
from tests.scenario.parts import Part
from tests.scenario.told import Told
from tests.waiting import until

__all__ = ["PROTECTED", "Site", "site"]

SKILLS = str(Path(__file__).with_name("living.py"))
SETTLE_S = 90.0
PROTECTED = (streams.EVENTS, streams.LIVE)
"""Whose leaders matter most: the log, and the leases."""


class Site:
    """What runs where; `told` is what its clients were told."""

    def __init__(self, folder: Path, net: Machines, three: servers.Cluster) -> None:
        self.folder, self.net, self.three, self.told = folder, net, three, Told()
        self.address = Address.of(three.url("t0"), env={})
        self.trace = folder / "trace"
        self.controls: list[Part] = []
        self.nodes: dict[str, Part] = {}
        self._numbers = itertools.count()
        self.client: Client
        self.log: JetStreamLog

    # What runs

    def control(self, machine: Machine, root: str = "") -> Part:
        """A control process there, not started yet."""
        name = f"control-{machine.name[-1]}-{next(self._numbers)}"
        data = self.folder / name
        data.mkdir()
        part = Part(ControlStart(name=name, address=self.address, data=str(data)), self.folder, machine.within)
        part.root = root or part.root
        self.controls.append(part)
        return part

    def node(self, id: str, machine: Machine | None = None, address: Address | None = None, root: str = "") -> Part:
        """A node there, or on the machine of the test, not started yet."""
        start = NodeStart(
            name=id, address=address or self.address, data=str(self.folder), skills=(SKILLS,), shared=True
        )
        part = self.nodes[id] = Part(start, self.folder, machine.within if machine else ())
        part.root = root or part.root
        return part

    def machine_of(self, server: servers.NatsServer) -> Machine:
        """Where that server runs."""
        return self.net.members[self.three.servers.index(server)]

    async def leader(self, stream: str) -> servers.NatsServer:
        """The server that leads that stream; waits until one does."""
        found: list[str] = []

        async def is_led() -> bool:
            with contextlib.suppress(Unavailable, Refusal):
                info = await call(self.client.connection, f"STREAM.INFO.{stream}")
                found[:] = [info["cluster"].get("leader", "")]
            return any(found)

        await until(is_led, f"{stream} has a leader")
        return next(server for server in self.three.servers if server.name == found[0])

    async def are_whole(self) -> bool:
        """True when each stream that matters is whole on all three: only then may the next server go."""
        try:
            for name in PROTECTED:
                cluster = (await call(self.client.connection, f"STREAM.INFO.{name}"))["cluster"]
                if not cluster.get("leader") or not all(replica["current"] for replica in cluster["replicas"]):
                    return False
        except (Unavailable, Refusal):
            return False
        return True

    # What clients do

    async def submit(self, count: int, skill: str = "plods", prefix: str = "t", **params: Any) -> list[str]:
        """That many tasks; those whose submission was acknowledged, which are noted."""
        spec = spec_of(skill, {"trace": str(self.trace), **params})
        ids = [f"{prefix}-{number}" for number in range(count)]
        acknowledged: list[str] = []
        for first in range(0, count, 100):
            requests = [TaskRequest(id, spec) for id in ids[first : first + 100]]
            with contextlib.suppress(EventLogError):
                batch = await self.client.submit_many(requests)
                assert not batch.refused, batch.refused
                acknowledged += [request.id for request in requests]
                self.told.submitted(acknowledged[-len(requests) :])
        return acknowledged

    async def hear(self, id: str, timeout_s: float = SETTLE_S) -> None:
        """Waits for that task, and notes what is told."""
        with contextlib.suppress(EventLogError, TimeoutError):
            try:
                self.told.ended(id, await self.client.ref(id).result(timeout_s=timeout_s))
            except TaskFailed as failed:
                self.told.ended(id, failed)

    async def hear_all(self, ids: Iterable[str], timeout_s: float = SETTLE_S) -> None:
        """Waits for all of them at once."""
        await asyncio.gather(*(self.hear(id, timeout_s) for id in ids))

    async def probe(self, began_s: float, patience_s: float = 60.0) -> float:
        """Seconds from `began_s` until a task that was submitted since has run, as its client is told."""
        end_s = began_s + patience_s
        while (now_s := time.monotonic()) < end_s:
            for id in await self.submit(1, prefix=f"probe-{next(self._numbers)}", steps=1, seconds=0):
                await self.hear(id, end_s - now_s)
                if id in self.told.ends:
                    return time.monotonic() - began_s
        raise AssertionError(f"no task has run within {patience_s:g} s")

    # What has to hold

    async def settle(self) -> None:
        """Returns when all that was acknowledged has ended."""
        self.net.heal()
        left: list[str] = []

        async def all_ended() -> bool:
            with contextlib.suppress(EventLogError):
                audit = await read_all(self.log)
                left[:] = self.told.open(audit.tasks)
                return not left
            return False

        try:
            await until(all_ended, "all tasks have ended", SETTLE_S)
        except AssertionError:
            lives = {id: (await self.client.snapshot(id)).state.life for id in left[:3]}
            raise AssertionError(f"{len(left)} tasks are stuck: {lives}") from None

    async def judge(self) -> Audit:
        """Fails with all that the record and the traces show to be wrong, or that was told otherwise."""
        audits: list[Audit] = []

        async def is_read() -> bool:
            with contextlib.suppress(Unavailable):
                audits.append(await read_all(self.log))
            return bool(audits)

        await until(is_read, "the log can be read")
        audit = audits[0]
        audit.check_ends()
        audit.check_traces(self.trace)
        problems = audit.problems + self.told.problems(audit.tasks)
        assert not problems, f"{len(problems)} problems: {problems[:10]}"
        assert await most_at_once(self.log, "plods-few") <= FEW
        return audit


@contextlib.asynccontextmanager
async def site(folder: Path, controls: Sequence[int] = (0, 1), nodes: int = 2, root: str = "") -> AsyncIterator[Site]:
    """Three machines; a control process on each that is named, and nodes that are spread over all.

    `root` is the checkout that these processes run, '' for this one.
    """
    with machines(3) as net:
        places = [(machine.address, machine.within) for machine in net.members]
        three = servers.Cluster(folder / "servers", servers.accounts(1), places)
        try:
            three.start()
            made = Site(folder, net, three)
            made.log = await _first_log(three.url("t0"))
            try:
                async with _run(made, controls, nodes, root):
                    yield made
            finally:
                await made.log.aclose()
        finally:
            three.kill()


@contextlib.asynccontextmanager
async def _run(made: Site, controls: Sequence[int], nodes: int, root: str) -> AsyncIterator[None]:
    members = made.net.members
    parts = [made.control(members[number], root) for number in controls]
    parts += [made.node(f"n{number}", members[number % 3], root=root) for number in range(nodes)]
    try:
        assert all(await asyncio.gather(*(part.start() for part in parts)))
        found = Found(made.address, "that of the test", made.folder)
        async with Client.of(found, user="test") as made.client:
            await until(made.are_whole, "the streams are whole on all three")
            yield
    finally:
        made.net.heal()
        for part in (*made.nodes.values(), *made.controls):
            part.thaw()
        await asyncio.gather(*(part.kill() for part in (*made.nodes.values(), *made.controls)))


async def _first_log(url: str) -> JetStreamLog:
    """The log, made once the servers have elected whoever they need."""
    opened: list[JetStreamLog] = []

    async def is_open() -> bool:
        with contextlib.suppress(Unavailable):
            opened.append(await open_log(url, "test"))
        return bool(opened)

    await until(is_open, "the servers have elected whoever they need")
    return opened[0]
