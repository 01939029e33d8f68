"""What code prints and what it starts: nothing is lost, nothing is left behind."""

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import psutil
import pytest

from tests.scenario.claw import Claw

pytestmark = pytest.mark.nats

NOISY = Path(__file__).with_name("noisy.py")


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Claw]:
    claw = Claw(tmp_path_factory.mktemp("live") / "data")
    up = claw("up", "--detach", "--nodes", "1", "--skills", str(NOISY), "--json")
    assert up.code == 0, up.err
    yield claw
    claw("down")


def test_what_a_file_prints_is_in_a_log_once(live: Claw) -> None:
    for skill in ("prints", "prints-apart"):
        done = live.quick("submit", skill, "--id", skill, "--wait", "20s", "--json")
        assert done.answer["result"] == 1, done.err
    log = (live.data / "logs" / "n1.log").read_text()
    once = ["printed at import", "half a line at import", "written at import", "a program at import"]
    assert [log.count(text) for text in (*once, "buffered before a fork", "from a program")] == [1] * 6
    assert "from a fork" not in log
    printed = live.quick("logs", "prints").out
    assert [printed.count(text) for text in ("from a thread", "from a pool", "from a fork")] == [2, 2, 1]
    assert [printed.count(f"logged {text}") for text in ("from a thread", "from a pool")] == [1, 1]
    apart = live.quick("logs", "prints-apart").out
    assert [apart.count(text) for text in ("before a fork from a fork", "before a fork", "from a program")] == [1, 1, 1]


def supervisor_of(claw: Claw) -> psutil.Process:
    pids = msgspec.json.decode((claw.data / "run.json").read_bytes())
    return psutil.Process(pids["pid"])


def node_of(claw: Claw) -> psutil.Process:
    pids = msgspec.json.decode((claw.data / "run.json").read_bytes())
    return psutil.Process(pids["pids"]["nodes"]["n1"])


def strays(claw: Claw) -> list[psutil.Process]:
    """The programs that skills have left below the cluster, zombies too."""
    found = []
    for each in supervisor_of(claw).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if each.name() == "sleep" or each.status() == psutil.STATUS_ZOMBIE:
                found.append(each)
    return found


def until(holds: Callable[[], bool], within_s: float = 15) -> None:
    deadline_s = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline_s
        time.sleep(0.02)


def is_over(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.status() == psutil.STATUS_ZOMBIE
    return True


def marked(live: Claw) -> list[psutil.Process]:
    """The strays that carry the mark of their node."""
    return [each for each in strays(live) if not is_over(each) and each.environ().get("CLAW_NODE")]


@pytest.mark.parametrize("ends", ["returns", "fails", "crashes", "hangs"])
def test_what_an_isolated_skill_starts_ends_with_the_attempt(live: Claw, ends: str) -> None:
    live.quick("submit", "detaches-apart", msgspec.json.encode({"ends": ends}).decode(), "--id", ends, "--retries", "0")
    if ends == "hangs":
        until(lambda: len([each for each in strays(live) if not is_over(each)]) >= 2)
        live.quick("cancel", ends, "--now")
    open_states = ("pending", "scheduled", "running")
    until(lambda: live.quick("task", ends, "--json").answer["status"] not in open_states)
    assert all(map(is_over, strays(live)))
    until(lambda: not strays(live))  # no zombies either


def test_what_other_skills_start_ends_with_the_node(live: Claw) -> None:
    live.quick("submit", "detaches", '{"waits": true}', "--id", "left")
    until(lambda: len(strays(live)) >= 2)
    until(lambda: len(marked(live)) == 1)  # a fork has its environment once it has become the program
    known = marked(live)
    node_of(live).kill()
    until(lambda: is_over(known[0]))
    live.quick("cancel", "left")
    until(lambda: live.quick("task", "left", "--json").answer["status"] == "cancelled")


def test_a_log_that_was_moved_away_goes_on_in_a_new_file(live: Claw) -> None:
    log = live.data / "logs" / "n1.log"
    log.rename(log.with_name("kept"))
    live.quick("submit", "prints", "--id", "moved", "--wait", "20s")
    until(lambda: log.exists() and "from a program" in log.read_text())


def test_down_takes_its_time_limit_also_with_a_busy_pool_and_leaves_nothing(live: Claw) -> None:
    for skill, params in (("busy", "{}"), ("detaches", '{"waits": true}')):
        live.quick("submit", skill, params, "--id", skill)
    until(lambda: len(strays(live)) >= 2 and len(node_of(live).children()) >= 1)
    below = [supervisor_of(live), *supervisor_of(live).children(recursive=True)]
    began_s = time.monotonic()
    assert live("down").code == 0
    assert time.monotonic() - began_s < 12
    assert all(map(is_over, below))
