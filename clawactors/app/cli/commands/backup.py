"""`claw backup`: writes a whole cluster to one file, or checks such a file."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from clawactors.app.cli.output import Facts, Part, Table, emit
from clawactors.app.cli.problem import EXITS, Problem
from clawactors.app.cli.progress import ProgressBar
from clawactors.app.cli.session import with_client
from clawactors.app.client import Client
from clawactors.app.upkeep.backup import Backup, make_backup, newest
from clawactors.app.upkeep.container import BackupReader, BackupUnfit
from clawactors.app.upkeep.folder import FILES, digests_in
from clawactors.app.upkeep.manifest import ViewDigest
from clawactors.app.upkeep.restore import checked_backup

__all__ = ["backup_at", "run"]

_MB: Final = 1_000_000


def run(options: Any) -> int:
    """Makes a backup, or with `--verify` reads one."""
    if options.verify is not None:
        return _verify(options)
    if options.target is None:
        raise Problem("usage", "name a folder or a file for the backup", "claw backup DIR")
    return with_client(options, lambda client: _make(options, client))


async def _make(options: Any, client: Client) -> int:
    found = client.found
    data = found.data if found.is_own else None

    async def digests() -> Mapping[str, ViewDigest]:
        return await digests_in(data) if data is not None else {}

    with ProgressBar("MB written", shown=not options.json) as bar:
        made = await make_backup(
            client.connection,
            Path(options.target),
            digests=digests,
            folders={name: data / place for name, place in FILES.items()} if data is not None else {},
            beside=data,
            progress=lambda done: bar.at(done // _MB),
        )
    emit(options, made.row, lambda: _shown(made))
    return 0


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
                "streams": {
                    name: {"messages": each.state.messages, "bytes": each.state.bytes, "sha256": each.sha256}
                    for name, each in manifest.streams.items()
                },
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
