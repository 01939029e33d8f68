"""`claw submit --batch`: one task per line; a bad line does not stop the others."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

from clawactors.app.batches import BatchReport, together
from clawactors.app.cli.output import Part, Table, emit, note
from clawactors.app.cli.progress import ProgressBar
from clawactors.app.cli.session import with_client
from clawactors.app.client import Client
from clawactors.app.problem import EXITS, Problem

__all__ = ["run"]

_SHOWN: Final = 20


def run(options: Any) -> int:
    """Submits every valid line and reports the others."""

    async def submit(client: Client) -> int:
        with ProgressBar("submitting", _count_lines(options.batch), shown=not options.json) as bar:
            filling = BatchReport(client)
            for lines in together(enumerate(file, 1)):
                await filling.add(lines)
                bar.at(lines[-1][0])
            report = await filling.end()
        emit(options, report, lambda: _shown(report))
        refused = report["refused"]
        if not refused:
            return 0
        note(f"{len(refused)} refused, first line {refused[0]['line']}: {refused[0]['message']}")
        return EXITS["refused"]

    with _opened(options.batch) as file:
        return with_client(options, submit)


@contextmanager
def _opened(name: str) -> Iterator[IO[bytes]]:
    if name == "-":
        yield sys.stdin.buffer
        return
    try:
        file = Path(name).expanduser().open("rb")
    except OSError as error:
        raise Problem("usage", f"can't read {name}: {error.strerror}", "name a file of JSON lines") from None
    with file:
        yield file


def _count_lines(name: str) -> int:
    """The number of lines in a file, 0 if it cannot be known in advance."""
    path = Path(name).expanduser()
    if name == "-" or not path.is_file():
        return 0
    with path.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))


def _shown(report: dict[str, Any]) -> Iterator[Part]:
    refused = report["refused"]
    yield f"submitted {report['submitted']}, existing {report['existing']}, refused {len(refused)}"
    if refused:
        rows = ((each["line"], each["id"], each["message"]) for each in refused[:_SHOWN])
        yield Table(("LINE", "ID", "WHY"), rows, uncut=("LINE", "ID"))
        if len(refused) > _SHOWN:
            yield f"and {len(refused) - _SHOWN} more: --json lists all"
