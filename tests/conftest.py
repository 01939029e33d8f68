"""What tests of several folders share: a log of every kind, and a real server that comes with the install."""

import itertools
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from clawactors.eventlog import EventLog, InProcessLog
from clawactors.eventlog.jetstream import JetStreamLog
from tests.logs import open_log
from tests.servers import NatsServer, accounts, running

pytest_plugins = ["clawactors.testing.plugin"]
"""An install brings it by its entry point; a checkout on the path does not."""

_accounts = itertools.count()
_SOAK_S = 3600
"""How long a soak may take before it counts as hanging; the others have the limit of `pyproject.toml`."""

# A shell starts what it runs in the background with Ctrl-C ignored, and children would inherit that.
for number in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Gives soaks the time that they need."""
    for item in items:
        if item.get_closest_marker("soak") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(_SOAK_S))


@pytest.fixture(scope="session")
def nats_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """One server for the whole run; every test takes an account of its own in it."""
    with running(tmp_path_factory.mktemp("nats"), accounts()) as server:
        yield server


@pytest.fixture
def nats_url(nats_server: NatsServer) -> str:
    """The address of an empty account of a running server."""
    return nats_server.url(f"t{next(_accounts)}")


@pytest.fixture(params=["inprocess", pytest.param("jetstream", marks=pytest.mark.nats)])
async def log(request: pytest.FixtureRequest) -> AsyncIterator[EventLog]:
    """An empty log: the test runs once for each adapter."""
    if request.param == "inprocess":
        async with InProcessLog() as inprocess:
            yield inprocess
    else:
        async with await open_log(request.getfixturevalue("nats_url"), "test") as jetstream:
            yield jetstream


@pytest.fixture
async def jetstream_log(nats_url: str) -> AsyncIterator[JetStreamLog]:
    """An empty log on a real server."""
    async with await open_log(nats_url, "test") as jetstream:
        yield jetstream


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Callable[..., NatsServer]]:
    """Starts servers that a test may kill or configure; they end with the test."""
    started: list[NatsServer] = []

    def start(more: str = "", jetstream: bool = True, sync: str = "always") -> NatsServer:
        folder = tmp_path / f"server-{len(started)}"
        folder.mkdir()
        server = NatsServer(folder, more, jetstream, sync=sync)
        started.append(server)
        return server.start()

    yield start
    for server in started:
        server.kill()
