"""A server of a data folder, and waiting for processes that are not ours to wait for."""

import os
import select
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from clawactors.app.datafolder import DataFolder
from clawactors.app.server import NatsServer

type Watch = Callable[[int], Callable[[], bool]]


@pytest.fixture
def watch() -> Watch:
    """Begins to watch a process by its pid; what it gives back waits for the end, up to ten seconds."""

    def begin(pid: int) -> Callable[[], bool]:
        handle = os.pidfd_open(pid)

        def ended() -> bool:
            try:
                return bool(select.select([handle], [], [], 10)[0])
            finally:
                os.close(handle)

        return ended

    return begin


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[NatsServer]:
    """A running server on a folder of its own."""
    with DataFolder.claim(tmp_path / "data") as folder:
        server = NatsServer(folder)
        try:
            await server.start()
            yield server
        finally:
            await server.stop()
