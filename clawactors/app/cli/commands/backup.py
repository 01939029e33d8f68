"""`claw backup`: writes a whole cluster to one file, or checks such a file."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from clawactors.app.cli.output import Facts, Part, Table, emit, note, when
from clawactors.app.cli.progress import ProgressBar
from clawactors.app.cli.session import with_client
from clawactors.app.client import Client
from clawactors.app.problem import EXITS, Problem
from clawactors.app.upkeep.backup import Backup, make_backup, newest
from clawactors.app.upkeep.container import BackupReader, BackupUnfit
from clawactors.app.upkeep.folder import digests_in
from clawactors.app.upkeep.manifest import ViewDigest
from clawactors.app.upkeep.restore import checked_backup
from clawactors.eventlog import EventLogError
from clawactors.eventlog.jetstream.log.streams import EVENTS
from clawactors.runtime.client.backuprows import BackupRow

__all__ = ["backup_at", "run"]

_MB: Final = 1_000_000


def run(options: Any) -> int:
    """Makes a backup; with `--verify` reads one; with `--every` plans them; with nothing shows the plan."""
    if options.keep is not None and not options.every:
        raise Problem("usage", "--keep belongs to --every", "claw backup DIR --every 1d --keep 7")
    if options.verify is not None:
        if options.target is not None or options.every is not None:
            raise Problem("usage", "--verify reads a backup and takes nothing else", "claw backup --verify FILE")
        return _verify(options)
    if options.every is not None or options.target is None:
        return with_client(options, lambda client: _plan(options, client))
    return with_client(options, lambda client: _make(options, client))


async def _plan(options: Any, client: Client) -> int:
    """Changes the plan, or shows it."""
    row: BackupRow | None
    if options.every is None:
        row = await client.backups.get()
    elif not options.every:
        row = await client.backups.stop()
    elif options.target is None:
        raise Problem("usage", "name the folder for the backups", "claw backup DIR --every 1d --keep 7")
    else:
        row = await client.backups.plan(
            _absolute(options.target), options.every, 7 if options.keep is None else options.keep
        )
    document = {"name": "cluster", "status": "not planned"} if row is None else msgspec.to_builtins(row)
    emit(options, document, lambda: [_card(document)])
    return 0


def _absolute(folder: str) -> str:
    return str(Path(folder).expanduser().absolute())


def _card(row: dict[str, Any]) -> Facts:
    every = f"every {row['every_s']:g} s, the newest {row['copies']} stay" if row.get("every_s") else None
    return Facts(
        [
            ("backups", row["status"]),
            ("folder", row.get("folder")),
            ("plan", every),
            ("next", when(row.get("due_at"))),
            ("last", when(row.get("last_at"))),
            ("file", row.get("last_file")),
            ("failed", when(row.get("failed_at"))),
            ("failure", row.get("failure")),
        ]
    )


async def _make(options: Any, client: Client) -> int:
    found = client.found
    data = found.data if found.is_own else None

    def digests() -> Mapping[str, ViewDigest]:
        return digests_in(data) if data is not None else {}

    if data is None:
        note("this is not the machine of the cluster: the files of its archive are not in the backup")
    with ProgressBar("MB written", shown=not options.json) as bar:
        made = await make_backup(
            client.connection,
            Path(options.target),
            digests=digests,
            data=data,
            progress=lambda done: bar.at(done // _MB),
        )
    await _note(client, made)
    emit(options, made.row, lambda: _shown(made))
    return 0


async def _note(client: Client, made: Backup) -> None:
    """Has the cluster know of it; a backup is good without."""
    try:
        last_seq = made.manifest.streams[EVENTS].state.last_seq
        await client.backups.note(str(made.path), made.size_bytes, last_seq, round(made.seconds, 3))
    except EventLogError as error:
        note(f"the backup is whole, but claw status will not show it: {error}")


def _shown(made: Backup) -> Iterator[Part]:
    streams = made.manifest.streams
    yield Table(
        ("STREAM", "MESSAGES", "MB"),
        [(name, each.state.messages, f"{each.state.bytes / _MB:.1f}") for name, each in streams.items()],
    )
    yield Facts(
        [
            ("backup", str(made.path)),
            ("size", f"{made.size_bytes / _MB:.1f} MB in {made.seconds:.1f} s"),
            ("check it", f"claw backup --verify {made.path}"),
        ]
    )


def backup_at(path: Path) -> Path:
    """The backup that is meant: the file, or the newest one in the folder. Raises: `Problem`."""
    path = path.expanduser().absolute()
    if not path.exists():
        raise Problem("not_found", f"there is no backup {path}", "claw backup DIR makes one")
    if not path.is_dir():
        return path
    file = newest(path)
    if file is None:
        raise Problem("not_found", f"there is no backup in {path}", "name a file that claw backup wrote")
    return file


def _verify(options: Any) -> int:
    path = backup_at(Path(options.verify))
    report: dict[str, Any] = {"ok": True, "file": str(path)}
    try:
        with (
            BackupReader(path) as reader,
            ProgressBar("MB read", reader.size_bytes // _MB, shown=not options.json) as bar,
        ):
            manifest = checked_backup(reader, lambda done: bar.at(done // _MB))
            report |= {
                "made_at": manifest.made_at,
                "product": manifest.product,
                "log": manifest.log,
                "streams": manifest.stream_rows,
            }
            check = {"name": "backup", "ok": True, "detail": "whole, all checksums are right"}
    except BackupUnfit as error:
        check = {"name": "backup", "ok": False, "detail": str(error)}
    report |= {"ok": check["ok"], "checks": [check]}
    emit(
        options,
        report,
        lambda: [Facts([("backup", str(path)), ("made at", report.get("made_at")), ("check", check["detail"])])],
    )
    return 0 if check["ok"] else EXITS["failed"]
