"""`claw submit --batch`: one task per line; a bad line does not stop the others."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

from clawactors.app.cli.output import Part, Table, emit, note
from clawactors.app.cli.progress import ProgressBar
from clawactors.app.cli.request import id_in, request_of_line
from clawactors.app.cli.session import with_client
from clawactors.app.client import Client
from clawactors.app.problem import EXITS, Problem
from clawactors.kernel.errors import Refused
from clawactors.runtime.client.submitting import TaskRequest

__all__ = ["run"]

_AT_ONCE: Final = 2000
_AT_ONCE_BYTES: Final = 32 << 20
"""Lines that are read and submitted together: many enough to fill the log's batches, few enough to hold in memory."""

_SHOWN: Final = 20


def run(options: Any) -> int:
    """Submits every valid line and reports the others."""

    async def submit(client: Client) -> int:
        with ProgressBar("submitting", _count_lines(options.batch), shown=not options.json) as bar:
            report = await _Report().fill(client, file, bar)
        emit(options, report, lambda: _shown(report))
        refused = report["refused"]
        if not refused:
            return 0
        note(f"{len(refused)} refused, first line {refused[0]['line']}: {refused[0]['message']}")
        return EXITS["refused"]

    with _opened(options.batch) as file:
        return with_client(options, submit)


class _Report:
    """Collects the outcome of each line of a file."""

    def __init__(self) -> None:
        self._submitted = self._existing = 0
        self._refused: list[dict[str, Any]] = []
        self._dependent: list[tuple[int, TaskRequest]] = []

    async def fill(self, client: Client, file: Iterable[bytes], bar: ProgressBar) -> dict[str, Any]:
        """Reads the whole file."""
        for lines in _together(enumerate(file, 1)):
            await self._submit(client, self._independent(lines))
            bar.at(lines[-1][0])
        await self._submit(client, self._dependent)
        self._refused.sort(key=lambda refused: refused["line"])
        return {"submitted": self._submitted, "existing": self._existing, "refused": self._refused}

    def _independent(self, lines: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, TaskRequest]]:
        """The requests that can be submitted now; tasks with predecessors wait until all lines are read."""
        for number, line in lines:
            if not line.strip():
                continue
            try:
                request = request_of_line(line)
            except Refused as refusal:
                self._refuse(number, id_in(line), str(refusal))
                continue
            if request.spec.after:
                self._dependent.append((number, request))
            else:
                yield number, request

    async def _submit(self, client: Client, numbered: Iterable[tuple[int, TaskRequest]]) -> None:
        numbers: list[int] = []
        requests: list[TaskRequest] = []
        for number, request in numbered:
            numbers.append(number)
            requests.append(request)
        if not requests:
            return
        batch = await client.submit_many(requests)
        self._submitted += batch.submitted
        self._existing += batch.existing
        for rejected in batch.refused:
            self._refuse(numbers[rejected.index], rejected.id, rejected.message)

    def _refuse(self, line: int, id: str | None, message: str) -> None:
        self._refused.append({"line": line, "id": id, "message": message})


def _together(lines: Iterable[tuple[int, bytes]]) -> Iterator[list[tuple[int, bytes]]]:
    group: list[tuple[int, bytes]] = []
    size_bytes = 0
    for number, line in lines:
        group.append((number, line))
        size_bytes += len(line)
        if len(group) == _AT_ONCE or size_bytes > _AT_ONCE_BYTES:
            yield group
            group, size_bytes = [], 0
    if group:
        yield group


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
