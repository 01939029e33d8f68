"""What `claw task ID --result` prints, and what it refuses."""

from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from clawactors.app.cli.commands.task import _show_result
from clawactors.app.problem import Problem
from clawactors.kernel.fold import Snapshot
from clawactors.runtime.client.rows import TaskRow, task_row
from clawactors.systems.tasks import TASK


def row(**fields: Any) -> TaskRow:
    """A row with these fields."""
    return replace(task_row("t-1", Snapshot(TASK.initial)), **fields)


class Archive:
    """A client whose archive has the result."""

    def ref(self, id: str) -> Any:
        async def result() -> str:
            return f"of {id}"

        return SimpleNamespace(result=result)


async def test_the_result_of_an_archived_task_comes_from_the_archive(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    client: Any = Archive()
    await _show_result(client, row(status="completed", result="here"))
    await _show_result(client, row(status="archived", ended="completed"))
    assert capfdbinary.readouterr().out == b'"here"\n"of t-1"\n'


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"status": "pending"}, "is pending, so it has no result"),
        ({"status": "archived", "ended": "failed"}, "is archived, and had ended as failed, so it has no result"),
        ({"status": "completed", "erased": True}, "was erased with all data of its user"),
        ({"status": "archived", "ended": "completed", "erased": True}, "was erased with all data of its user"),
    ],
)
async def test_where_there_is_no_result_it_says_so(fields: dict[str, Any], reason: str) -> None:
    client: Any = Archive()
    with pytest.raises(Problem, match=reason):
        await _show_result(client, row(**fields))
