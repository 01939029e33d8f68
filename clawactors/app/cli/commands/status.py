"""`claw status`: the cluster in a few numbers, and which server said so."""

import time
from collections.abc import Iterator
from typing import Any

import msgspec

from clawactors.app.cli.output import Facts, Part, emit
from clawactors.app.cli.reading import with_reading
from clawactors.app.cli.watching import show
from clawactors.app.client import Client
from clawactors.app.problem import Problem
from clawactors.runtime.client.backuprows import BackupRow, verdict_on
from clawactors.runtime.client.past import PastReading

__all__ = ["run"]


def run(options: Any) -> int:
    """Sums it up."""

    async def sum_up(client: Client) -> int:
        if options.ready:
            return await _tell_ready(options, client)
        server = {"url": client.found.shown, "why": client.found.why}

        async def ask() -> dict[str, Any]:
            told: dict[str, Any] = msgspec.to_builtins(await client.status())
            return told | {"server": server}

        return await show(options, ask, _shown)

    async def sum_up_past(past: PastReading) -> int:
        answer: dict[str, Any] = msgspec.to_builtins(await past.status())
        seq = answer["log"]["last_seq"]
        answer |= {"projection": {"seq": seq, "lag": 0}, "leader": None}
        answer["log"]["bytes"] = None
        emit(options, answer, lambda: _shown(answer))
        return 0

    return with_reading(options, sum_up, sum_up_past)


async def _tell_ready(options: Any, client: Client) -> int:
    if lacking := (await client.status()).lacking:
        raise Problem("unavailable", f"the cluster is not ready: {lacking}", "it may become so: ask again")
    emit(options, {"ready": True}, lambda: ["ready"])
    return 0


def _of_backup(row: dict[str, Any] | None) -> str:
    verdict, text = verdict_on(None if row is None else msgspec.convert(row, BackupRow), time.time_ns())
    return "" if verdict == "unknown" else text


def _shown(answer: dict[str, Any]) -> Iterator[Part]:
    log, views, server = answer["log"], answer["projection"], answer.get("server")
    tasks, nodes = ({name: n for name, n in answer[kind].items() if n} or "none" for kind in ("tasks", "nodes"))
    yield Facts(
        [
            ("tasks", tasks),
            ("nodes", nodes),
            ("log", f"{log['last_seq']} commits" + (f", {log['bytes'] / 1e6:.1f} MB" if server else "")),
            ("views", f"at {views['seq']}, {views['lag']} behind, {views['bytes'] / 1e6:.1f} MB" if server else ""),
            ("damage", f"views are being made again: {views['damage']}" if views.get("damage") else ""),
            ("leader", (answer["leader"] or "none") if server else ""),
            ("faults", answer["faults"] or ""),
            ("needs upgrade", answer["needs_upgrade"] or ""),
            ("backup", _of_backup(answer["backup"]) if server else ""),
            ("server", f"{server['url']}: {server['why']}" if server else ""),
        ]
    )
