"""The input of a replay: log and live views of a running or a stopped cluster.

There are two projections, each with a process that keeps it live: the cluster's views by control, memory by its own.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from clawactors.app.archive import archive_of, archived_log
from clawactors.app.cli.apart import digest_apart
from clawactors.app.cli.session import find
from clawactors.app.client import Client
from clawactors.app.datafolder import DataFolder
from clawactors.app.discovery import Found
from clawactors.app.problem import Problem
from clawactors.app.projections import CLUSTER
from clawactors.app.server import NatsServer
from clawactors.app.settings import data_folder
from clawactors.eventlog import NoResponders, Unavailable
from clawactors.eventlog.jetstream import JetStreamLog
from clawactors.eventlog.sealing import SealedLog
from clawactors.kinds import KINDS
from clawactors.projections.engine.digest import StoreDigest
from clawactors.projections.engine.store import Damaged
from clawactors.projections.engine.view import Projection

__all__ = ["Source", "opened"]

_FOLDERS: Final = {"cluster": "views", "memory": "memory"}
"""Where a data folder has the live store of a projection."""
_QUESTIONS: Final = {"cluster": "claw.query.digest", "memory": "claw.query.memory.digest"}

_DIGEST_S: Final = 600.0
"""Time limit for the live views to read all their rows."""


class Source:
    """A log, and where the live views made from it stand. `live` raises `Unavailable` where nobody has them.

    `lacks` names the projections that were never built here, or were deleted: the next start brings them back.
    """

    def __init__(
        self,
        log: SealedLog,
        live: Callable[[Projection, tuple[str, ...]], Awaitable[StoreDigest]],
        lacks: frozenset[str] = frozenset(),
    ) -> None:
        self.log, self.live, self.lacks = log, live, lacks


@asynccontextmanager
async def opened(options: Any) -> AsyncIterator[Source]:
    """Opens the source that the global options select.

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
    async with Client.of(found) as client:

        async def live(projection: Projection = CLUSTER, views: tuple[str, ...] = ()) -> StoreDigest:
            question = msgspec.json.encode({"views": views})
            try:
                answer = await client.requests.request(_QUESTIONS[projection.name], question, _DIGEST_S)
            except NoResponders as error:
                raise Unavailable(f"no process keeps the {projection.name} views live at {found.shown}") from error
            try:
                return msgspec.json.decode(answer, type=StoreDigest)
            except msgspec.ValidationError:
                said = msgspec.json.decode(answer)["error"]["message"]
                if "damaged" in said:
                    raise Damaged(said) from None
                raise Problem("unavailable", f"the live views returned no digest: {said}") from None

        log = await JetStreamLog.over(client.connection)
        yield Source(archived_log(log, archive_of(found.data)), live)


@asynccontextmanager
async def _stopped(folder: Path) -> AsyncIterator[Source]:
    """Runs the server of a stopped cluster while it is read."""
    with DataFolder.claim(folder) as claimed:
        server = NatsServer(claimed)
        try:
            await server.start()
            async with await JetStreamLog.connect(server.access.address(), "claw-replay", kinds=KINDS.names) as log:

                async def live(projection: Projection = CLUSTER, views: tuple[str, ...] = ()) -> StoreDigest:
                    return await digest_apart(folder / _FOLDERS[projection.name], projection.name, views)

                yield Source(
                    archived_log(log, archive_of(folder)),
                    live,
                    frozenset(name for name, part in _FOLDERS.items() if not (folder / part).is_dir()),
                )
        finally:
            await server.stop()
