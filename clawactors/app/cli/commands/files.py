"""`claw files`: lists the files of a task, or fetches one."""

import sys
from collections.abc import Iterator
from contextlib import aclosing
from typing import Any

import msgspec

from clawactors.app.cli.output import Part, Table, emit
from clawactors.app.cli.progress import ProgressBar
from clawactors.app.cli.session import by_id, hinted, with_client
from clawactors.app.client import Client
from clawactors.app.problem import Problem
from clawactors.eventlog import Missing
from clawactors.runtime.client.files import FileRow
from clawactors.systems.tasks.payload import shown_size
from clawactors.systems.tasks.submission import checked_id

__all__ = ["run"]


def run(options: Any) -> int:
    """Prints the list, or writes the file."""
    id = checked_id(options.id)
    if options.out and not options.name:
        raise Problem("usage", "which file?", f"claw files {id} lists them; claw files {id} FILE -o PATH fetches one")

    async def list_or_fetch(client: Client) -> int:
        rows = await by_id(client, id, client.files.of)
        if not options.name:
            emit(options, rows, lambda: _shown(rows))
            return 0
        with hinted(f"claw files {id} lists them"):
            await _fetch(client, options, await by_id(client, id, lambda full: client.files.row(full, options.name)))
        return 0

    return with_client(options, list_or_fetch)


async def _fetch(client: Client, options: Any, row: FileRow) -> None:
    try:
        if options.out:
            with ProgressBar("downloading, in KB", row.size_bytes >> 10, shown=not options.json) as bar:
                path = await client.files.download(row.file, options.out, progress=bar.at_bytes)
            emit(options, msgspec.to_builtins(row) | {"path": str(path)}, lambda: [str(path)])
        elif options.json:
            emit(options, row, tuple)
        else:
            async with aclosing(client.files.read(row.file)) as parts:
                async for part in parts:
                    sys.stdout.buffer.write(part)
            sys.stdout.buffer.flush()
    except Missing as error:
        raise Problem("not_found", str(error), "it was swept, or erased with its user") from None
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        raise Problem("usage", f"can't write {options.out}: {error.strerror}", "name another file or folder") from None


def _shown(rows: list[FileRow]) -> Iterator[Part]:
    if not rows:
        yield "no files"
        return
    cells = ((row.name, shown_size(row.size_bytes), row.origin, row.at, row.sha256[:12]) for row in rows)
    yield Table(("NAME", "SIZE", "FROM", "AT", "SHA256"), cells)
