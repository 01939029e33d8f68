"""What code prints and what it starts: nothing is lost, nothing is left behind."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenario.claw import Claw

pytestmark = pytest.mark.nats

NOISY = Path(__file__).with_name("noisy.py")


@pytest.fixture
def claw(tmp_path: Path) -> Iterator[Claw]:
    claw = Claw(tmp_path / "data")
    yield claw
    claw("down")


def test_what_a_file_prints_is_in_a_log_once(claw: Claw) -> None:
    up = claw("up", "--detach", "--nodes", "1", "--skills", str(NOISY), "--json")
    assert up.code == 0, up.err
    for skill in ("prints", "prints-apart"):
        done = claw.quick("submit", skill, "--id", skill, "--wait", "20s", "--json")
        assert done.answer["result"] == 1, done.err
    log = (claw.data / "logs" / "n1.log").read_text()
    once = ["printed at import", "half a line at import", "written at import", "a program at import"]
    assert [log.count(text) for text in (*once, "buffered before a fork", "from a program")] == [1] * 6
    assert "from a fork" not in log
    printed = claw.quick("logs", "prints").out
    assert [printed.count(text) for text in ("from a thread", "from a pool", "from a fork")] == [1, 1, 1]
    apart = claw.quick("logs", "prints-apart").out
    assert [apart.count(text) for text in ("before a fork from a fork", "before a fork", "from a program")] == [1, 1, 1]
