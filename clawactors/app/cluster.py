"""A cluster on this machine: server, control, memory, nodes, in one data folder, under one supervisor."""

import asyncio
import contextlib
import logging
import os
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from clawactors.app.clusterplan import ClusterPlan
from clawactors.app.datafolder import DataFolder
from clawactors.app.identity.keeping import serve_admissions
from clawactors.app.identity.roles import Role
from clawactors.app.layers import layers_of
from clawactors.app.machinename import machine_name
from clawactors.app.processes.start import ChatStart, ControlStart, MemoryStart, NodeStart, WebStart
from clawactors.app.processes.supervisor import Child
from clawactors.app.runfile import Pids, Run, remove_run, write_run
from clawactors.app.server import NatsServer
from clawactors.app.server.config import ServerLink
from clawactors.app.upkeep.mirror import mirror_streams, take_over
from clawactors.app.webport import port_of, url_at
from clawactors.eventlog import Misconfigured
from clawactors.eventlog.jetstream import Address
from clawactors.version import VERSION

__all__ = ["ClusterSupervisor"]

_log = logging.getLogger(__name__)


class ClusterSupervisor:
    """Runs between `start` and `stop`, or in an `async with`; the processes die with this one, however it ends."""

    def __init__(self, path: Path, plan: ClusterPlan, lock: int | None = None) -> None:
        """`lock` is that of the data folder, where this process holds it already."""
        self.path, self.plan, self._lock = path, plan, lock
        self.server: NatsServer | None = None
        self.control: Child | None = None
        self.memory: Child | None = None
        self.web: Child | None = None
        self.chat: Child | None = None
        self.nodes: dict[str, Child] = {}
        self.address = plan.address or Address(urls=())
        """Where this machine's own commands connect, and how they sign in."""
        self._system: Address | None = None
        self._folder: DataFolder | None = None
        self._watching: list[asyncio.Task[None]] = []
        self._admitting: asyncio.Task[None] | None = None
        self._started_at = datetime.now(UTC).isoformat(timespec="seconds")
        self._up = False

    @property
    def nats_url(self) -> str:
        """Where any NATS client connects, with the password or token that there is."""
        return self.server.access.url if self.server else self.address.text

    def _address_of(self, role: Role, name: str) -> Address:
        """Where a process connects; at our own server with credentials of its role."""
        return self.server.access.address(role, name) if self.server else self.address

    @property
    def run(self) -> Run:
        """Addresses and process ids, as they are now."""
        return Run(
            pid=self._pid,
            nats_url=self.nats_url,
            server=self.address,
            sys_url=self.server.access.sys_url if self.server else "",
            system=self._system,
            join_urls=self.server.access.urls if self.server else (),
            started_at=self._started_at,
            version=VERSION,
            mirror=self.plan.mirror.rpartition("@")[2],
            http=url_at(port_of(self.plan.web)) if self.plan.web and self.web else "",
            pids=Pids(
                server=self.server.pid if self.server else 0,
                control=self.control.pid if self.control else 0,
                memory=self.memory.pid if self.memory else 0,
                web=self.web.pid if self.web else 0,
                chat=self.chat.pid if self.chat else 0,
                nodes={id: child.pid for id, child in self.nodes.items()},
            ),
        )

    async def start(self) -> None:
        """Returns when everything is ready; on any failure everything is stopped again.

        Raises: `Misconfigured` (`InUse` for a second one on the same data), `Unavailable`, `Refused`.
        """
        self._pid = os.getpid()
        lock, self._lock = self._lock, None
        self._folder = DataFolder.claim(self.path, lock)
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def _start(self) -> None:
        folder, plan = self._folder, self.plan
        if folder is None:
            raise RuntimeError("the data folder is not claimed")
        logs = self.path / "logs"
        logs.mkdir(exist_ok=True)
        if plan.address is None:
            self.server = NatsServer(
                folder, port=plan.port, link=ServerLink(plan.mirror, plan.standby), listening=plan.listening
            )
            await self.server.start()
            self.address, self._system = self.server.access.address(), self.server.access.sys_address
            self._watch(self.server.supervise(self._note))
        if plan.standby:
            self._up = True
            self._note()
            return
        if plan.takes_over:
            await take_over(self.address)
        data, at = str(self.path), self._address_of
        # Read once: a file that is broken later keeps no process from being started again.
        given = layers_of(self.path, plan.given)
        control = ControlStart(
            name=self._control_name(), address=at(Role.CONTROL, "control"), system=self._system, data=data, given=given
        )
        self.control = Child("clawactors.app.processes.control", control, logs / "control.log", self._note)
        memory = MemoryStart(
            name="memory",
            address=at(Role.MEMORY, "memory"),
            data=data,
            given=given,
            config=plan.memory_config,
        )
        self.memory = Child("clawactors.app.processes.memory", memory, logs / "memory.log", self._note)
        if plan.web is not None:
            # One socket for all lives of the child: nobody else takes the port between them.
            fd = plan.web.fileno()
            web = WebStart(name="web", address=at(Role.GATEWAY, "web"), data=data, listening=fd)
            self.web = Child("clawactors.app.processes.web", web, logs / "web.log", self._note, inherits=(fd,))
        if plan.chat:
            chat = ChatStart(name="chat", address=at(Role.GATEWAY, "chat"), data=data, token_file=plan.chat)
            self.chat = Child("clawactors.app.processes.chat", chat, logs / "chat.log", self._note)
        for number in range(1, plan.nodes + 1):
            id = f"n{number}"
            start = NodeStart(
                name=id,
                address=at(Role.NODE, id),
                data=data,
                given=given,
                skills=plan.skills,
                allow=plan.allow,
                workers=plan.workers,
                secrets=plan.secrets,
                shared=plan.address is not None or plan.listening is not None,
            )
            self.nodes[id] = Child(
                "clawactors.app.processes.node", start, logs / f"{id}.log", self._note, runs_skills=True
            )
        await asyncio.gather(*(child.start() for child in self._children()))
        for child in self._children():
            self._watch(child.supervise(restart=plan.restart))
        if self.server:
            self._admitting = asyncio.create_task(serve_admissions(self.server.access, data))
            self._watch(self.server.renew())
        if plan.mirror:
            self._watch(mirror_streams(self.address))
        self._up = True
        self._note()

    def _control_name(self) -> str:
        """At a server of others there may be more than one, so each says where it runs."""
        return f"control-{machine_name()}-{self._pid}" if self.plan.address else "control"

    def _children(self) -> Sequence[Child]:
        return [
            child
            for child in (self.control, self.memory, self.web, self.chat, *self.nodes.values())
            if child is not None
        ]

    def _watch(self, work: Coroutine[None, None, None]) -> None:
        self._watching.append(asyncio.create_task(work))

    def _note(self) -> None:
        if self._up and self._folder is not None:
            try:
                write_run(self._folder, self.run)
            except (OSError, Misconfigured) as error:  # a full disk must not keep a process from being started again
                _log.error("the process ids in run.json are not those of now: %s", error)

    async def stop(self) -> None:
        """Nodes hand back their work, then memory and control end, then the server. Again is harmless."""
        self._up = False
        await asyncio.gather(*(child.stop() for child in self.nodes.values()))
        for child in (self.chat, self.web, self.memory, self.control):
            if child is not None:
                await child.stop()
        if self._admitting is not None:  # it is no news to it that the server ends
            self._admitting.cancel()
            await asyncio.gather(self._admitting, return_exceptions=True)
        if self.server is not None:
            await self.server.stop()
        for task in self._watching:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*self._watching, return_exceptions=True)
        self._watching.clear()
        if self._folder is not None:
            remove_run(self._folder)
            self._folder.release()
            self._folder = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
