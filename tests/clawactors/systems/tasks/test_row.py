"""The row of a task: the promised keys, times with zone, whatever the state holds."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawactors.kernel.time import iso
from clawactors.systems.tasks import Entry, Journal, Task, TaskStatus
from clawactors.systems.tasks import events as te
from clawactors.systems.tasks.row import row, steps


def test_times_are_iso_8601_with_zone_and_never_is_null() -> None:
    assert iso(0) is None
    assert iso(1_763_720_000_123_456_789) == "2025-11-21T10:13:20.123456+00:00"
    assert iso(1_763_720_000_000_000_000) == "2025-11-21T10:13:20.000000+00:00"


@given(st.integers())
def test_any_number_is_some_time(at_ns: int) -> None:
    assert (iso(at_ns) is None) == (at_ns == 0)


def test_a_running_task_reads_as_it_is() -> None:
    spec = te.Submitted(skill="echo", priority=3, tags=("a",), deadline_ns=1_763_720_000_000_000_000, max_retries=7)
    life = TaskStatus(status="waiting", waiting_for="retry", error=te.TaskError("timeout", "slow"), progress=1 / 3)
    read = row("t", 9, Task(spec=spec, life=life))
    assert (read["id"], read["version"], read["status"], read["waiting_for"]) == ("t", 9, "waiting", "retry")
    assert (read["priority"], read["tags"], read["max_retries"]) == (3, ["a"], 7)
    assert read["deadline"] == "2025-11-21T10:13:20.000000+00:00"
    assert read["error"] == {"class": "timeout", "message": "slow"}
    assert read["progress"] == 33.33
    assert (read["node"], read["started_at"], read["timeout_s"]) == (None, None, None)
    assert row("t", 1, Task(spec=te.Spec(skill="echo")))["max_retries"] == 3


@pytest.mark.parametrize(("progress", "percent"), [(0.0, 0.0), (1.0, 100.0), (-3.0, 0.0), (1e300, 100.0)])
def test_progress_is_a_percentage(progress: float, percent: float) -> None:
    assert row("t", 1, Task(spec=te.Spec(skill="s"), life=TaskStatus(progress=progress)))["progress"] == percent


def test_each_step_has_its_last_state_and_its_times() -> None:
    second = 1_000_000_000
    journal = Journal(
        [
            Entry("a", "failed", 10 * second, 1, error="no", took_s=2.0),
            Entry("b", "running", 11 * second, 1),
            Entry("a", "completed", 20 * second, 2, result=[1], took_s=4.0),
            Entry("c", "completed", 30 * second, 2, took_s=1e300),
        ]
    )
    a, b, c = steps(Task(life=TaskStatus(status="running", attempt=1), journal=journal))
    assert a == {
        "name": "a",
        "status": "completed",
        "attempt": 2,
        "result": [1],
        "error": None,
        "started_at": iso(16 * second),
        "completed_at": iso(20 * second),
    }
    assert (b["status"], b["started_at"], b["completed_at"]) == ("running", iso(11 * second), None)
    assert c["started_at"] is not None
    msgspec.json.encode((a, b, c))
