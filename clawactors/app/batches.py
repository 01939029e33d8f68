"""Many tasks as JSON lines; a bad line does not stop the others."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from clawactors.app.cli.request import id_in, request_of_line
from clawactors.eventlog import TooLarge
from clawactors.kernel.errors import Refused
from clawactors.runtime.client import ClusterClient
from clawactors.runtime.client.submitting import TaskRequest

__all__ = ["BatchReport", "NumberedLine", "together"]

_AT_ONCE: Final = 2000
_HELD_EACH_BYTES: Final = 500
_AT_ONCE_BYTES: Final = 32 << 20
"""Lines that are submitted together: many enough to fill the log's batches, few enough to hold in memory."""

type NumberedLine = tuple[int, bytes]


class BatchReport:
    """Submits lines as they come, and collects the outcome of each. Tasks with predecessors wait for the last line.

    What it has to hold for that is at most `most_bytes`, 0 for no limit.
    """

    def __init__(self, client: ClusterClient, most_bytes: int = 0) -> None:
        self._client, self._most_bytes, self._held_bytes = client, most_bytes, 0
        self._submitted = self._existing = 0
        self._refused: list[dict[str, Any]] = []
        self._dependent: list[tuple[int, TaskRequest]] = []

    async def add(self, lines: Iterable[NumberedLine]) -> None:
        """Submits what they ask for. Raises: `Unavailable`, `TooLarge` where it had to hold too much."""
        await self._submit(self._independent(lines))

    async def end(self) -> dict[str, Any]:
        """`{"submitted", "existing", "refused": [{"line", "id", "message"}]}`. Raises: `Unavailable`."""
        await self._submit(self._dependent)
        self._refused.sort(key=lambda refused: refused["line"])
        return {"submitted": self._submitted, "existing": self._existing, "refused": self._refused}

    def _independent(self, lines: Iterable[NumberedLine]) -> Iterator[tuple[int, TaskRequest]]:
        for number, line in lines:
            if not line.strip():
                continue
            try:
                request = request_of_line(line)
            except Refused as refusal:
                self._refuse(number, id_in(line), str(refusal))
                continue
            if self._client.user and request.spec.user not in ("", self._client.user):
                self._refuse(number, request.id, f"who acts for {self._client.user!r} submits for nobody else")
                continue
            if request.spec.after:
                self._hold(len(line))
                self._dependent.append((number, request))
            else:
                yield number, request

    async def _submit(self, numbered: Iterable[tuple[int, TaskRequest]]) -> None:
        numbers: list[int] = []
        requests: list[TaskRequest] = []
        for number, request in numbered:
            numbers.append(number)
            requests.append(request)
        if not requests:
            return
        batch = await self._client.submit_many(requests)
        self._submitted += batch.submitted
        self._existing += batch.existing
        for rejected in batch.refused:
            self._refuse(numbers[rejected.index], rejected.id, rejected.message)

    def _hold(self, size_bytes: int) -> None:
        self._held_bytes += _HELD_EACH_BYTES + size_bytes
        if 0 < self._most_bytes < self._held_bytes:
            raise TooLarge(self._held_bytes, self._most_bytes)

    def _refuse(self, line: int, id: str | None, message: str) -> None:
        self._hold(len(id or "") + len(message))
        self._refused.append({"line": line, "id": id, "message": message})


def together(lines: Iterable[NumberedLine]) -> Iterator[list[NumberedLine]]:
    """The lines in groups that are submitted together."""
    group: list[NumberedLine] = []
    size_bytes = 0
    for number, line in lines:
        group.append((number, line))
        size_bytes += len(line)
        if len(group) == _AT_ONCE or size_bytes > _AT_ONCE_BYTES:
            yield group
            group, size_bytes = [], 0
    if group:
        yield group
