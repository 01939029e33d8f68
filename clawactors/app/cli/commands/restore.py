"""`claw restore`: makes a cluster of a backup, in an empty data folder or on an empty server."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from clawactors.app.cli.commands.backup import backup_at
from clawactors.app.cli.output import Facts, Part, emit
from clawactors.app.cli.progress import ProgressBar
from clawactors.app.problem import EXITS, Problem
from clawactors.app.settings import data_folder
from clawactors.app.upkeep.container import BackupReader
from clawactors.app.upkeep.folder import restore_into
from clawactors.app.upkeep.manifest import BackupManifest
from clawactors.app.upkeep.restore import ViewProof, checked_backup, restore_streams
from clawactors.eventlog.jetstream import Connection

__all__ = ["run"]

_MB: Final = 1_000_000


def run(options: Any) -> int:
    """Restores the backup; exit code 1 where the views of the restored log differ from those that were backed up."""
    if options.context:
        raise Problem("usage", "restore does not support --context", "name the server with --nats URL")
    return asyncio.run(_restore(options, backup_at(Path(options.source))))


async def _restore(options: Any, file: Path) -> int:
    began = time.monotonic()
    proofs: dict[str, ViewProof] = {}
    with (
        BackupReader(file) as reader,
        ProgressBar("checking MB", reader.size_bytes // _MB, shown=not options.json) as bar,
    ):
        manifest = checked_backup(reader, lambda done: bar.at(done // _MB))
        if options.nats:
            async with await Connection.open(options.nats, "claw-restore") as connection:
                await restore_streams(connection, reader, manifest)
        else:
            proofs = await restore_into(data_folder(options.data), reader, manifest, bar.step)
    report = _report(options, file, manifest, proofs) | {"seconds": round(time.monotonic() - began, 3)}
    emit(options, report, lambda: _shown(options, report))
    return 0 if report["ok"] else EXITS["failed"]


def _report(options: Any, file: Path, manifest: BackupManifest, proofs: dict[str, ViewProof]) -> dict[str, Any]:
    checks = [{"name": "backup", "ok": True, "detail": "whole, all checksums are right"}]
    for name, proof in proofs.items():
        checks.append({"name": f"{name} views", "ok": proof.equal is not False, "detail": _said(proof)})
    return {
        "ok": all(check["ok"] for check in checks),
        "file": str(file),
        "made_at": manifest.made_at,
        "data": None if options.nats else str(data_folder(options.data)),
        "streams": manifest.stream_rows,
        "digests": {name: proof.digest for name, proof in proofs.items()},
        "checks": checks,
    }


def _said(proof: ViewProof) -> str:
    match proof.equal:
        case True:
            return "replay gives the same rows as before the backup"
        case None:
            return f"built from {proof.events} events; the backup has no digest to compare with"
        case False:
            return (
                "replay gives other rows than before the backup: compare claw and nats-server versions, keep the file"
            )


def _shown(options: Any, report: dict[str, Any]) -> Iterator[Part]:
    yield Facts([("restored", report["file"]), ("made at", report["made_at"])])
    yield Facts([(check["name"], check["detail"]) for check in report["checks"]])
    start = f"claw up --nats {options.nats}" if options.nats else f"claw up --data {report['data']}"
    yield Facts([("start it", start)])
