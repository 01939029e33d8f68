"""`claw status`: the cluster in a few numbers, and which server said so."""

import time
from collections.abc import Iterator
from typing import Any

import msgspec

from clawactors.app.cli.output import Facts, Part
from clawactors.app.cli.session import with_client
from clawactors.app.cli.watching import show
from clawactors.app.client import Client
from clawactors.runtime.client.backuprows import BackupRow, verdict_on

__all__ = ["run"]


def run(options: Any) -> int:
    """Sums it up."""

    async def sum_up(client: Client) -> int:
        server = {"url": client.found.shown, "why": client.found.why}

        async def ask() -> dict[str, Any]:
            told: dict[str, Any] = msgspec.to_builtins(await client.status())
            return told | {"server": server}

        return await show(options, ask, _shown)

    return with_client(options, sum_up)


def _of_backup(row: dict[str, Any] | None) -> str:
    verdict, text = verdict_on(None if row is None else msgspec.convert(row, BackupRow), time.time_ns())
    return "" if verdict == "unknown" else text


def _shown(answer: dict[str, Any]) -> Iterator[Part]:
    log, views, server = answer["log"], answer["projection"], answer["server"]
    tasks, nodes = ({name: n for name, n in answer[kind].items() if n} or "none" for kind in ("tasks", "nodes"))
    yield Facts(
        [
            ("tasks", tasks),
            ("nodes", nodes),
            ("log", f"{log['last_seq']} commits, {log['bytes'] / 1e6:.1f} MB"),
            ("views", f"at {views['seq']}, {views['lag']} behind, {views['bytes'] / 1e6:.1f} MB"),
            ("damage", f"views are being made again: {views['damage']}" if views["damage"] else ""),
            ("leader", answer["leader"] or "none"),
            ("faults", answer["faults"] or ""),
            ("needs upgrade", answer["needs_upgrade"] or ""),
            ("backup", _of_backup(answer["backup"])),
            ("server", f"{server['url']}: {server['why']}"),
        ]
    )
