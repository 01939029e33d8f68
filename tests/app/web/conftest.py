"""A cluster in memory, and the HTTP API in front of it."""

from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path

import httpx
import pytest
from litestar import Litestar

from clawactors import Task, skill
from clawactors.app.web.application import routed_application
from clawactors.app.web.guard import Guard
from clawactors.app.web.keyring import KeyRing
from clawactors.app.weblogin import WebLogin
from clawactors.runtime.client import ClusterClient
from clawactors.testing import Cluster


@skill("echo")
async def echo(task: Task, text: str) -> str:
    return text


@skill("fail")
async def fail(task: Task, text: str = "") -> None:
    raise ValueError(text)


@skill("talk")
async def talk(task: Task, text: str = "") -> None:
    await task.emit(1)
    await task.emit({"<b>": 2})


PORT = 8420
URL = f"http://127.0.0.1:{PORT}"


class Clients:
    """The clients of a test cluster, one a user. The application is made once; each test has its own cluster."""

    def __init__(self) -> None:
        self._known: dict[str, ClusterClient] = {}

    def begin(self, cluster: Cluster) -> None:
        self._cluster, self._known = cluster, {"": cluster.client}

    async def client(self, user: str = "", principal: str = "") -> ClusterClient:
        who = user or principal
        if who not in self._known:
            self._known[who] = self._cluster.connect(who)
        return self._known[who]


CLIENTS = Clients()


@cache
def application() -> Litestar:
    return routed_application(CLIENTS, None, None, PORT)  # type: ignore[arg-type]


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with Cluster([echo, fail, talk]) as cluster:
        CLIENTS.begin(cluster)
        yield cluster


@pytest.fixture
def login(tmp_path: Path) -> WebLogin:
    return WebLogin(tmp_path)


def guarded(login: WebLogin) -> httpx.AsyncClient:
    """Who asks the application by way of its guard."""
    keys = KeyRing(CLIENTS.client)
    application().state.login, application().state.keyring = login, keys
    return httpx.AsyncClient(transport=httpx.ASGITransport(Guard(application(), login, keys, PORT)), base_url=URL)


@pytest.fixture
async def browser(cluster: Cluster, login: WebLogin) -> AsyncIterator[httpx.AsyncClient]:
    """One that has not signed in."""
    async with guarded(login) as client:
        yield client


@pytest.fixture
async def http(browser: httpx.AsyncClient, login: WebLogin) -> httpx.AsyncClient:
    """A script of the owner's."""
    browser.headers["Authorization"] = f"Bearer {login.token}"
    browser.base_url = httpx.URL(f"{URL}/api/v1")
    return browser
