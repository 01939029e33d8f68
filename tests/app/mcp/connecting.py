"""Connects clients of the SDK to the server, in the process of the test, as clients of both generations do."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import anyio
from mcp import Client
from mcp.shared.memory import create_client_server_memory_streams
from mcp_types import CallToolResult

from clawactors.app.mcp.options import McpOptions
from clawactors.app.mcp.server import McpService
from clawactors.app.skills.approval import ask_approval
from clawactors.runtime.client import ClusterClient
from clawactors.systems.skills import Skill
from clawactors.testing import Cluster

MODES = ("legacy", "auto")
PATIENCE_S = 10.0


class Fixed:
    """A client that is always there."""

    def __init__(self, client: ClusterClient) -> None:
        self._client = client

    async def client(self) -> ClusterClient:
        return self._client


class ServerStreams:
    """The transport of a client whose server runs as `claw mcp` runs it on standard input."""

    def __init__(self, service: McpService) -> None:
        self._service, self.ended = service, asyncio.Event()

    async def _serve(self, read: Any, write: Any) -> None:
        try:
            await self._service.server.run(read, write, self._service.initialization)
        finally:
            self.ended.set()

    async def hang_up(self) -> None:
        """Goes away as a client that was killed; returns when the server has noticed."""
        await self._writes.aclose()
        await self.ended.wait()

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Any]:
        async with create_client_server_memory_streams() as (client, server), anyio.create_task_group() as group:
            self._writes = client[1]
            group.start_soon(self._serve, *server)
            try:
                yield client
            finally:
                await client[1].aclose()
                await client[0].aclose()

    async def __aenter__(self) -> Any:
        self._held = self._open()
        return await self._held.__aenter__()

    async def __aexit__(self, *error: object) -> None:
        await self._held.__aexit__(*error)


class Bench:
    """A cluster in memory and a server of it."""

    def __init__(self, cluster: Cluster, options: McpOptions) -> None:
        self.cluster, self.options = cluster, options
        self.person = cluster.connect("ada")
        self.agent = cluster.connect(options.user)
        self.service = McpService(Fixed(self.agent), options)

    def connect(self, mode: str = "legacy", **callbacks: Any) -> Client:
        return Client(ServerStreams(self.service), mode=mode, cache=None, **callbacks)


@asynccontextmanager
async def bench(skills: Iterable[Skill] = (), *, nodes: int = 1, **options: Any) -> AsyncIterator[Bench]:
    async with Cluster([ask_approval, *skills], nodes=nodes) as cluster:
        yield Bench(cluster, McpOptions(**options))


def said(result: CallToolResult) -> str:
    """The text of an answer."""
    (content,) = result.content
    return str(content.text)


def data(result: CallToolResult) -> Any:
    """The structured answer of a call that went well."""
    assert not result.is_error, said(result)
    return result.structured_content
