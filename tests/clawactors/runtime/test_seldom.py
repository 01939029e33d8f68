"""What lasts is said twice a minute at most, by however many."""

import logging

import pytest

from clawactors.eventlog import Misconfigured, NoSpace
from clawactors.runtime.node import retry
from clawactors.runtime.seldom import SeldomLogger


def test_a_line_is_written_twice_a_minute_at_most_and_counts_what_it_left_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now_s = 100.0
    logger = SeldomLogger(logging.getLogger("test"), lambda: now_s)
    for second in range(70):
        now_s = 100.0 + second
        for task in range(5):
            logger.warning("task %d waits", task)
    assert [record.getMessage() for record in caplog.records] == [
        "task 0 waits",
        "task 0 waits (149 more lines like it were left out)",
        "task 0 waits (149 more lines like it were left out)",
    ]


async def test_a_node_on_a_full_server_writes_one_line_for_all_its_tasks(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "_seldom", SeldomLogger(logging.getLogger("test")))
    failures = [NoSpace("the server has no room")] * 200 + [Misconfigured("resource limits exceeded")] * 200

    async def record() -> str:
        if failures:
            raise failures.pop()
        return "recorded"

    assert await retry.retry_while_unavailable(record, lambda: 0.0, "task t1") == "recorded"
    assert len(caplog.records) == 1
    assert "task t1" in caplog.text
