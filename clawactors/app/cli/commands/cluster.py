"""`claw cluster status`: the servers, what each leads, who is behind, and which may be stopped now."""

import asyncio
from collections.abc import Iterator
from typing import Any

import msgspec

from clawactors.app.cli.output import Part, Table, emit
from clawactors.app.cli.session import find
from clawactors.app.problem import EXITS
from clawactors.eventlog.jetstream import Connection
from clawactors.eventlog.jetstream.log.peers import ServersReport, ask_servers

__all__ = ["run"]


def run(options: Any) -> int:
    """Shows them; the exit code is 5 while a stream can't be written."""
    return asyncio.run(_show(options))


async def _show(options: Any) -> int:
    async with await Connection.open(find(options).address, "claw-cluster") as connection:
        report = await ask_servers(connection)
    emit(options, msgspec.to_builtins(report) | {"text": report.text}, lambda: _shown(report))
    return EXITS["unavailable"] if report.problem else 0


def _shown(report: ServersReport) -> Iterator[Part]:
    rows = (
        (peer.name, "away" if peer.is_away else "up", ", ".join(peer.leads), peer.behind or "", peer.keeps)
        for peer in report.servers
    )
    yield Table(("SERVER", "STATE", "LEADS", "BEHIND", "MUST NOT STOP"), rows, uncut=("SERVER", "MUST NOT STOP"))
    yield ""
    yield report.text
