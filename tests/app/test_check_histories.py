"""Recorded histories of any form are folded with this release, and what differs is told with its place."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from clawactors import Task, skill
from clawactors.app.cli.replay import main
from clawactors.app.upkeep.checking import CheckReport, check_histories
from clawactors.eventlog import InProcessLog, Misconfigured, Record
from clawactors.eventlog.archive.lines import line_of
from clawactors.eventlog.archive.writer import ArchiveWriter
from clawactors.testing import Cluster
from tests.architecture.source import ROOT


@skill("count")
async def count(task: Task, up_to: int) -> int:
    for n in range(up_to):
        await task.step(f"s{n}", str, n)
    return up_to


class Recorded:
    """A task that has run: its history and row as the command line prints them, and its records."""

    def __init__(self, history: list[dict[str, Any]], row: Any, records: list[Record]) -> None:
        self.history, self.row, self.records = history, row, records


@pytest.fixture
async def recorded() -> AsyncIterator[Recorded]:
    async with Cluster([count]) as cluster:
        await cluster.client.run("count", {"up_to": 3}, id="a")
        log = cluster._host.log
        assert isinstance(log, InProcessLog)
        records = [record async for batch in log.read(("claw.task.a.>",)) for record in batch]
        history = [entry.row for entry in await cluster.client.history("a")]
        yield Recorded(history, msgspec.json.decode(msgspec.json.encode(await cluster.client.task("a"))), records)


async def checked(folder: Path) -> CheckReport:
    return [report async for report in check_histories(folder)][-1]


def write(folder: Path, recorded: Recorded) -> None:
    (folder / "a.json").write_text(json.dumps(recorded.history))
    (folder / "a.row.json").write_text(json.dumps(recorded.row))


async def test_what_the_command_line_and_the_archive_write_is_read(tmp_path: Path, recorded: Recorded) -> None:
    write(tmp_path, recorded)
    (tmp_path / "lines").mkdir()
    (tmp_path / "lines" / "a.jsonl").write_text("\n".join(json.dumps(entry) for entry in recorded.history))
    (tmp_path / "records.jsonl").write_bytes(b"".join(map(line_of, recorded.records)))
    with (tmp_path / "000000000001-x.jsonl.zst").open("wb") as out:
        writer = ArchiveWriter(out, "log", 1)
        for record in recorded.records:
            writer.add(record)
        writer.finish({"task/a"})
    report = await checked(tmp_path)
    assert (report.ok, report.files, report.histories) == (True, 4, 4), report.problems
    assert report.records == 4 * len(recorded.records)


async def test_an_event_of_a_later_release_is_told_with_its_place(tmp_path: Path, recorded: Recorded) -> None:
    recorded.history[-1]["type"] = "task.rejoiced"
    write(tmp_path, recorded)
    (problem, *_) = (await checked(tmp_path)).problems
    assert (problem.file, problem.aggregate, problem.seq) == ("a.json", "task/a", recorded.history[-1]["seq"])
    assert "task.rejoiced" in problem.problem


async def test_an_event_that_is_illegal_now_is_told(tmp_path: Path, recorded: Recorded) -> None:
    del recorded.history[1]  # it was never scheduled
    (tmp_path / "a.json").write_text(json.dumps(recorded.history))
    assert "is illegal here" in (await checked(tmp_path)).problems[0].problem


async def test_another_end_is_told_field_by_field(tmp_path: Path, recorded: Recorded) -> None:
    recorded.row |= {"result": 4, "attempt": 2, "gone": 1}
    write(tmp_path, recorded)
    problems = [each.problem for each in (await checked(tmp_path)).problems]
    assert sorted(problems) == ["attempt was 2 and is 1", "gone is gone", "result was 4 and is 3"]


@pytest.mark.parametrize("text", ["", "[]", "{}", "nonsense", '[{"seq": 1}]', '[{"seq":1,"at":"noon","type":"x"}]'])
async def test_what_is_no_history_is_a_problem_and_the_rest_is_checked(
    tmp_path: Path, recorded: Recorded, text: str
) -> None:
    write(tmp_path, recorded)
    (tmp_path / "b.json").write_text(text)
    (tmp_path / "c.jsonl.zst").write_bytes(b"cut")
    report = await checked(tmp_path)
    assert (report.histories, [each.file for each in report.problems]) == (1, ["b.json", "c.jsonl.zst"])


async def test_a_folder_without_histories_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="has no recorded histories"):
        await checked(tmp_path)


@pytest.mark.parametrize(("folder", "least"), [("histories", 30), ("events", 150)])
def test_all_that_was_ever_recorded_holds(folder: str, least: int, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["--check", str(ROOT / "tests" / "wire" / folder), "--json"]) == 0
    report = json.loads(capsysbinary.readouterr().out)
    assert (report["ok"], report["problems"]) == (True, [])
    assert report["histories"] >= least


def test_the_exit_code_says_that_something_differs(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    (tmp_path / "t.json").write_text('[{"seq":1,"at":"2026-01-01T00:00:00Z","type":"task.completed"}]')
    assert main(["--check", str(tmp_path)]) == 1
    assert b"Completed is illegal here" in capsysbinary.readouterr().out
    assert main(["--check", str(tmp_path), "--verify"]) == 2
