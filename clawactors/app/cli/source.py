"""What a replay reads: the log and the live views of a running cluster, or those that a stopped one has left."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from clawactors.app.cli.problem import Problem
from clawactors.app.cli.session import find
from clawactors.app.client import Client
from clawactors.app.datafolder import DataFolder
from clawactors.app.discovery import Found
from clawactors.app.server import NatsServer
from clawactors.app.settings import data_folder
from eventlog import EventLog, Unavailable
from eventlog.jetstream import JetStreamLog
from projections.live import live_store
from projections.replay import Stand, stand_of

__all__ = ["Source", "opened"]

_DIGEST_S: Final = 600.0
"""How long the live views may take to read all their rows."""


class Source:
    """A log, and where the live views made from it stand."""

    def __init__(self, log: EventLog, live: Callable[[tuple[str, ...]], Awaitable[Stand]]) -> None:
        self.log, self.live = log, live


@asynccontextmanager
async def opened(options: Any) -> AsyncIterator[Source]:
    """The source that the global options lead to.

    Raises: `Unavailable`, `Misconfigured`.
    """
    try:
        found = find(options)
    except Unavailable:
        folder = data_folder(options.data)
        if not (folder / "server").is_dir():
            raise
        async with _stopped(folder) as source:
            yield source
    else:
        async with _running(found) as source:
            yield source


@asynccontextmanager
async def _running(found: Found) -> AsyncIterator[Source]:
    async with Client.at(found) as client:

        async def live(views: tuple[str, ...]) -> Stand:
            question = msgspec.json.encode({"views": views})
            answer = await client.requests.request("claw.query.digest", question, _DIGEST_S)
            try:
                return msgspec.json.decode(answer, type=Stand)
            except msgspec.ValidationError:
                said = msgspec.json.decode(answer)["error"]["message"]
                raise Problem("unavailable", f"the live views did not tell their digest: {said}") from None

        yield Source(client.log, live)


@asynccontextmanager
async def _stopped(folder: Path) -> AsyncIterator[Source]:
    """The server of a stopped cluster runs for as long as it is read."""
    with DataFolder.claim(folder) as claimed:
        server = NatsServer(claimed)
        try:
            await server.start()
            async with await JetStreamLog.connect(server.url, "claw-replay") as log:

                async def live(views: tuple[str, ...]) -> Stand:
                    store = live_store(folder / "views")
                    try:
                        return stand_of(store, views=views)
                    finally:
                        store.close()

                yield Source(log, live)
        finally:
            await server.stop()
