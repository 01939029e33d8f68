"""Where `--at` and `--views` read: the state at a past moment, or views in a folder; otherwise the running cluster."""

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

from clawactors.app.cli.progress import ProgressBar
from clawactors.app.cli.session import with_client
from clawactors.app.client import Client
from clawactors.app.problem import Problem
from clawactors.kernel.errors import InvalidQuery
from clawactors.runtime.client.past import PastCluster, PastReading

__all__ = ["with_reading"]


def with_reading[T](
    options: Any,
    now: Callable[[Client], Awaitable[int]],
    then: Callable[[PastReading], Awaitable[int]],
) -> int:
    """Runs `now`, or `then` where the options name a moment or a folder; returns the exit code."""
    if getattr(options, "watch", False) and (options.at or options.views):
        raise Problem("usage", "--watch shows what changes, and the past does not", "remove --watch")
    if options.views:
        if options.at:
            raise Problem("usage", "the views in a folder are of one moment", "bin/replay --into DIR --at makes others")
        return _offline(Path(options.views), then)

    async def work(client: Client) -> int:
        if not options.at:
            return await now(client)
        unit, at = options.at
        place = at if unit == "seq" else None
        with ProgressBar("building the views of then", shown=not options.json) as bar:
            tell = partial(bar.step, bar.label)
            try:
                past = PastCluster(client, await _moment(client, unit, at) if place is None else place, tell)
                await past.prepare()
            except InvalidQuery as error:
                raise Problem("usage", str(error), "claw status shows where the log ends") from error
        return await then(past)

    return with_client(options, work)


async def _moment(client: Client, unit: str, at: int) -> Any:
    from datetime import UTC, datetime, timedelta

    at_ns = await client.now_ns() - at if unit == "ago" else at
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at_ns // 1000)


def _offline(folder: Path, then: Callable[[PastReading], Awaitable[int]]) -> int:
    import asyncio

    from clawactors.app.offline import OfflineViews

    async def run() -> int:
        with OfflineViews(folder) as views:
            return await then(views)

    return asyncio.run(run())
