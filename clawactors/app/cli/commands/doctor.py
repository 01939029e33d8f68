"""`claw doctor`: runs every check that is possible from this machine, in one report."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

from clawactors.app.cli.archivecheck import check_archive
from clawactors.app.cli.checks import (
    check_cluster,
    check_disk,
    check_log,
    check_middleware,
    check_mirror,
    check_programs,
    check_settings,
)
from clawactors.app.cli.output import Part, Table, emit
from clawactors.app.cli.serverchecks import check_server, check_system
from clawactors.app.cli.session import find
from clawactors.app.client import Client
from clawactors.app.problem import EXITS
from clawactors.eventlog import EventLogError
from clawactors.runtime.client.checks import Check

__all__ = ["run"]


def run(options: Any) -> int:
    """Runs the checks; the exit code is 1 if one failed."""
    return asyncio.run(_examine(options))


async def _examine(options: Any) -> int:
    rows = [check.row async for check in _checks(options)]
    report = {"ok": all(row["ok"] for row in rows), "checks": rows}
    emit(options, report, lambda: _shown(report))
    return 0 if report["ok"] else EXITS["failed"]


async def _checks(options: Any) -> AsyncIterator[Check]:
    try:
        found = find(options)
    except EventLogError as error:
        yield Check("server", "failed", str(error))
        return
    reached = False
    async for check in check_server(found, mend=options.repair):
        reached = reached or (check.name == "requirements" and check.ok)
        yield check
    if reached:
        try:
            async with Client.of(found) as client:
                async for check in check_cluster(client, accept=options.accept):
                    yield check
                async for check in check_log(found, client):
                    yield check
                yield await check_archive(client)
                yield await check_settings(client)
                yield await check_programs(found, client)
                if options.verbose:
                    yield await check_middleware(client)
        except EventLogError as error:
            yield Check("leader", "failed", str(error))
    async for check in check_system(found):
        yield check
    if (mirror := await check_mirror(found)) is not None:
        yield mirror
    yield check_disk(found)


def _shown(report: dict[str, Any]) -> Iterator[Part]:
    rows = ((row["name"], row["verdict"], row["detail"]) for row in report["checks"])
    yield Table(("CHECK", "VERDICT", "DETAIL"), rows, uncut=("CHECK", "VERDICT", "DETAIL"))
