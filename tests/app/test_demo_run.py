"""The demo from end to end on nodes and a control that run in this process, and its report on what went wrong."""

import asyncio
import contextlib
import io
import os
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from clawactors.app.demo import run
from clawactors.app.demo.history import follow, recovery, task_of, times_recorded
from clawactors.app.demo.progress import Progress
from clawactors.app.demo.report import DemoFacts, Install, Kill, TableFigures, report, text_of
from clawactors.app.demo.run import run_demo
from clawactors.app.skills import load_skills
from clawactors.eventlog import Draft, InProcessLog, Record
from clawactors.eventlog.blobs import InProcessBlobs
from clawactors.eventlog.commands import InProcessCommands
from clawactors.eventlog.dead import InProcessDeadLetters
from clawactors.eventlog.decoding import Commit
from clawactors.eventlog.leases import InProcessLeases
from clawactors.eventlog.outputs import InProcessOutputs
from clawactors.eventlog.requests import InProcessRequests
from clawactors.eventlog.timers import InProcessTimers
from clawactors.kernel.errors import Refused
from clawactors.kinds import KINDS
from clawactors.runtime.client import ClusterClient
from clawactors.runtime.clock import SystemClock
from clawactors.runtime.context import ActorContext
from clawactors.runtime.control import Control
from clawactors.runtime.control.inprocess import InProcessViews
from clawactors.runtime.node.node import NodeActor, NodeSettings
from clawactors.runtime.node.supplies import Supplies
from clawactors.systems.tasks import events as e


class Line:
    """A node's way to the log. Once it is cut, what the node appends never arrives, and it never hears of it."""

    def __init__(self, log: InProcessLog) -> None:
        self._log, self.is_cut = log, False

    async def append(self, draft: Draft, expected: int) -> int:
        if self.is_cut:
            await asyncio.Event().wait()
        return await self._log.append(draft, expected)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)


class InProcessStage:
    """Two nodes and a control. A killed node falls silent, in the middle of whatever it does."""

    def __init__(self) -> None:
        self.log, clock = InProcessLog(), SystemClock()
        self.leases, self.requests = InProcessLeases(clock.monotonic_s), InProcessRequests()
        self.clock = clock
        blobs, outputs = InProcessBlobs(), InProcessOutputs()
        context = ActorContext(self.log, clock, "client/test")
        self.client = ClusterClient(context, self.requests.of("test"))
        self.supplies = Supplies(blobs, outputs)
        self.serving: dict[str, asyncio.Task[None]] = {}
        self.lines = {"n1": Line(self.log), "n2": Line(self.log)}
        self.killed: list[str] = []

    async def start(self, *, nodes: bool = True) -> None:
        context = ActorContext(self.log, self.clock, "control/test")
        dead, timers = InProcessDeadLetters(), InProcessTimers(context.clock.now_ns)
        control = Control(
            context,
            self.leases,
            self.requests,
            InProcessViews(KINDS),
            dead,
            timers,
            InProcessCommands(),
            InProcessBlobs(),
            self.supplies.outputs,
            KINDS,
            self.log.sealer,
        )
        self.serving["control"] = asyncio.create_task(control.serve())
        for id, line in self.lines.items() if nodes else ():
            settings = NodeSettings(id=id, lease_s=0.3)
            context = ActorContext(line, self.clock, f"node/{id}", id)
            node = NodeActor(context, self.leases, self.requests, settings, load_skills(()), self.supplies)
            await node.start()
            self.serving[id] = asyncio.create_task(node.serve())

    async def stop(self) -> None:
        for task in self.serving.values():
            task.cancel()
        await asyncio.gather(*self.serving.values(), return_exceptions=True)
        await self.log.aclose()

    async def kill_node(self, id: str) -> None:
        self.killed.append(id)
        self.lines[id].is_cut = True
        self.serving[id].cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.serving[id]

    async def replay(self) -> Mapping[str, Any]:
        return {"events": self.log.last_seq, "digest": "d" * 64, "equal": True}


@pytest.fixture
async def stage() -> AsyncIterator[InProcessStage]:
    stage = InProcessStage()
    await stage.start()
    yield stage
    await stage.stop()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table of Basic Latin and so in a few batches."""
    monkeypatch.setattr("clawactors.app.demo.characters.sys", type("Sys", (), {"maxunicode": 0x1FFF}))
    monkeypatch.setattr(run, "BATCH", 100)


@pytest.mark.usefixtures("small")
async def test_the_demo_holds_what_it_promises(stage: InProcessStage, tmp_path: Path) -> None:
    shown = io.StringIO()
    result = await run_demo(stage, tmp_path / "work", Progress(shown))
    assert result["ok"], text_of(result)
    assert all(check["ok"] for check in result["checks"])
    assert stage.killed == [result["killed_node"]]
    assert {result["killed_node"], result["resumed_on"]} == {"n1", "n2"}
    assert result["rows_copied"] == result["rows"] > 5000
    assert result["rows_doubled"] == 0
    assert result["checksum_source"] == result["checksum_target"]
    assert result["steps"] == -(-result["rows"] // 100) + 3
    assert len(result["steps_run_again"]) <= 1
    assert 0 < result["noticed_s"] <= result["resumed_s"] < 10
    assert msgspec.json.decode(msgspec.json.encode(result)) == result
    assert "lookup.py is corrupt" in text_of(result)
    assert f"killed {stage.killed[0]} after" in shown.getvalue()


async def test_the_demo_leaves_a_folder_alone_that_holds_something(stage: InProcessStage, tmp_path: Path) -> None:
    (tmp_path / "thesis").touch()
    with pytest.raises(Refused, match="is not empty"):
        await run_demo(stage, tmp_path, Progress(io.StringIO()))
    assert os.listdir(tmp_path) == ["thesis"]


@pytest.mark.usefixtures("small")
async def test_a_migration_that_never_ends_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No node takes it."""
    monkeypatch.setattr(run, "_MIGRATION_S", 0.1)
    monkeypatch.setattr(run, "_INSTALL_S", 0.1)
    stage = InProcessStage()
    await stage.start(nodes=False)
    result = await run_demo(stage, tmp_path / "work", Progress(io.StringIO()))
    await stage.stop()
    assert not result["ok"]
    details = {check["name"]: check["detail"] for check in result["checks"] if not check["ok"]}
    assert details["migration completed"].startswith("pending")
    assert details["rows copied"].startswith("0 of ")
    assert details["checksums equal"] == "there is no target"


# Figures from histories


def commit(seq: int, *events: e.TaskEvent, at_s: float | None = None) -> Commit:
    at_ns = int((seq if at_s is None else at_s) * 1e9)
    return Commit(Record(seq, at_ns, "claw.task.t.log", b""), "task", "t", events)


def scheduled(node: str, attempt: int) -> e.Scheduled:
    return e.Scheduled(node=node, incarnation=f"i{attempt}", attempt=attempt, skill="migrate-table")


HISTORY = (
    commit(1, e.Submitted(skill="migrate-table")),
    commit(2, scheduled("n1", 1)),
    commit(3, e.Started(), e.StepCompleted("prepare", {"rows": 300})),
    commit(4, e.StepCompleted("copy-0"), at_s=4),
    commit(5, e.Interrupted("no heartbeat for 1.8 s"), at_s=6.5),
    commit(6, scheduled("n2", 2), at_s=6.6),
    commit(7, e.Started(), at_s=6.75),
    commit(8, e.StepCompleted("copy-100"), at_s=7),
    commit(9, e.StepCompleted("copy-200"), e.Completed({"rows": 300}), at_s=8),
)
RUNS = {"prepare": 1, "copy-0": 1, "copy-100": 2, "copy-200": 1}


def test_a_recovery_is_read_from_the_history() -> None:
    found = recovery(HISTORY, int(4.5e9))
    assert found is not None
    assert (found.from_node, found.to_node, found.attempt) == ("n1", "n2", 2)
    assert (found.noticed_ns, found.resumed_ns) == (int(6.5e9), int(6.75e9))
    assert found.reason == "no heartbeat for 1.8 s"
    assert recovery(HISTORY[:6], int(4.5e9)) is None
    assert recovery(HISTORY, int(7e9)) is None
    assert task_of(HISTORY).life.status == "completed"
    assert times_recorded(HISTORY) == Counter(prepare=1, **{"copy-0": 1, "copy-100": 1, "copy-200": 1})


async def test_following_ends_with_the_task() -> None:
    log = InProcessLog()
    for each in HISTORY:
        log.publish("claw.task.t.log", e.CODEC.encode(each.events))
    log.publish("claw.task.t.log", b"no commit")
    seen = [(found.record.seq, task.life.status) async for found, task in follow(log, "t")]
    assert seen[0] == (1, "pending")
    assert seen[-1] == (9, "completed")


def facts(**changes: Any) -> DemoFacts:
    table = TableFigures(300, "ab" * 32, 0)
    steps = tuple(e.StepCompleted(name) for name in STEPS)
    refused = e.AttemptFailed(error=e.TaskError("validation", "lookup.py is corrupt: SHA-256 …"), then="failed")
    start = (e.Submitted(skill="install-package"), scheduled("n2", 1), e.Started())
    whole: dict[str, Any] = {
        "unicode": "15.1.0",
        "source": table,
        "target": table,
        "commits": HISTORY,
        "runs": RUNS,
        "kill": Kill("n1", int(4.5e9), 1, 3),
        "installs": (
            Install((commit(1, *start, *steps, e.Completed({})),)),
            Install((commit(1, *start, steps[0], refused),), "lookup.py"),
        ),
        "replay": {"events": 20, "digest": "d" * 64, "equal": True},
        "seconds": 9.87,
    }
    return DemoFacts(**(whole | changes))


STEPS = ("check-dependencies", "verify-files", "import-sql", "install", "clear-caches")


def failed(**changes: Any) -> dict[str, str]:
    result = report(facts(**changes))
    found = {check["name"]: check["detail"] for check in result["checks"] if not check["ok"]}
    assert result["ok"] is not bool(found)
    assert ("all checks hold" in text_of(result)) is not bool(found)
    return found


def test_a_report_on_what_went_well() -> None:
    result = report(facts())
    assert result["ok"]
    assert result["steps_run_again"] == ["copy-100"]
    assert (result["noticed_s"], result["resumed_s"]) == (2.0, 2.25)
    assert text_of(result).splitlines()[2] == (
        "  ok    resumed by itself        on n2, 2.25 s after the kill, noticed after 2.0 s"
    )


def test_a_report_fails_by_each_of_its_figures() -> None:
    good = facts()
    table, (sound, corrupt) = good.source, good.installs
    twice = commit(10, e.StepCompleted("copy-0"))
    assert failed(target=TableFigures(299, table.checksum, 0)) == {"rows copied": "299 of 300"}
    assert failed(target=TableFigures(300, table.checksum, 2)) == {"rows doubled": "2"}
    assert failed(target=TableFigures(300, "cd" * 32, 0)) == {"checksums equal": f"{'ab' * 8}, {'cd' * 8}"}
    assert failed(target=None).keys() == {"rows copied", "rows doubled", "checksums equal"}
    assert failed(runs=RUNS | {"copy-0": 2}) == {"steps run again": "2: copy-0, copy-100"}
    assert failed(runs=RUNS | {"copy-100": 3}) == {"steps run again": "1: copy-100"}
    assert failed(commits=(*HISTORY[:5], twice, *HISTORY[5:])) == {"each step recorded once": "not copy-0"}
    assert failed(runs=RUNS | {"copy-300": 1}) == {"each step recorded once": "not copy-300"}
    assert failed(runs={})["each step recorded once"].startswith("not copy-0, ")
    assert failed(commits=HISTORY[:8])["migration completed"] == "running, 2 attempts"
    assert failed(kill=None).keys() == {"node killed midway", "resumed by itself"}
    assert failed(kill=Kill("n1", int(4.5e9), 3, 3)) == {"node killed midway": "n1, after 3 of 3 batches"}
    assert failed(kill=Kill("n2", int(4.5e9), 1, 3)).keys() == {"resumed by itself"}
    assert failed(replay={"equal": False}).keys() == {"replay equal"}
    assert failed(replay={"error": "no view"}) == {"replay equal": "no view"}
    assert failed(installs=(corrupt,)) == {}
    assert failed(installs=(msgspec.structs.replace(corrupt, spoilt=""),)).keys() == {"package installed"}
    assert failed(installs=(msgspec.structs.replace(sound, spoilt="lookup.py"),)) == {
        "corrupt package refused": "completed, though lookup.py is corrupt"
    }
    assert failed(installs=(msgspec.structs.replace(corrupt, spoilt="other.py"),)).keys() == {"corrupt package refused"}


# Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_a_bar_on_a_terminal_that_goes_when_it_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    terminal = Terminal()
    progress = Progress(terminal)
    progress.update(0.5, "[half]")
    progress.say("killed n1")
    progress.update(2, "full")
    progress.say("done")
    shown = terminal.getvalue()
    assert "50%" in shown
    assert "[half]" in shown, "text is no markup"
    assert "100%" in shown
    assert shown.endswith("\x1b[2Kdone\n")


def test_progress_is_a_few_lines_elsewhere() -> None:
    stream = io.StringIO()
    progress = Progress(stream)
    for number in range(1001):
        progress.update(number / 1000, f"{number}")
    progress.say("done")
    lines = stream.getvalue().splitlines()
    assert [line.split()[-1] for line in lines] == ["0", "250", "500", "750", "1000", "done"]
    assert "\x1b" not in stream.getvalue()
