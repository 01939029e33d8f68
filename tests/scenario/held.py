"""A cluster whose processes sign in one by one, each with the rights of its role and no more."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import pytest

from clawactors.app.client import Client
from clawactors.app.discovery import Found
from clawactors.app.identity.roles import Rights, Role, rights_of
from clawactors.app.processes.start import ControlStart, MemoryStart, NodeStart
from clawactors.app.processes.supervisor import Child
from clawactors.eventlog.jetstream import Address
from tests.scenario.claw import ROOT
from tests.servers import HOST, PASSWORD, NatsServer

USERS: Sequence[tuple[str, Role, str]] = (
    ("admin", Role.ADMIN, "admin"),
    ("c1", Role.CONTROL, "c1"),
    ("c2", Role.CONTROL, "c2"),
    ("memory", Role.MEMORY, "memory"),
    ("n1", Role.NODE, "n1"),
    ("n2", Role.NODE, "n2"),
    ("ada", Role.CLIENT, "ada"),
    ("bob", Role.CLIENT, "bob"),
    ("eve", Role.OBSERVER, "eve"),
    ("gateway", Role.GATEWAY, "gateway"),
    ("invited", Role.JOIN, "i7"),
)


INBOXES: Mapping[str, str] = {
    "c1": "_INBOX.control",
    "c2": "_INBOX.control",
    "n1": "_INBOX.node-n1",
    "n2": "_INBOX.node-n2",
    "invited": "_INBOX.join.i7",
}
"""Where a user hears answers, if not under its name."""


def permissions(rights: Rights) -> str:
    """As a server's configuration has them."""
    lists = {
        "publish": {"allow": rights.publish, "deny": rights.deny_publish},
        "subscribe": {"allow": rights.subscribe, "deny": rights.deny_subscribe},
    }
    return json.dumps({verb: {key: list(of) for key, of in each.items() if of} for verb, each in lists.items()})


def accounts() -> str:
    """A configuration with all of them as plain users."""
    users = "\n".join(
        f"    {{ user: {user}, password: {PASSWORD}, permissions: {permissions(rights_of(role, name))} }}"
        for user, role, name in USERS
    )
    return f"""
accounts {{
  CLAW {{ jetstream: enabled, users: [
{users}
  ] }}
  SYS {{ users: [{{ user: sys, password: {PASSWORD} }}] }}
}}
system_account: SYS
"""


class HeldCluster:
    """The processes by name, the server, and what both say."""

    def __init__(self, server: NatsServer, folder: Path, workers: tuple[str, ...] = ()) -> None:
        self.server, self.folder, self.workers = server, folder, workers
        self.children: dict[str, Child] = {}

    def address(self, user: str) -> Address:
        """Where that user signs in."""
        return Address.of(f"nats://{user}:{PASSWORD}@{HOST}:{self.server.port}")

    async def start(self, name: str) -> Child:
        """Returns when it is ready."""
        data, address = str(self.folder / f"data-{name}"), self.address(name)
        await asyncio.to_thread(Path(data).mkdir, exist_ok=True)
        if name.startswith("c"):
            system = Address.of(self.server.url("sys"))
            child = self._child("control", ControlStart(name=name, address=address, data=data, system=system))
        elif name == "memory":
            child = self._child("memory", MemoryStart(name="m1", address=address, data=data))
        else:
            skills = (str(Path(ROOT, "tests", "scenario", "held_skills.py")),)
            start = NodeStart(name=name, address=address, data=data, skills=skills, workers=self.workers)
            child = self._child("node", start)
        self.children[name] = child
        await child.start()
        return child

    def _child(self, module: str, start: ControlStart | MemoryStart | NodeStart) -> Child:
        log = self.folder / f"{start.name}.log"
        return Child(f"clawactors.app.processes.{module}", start, log, lambda: None, runs_skills=module == "node")

    @contextlib.asynccontextmanager
    async def client(self, name: str) -> AsyncIterator[Client]:
        """One who signed in under that name."""
        found = Found(self.address(name), "a test", self.folder)
        async with Client.of(found, user=name, principal=name) as client:
            yield client

    def violations(self) -> list[str]:
        """What the server refused, and what processes were refused."""
        said = [line for line in self.server.lines if "iolation" in line]
        for path in self.folder.glob("*.log"):
            lines = path.read_text(errors="replace").splitlines()
            said += [f"{path.name}: {line}" for line in lines if "permission" in line.lower()]
        return said


@contextlib.asynccontextmanager
async def held_cluster(
    server: NatsServer, folder: Path, *names: str, workers: tuple[str, ...] = ()
) -> AsyncIterator[HeldCluster]:
    """A cluster of these processes; they end with the block."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PYTHONPATH", ROOT)
        cluster = HeldCluster(server, folder, workers)
        try:
            await asyncio.gather(*map(cluster.start, names))
            yield cluster
        finally:
            await asyncio.gather(*(child.stop() for child in cluster.children.values()))
