"""A cluster in memory, and the HTTP API in front of it."""

from collections.abc import AsyncIterator

import httpx
import pytest

from clawactors import Task, skill
from clawactors.app.web.application import web_application
from clawactors.runtime.client import ClusterClient
from clawactors.testing import Cluster


@skill("echo")
async def echo(task: Task, text: str) -> str:
    return text


@skill("fail")
async def fail(task: Task, text: str = "") -> None:
    raise ValueError(text)


class Clients:
    """The clients of a test cluster, one a user."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._known: dict[str, ClusterClient] = {"": cluster.client}

    async def client(self, user: str = "") -> ClusterClient:
        if user not in self._known:
            self._known[user] = self._cluster.connect(user)
        return self._known[user]


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with Cluster([echo, fail]) as cluster:
        yield cluster


@pytest.fixture
async def http(cluster: Cluster) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(web_application(Clients(cluster)))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1/api/v1") as client:
        yield client
