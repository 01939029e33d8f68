"""`claw archive`: moves tasks that ended long ago to the archive."""

from collections.abc import Iterator
from typing import Any

from clawactors.app.cli.output import Part, emit, note
from clawactors.app.cli.progress import ProgressBar
from clawactors.app.cli.session import with_client
from clawactors.app.client import Client
from clawactors.app.problem import Problem
from clawactors.runtime.archiving import ArchiveReport
from clawactors.systems.tasks.payload import shown_size

__all__ = ["run"]


def run(options: Any) -> int:
    """Moves them, or with `--dry-run` counts them."""

    async def move(client: Client) -> int:
        older_s = options.older_than
        if older_s is None:
            older_s = await _as_set(client)
        with ProgressBar("archiving", shown=not options.json) as bar:

            def tell(report: ArchiveReport) -> None:
                bar.step(bar.label, report.archived, report.found)

            report = await client.archive(older_s, dry_run=options.dry_run, progress=tell)
        told = {
            "ok": True,
            "dry_run": options.dry_run,
            "archived": report.archived,
            "found": report.found,
            "left": report.left,
            "records": report.records,
            "bytes": report.bytes,
            "stored_bytes": report.stored_bytes,
            "files": report.files,
            "blobs": report.blobs,
            "purged": report.purged,
            "seconds": report.seconds,
        }
        emit(options, told, lambda: _shown(report, dry_run=options.dry_run))
        if report.left:
            note(f"{report.left} were left: they changed meanwhile, or open tasks still need them")
        return 0

    return with_client(options, move)


async def _as_set(client: Client) -> float:
    """The age that control goes by. Raises: `Problem` where it moves none by itself."""
    row = await client.config.get("archive.after", origins=True)
    older_s: float = row.origins[0].value if row.origins else row.value
    if not older_s:
        raise Problem("usage", "archive.after is off, so the age has to be given", "claw archive --older-than 30d")
    return older_s


def _shown(report: ArchiveReport, *, dry_run: bool) -> Iterator[Part]:
    if dry_run:
        yield f"{report.found - report.left} tasks would be moved to the archive"
        return
    yield f"{report.archived} tasks moved to the archive in {report.seconds:.1f} s"
    if report.files:
        sizes = f"{shown_size(report.bytes)}, {shown_size(report.stored_bytes)} in {report.files} files"
        yield f"{report.records} records, {sizes}; {report.purged} records purged from the log"
