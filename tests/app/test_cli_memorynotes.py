"""`claw memory add` and `import`: what is kept is printed, what is dropped is named, and the exit code tells."""

import asyncio
import json
import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from clawactors.app.cli import memorynotes
from clawactors.app.cli.arguments import memory as arguments
from clawactors.app.cli.memoryrows import job_row
from clawactors.app.cli.parsing import Parser, options_of
from clawactors.app.problem import Problem
from clawactors.kernel.fold import Snapshot
from clawactors.kernel.time import iso
from clawactors.runtime.client.rows import ErrorRow, TaskRow, task_row
from clawactors.runtime.memory import StoredNote
from clawactors.systems.memories import Content
from clawactors.systems.tasks.task import Task


class Memories:
    """Records what it is given; refuses what says so."""

    def __init__(self, **settings: str) -> None:
        self.kept: dict[str, Content] = {}
        self._settings = settings

    async def settings(self, owner: str) -> dict[str, str]:
        assert owner == "maya"
        return {"zone": "", "language": ""} | self._settings

    async def record_many(self, contents: Sequence[Content], keys: Sequence[str] = ()) -> list[StoredNote]:
        notes = []
        for content, key in zip(contents, keys, strict=True):
            id = key or content.text
            if "refuse" in content.text:
                notes.append(StoredNote(id, refusal="this is refused"))
            else:
                notes.append(StoredNote(id, 1, new=id not in self.kept))
                self.kept[id] = content
        return notes


def run(memories: Memories, *words: str, verb: str = "import", **given: Any) -> int:
    parser = Parser("claw memory", "")
    arguments.memory(parser)
    options = options_of(parser, [verb, *words, "--owner", "maya"])
    for name, value in {"json": True, **given}.items():
        setattr(options, name, value)

    client: Any = SimpleNamespace(memories=memories)
    work = memorynotes.add if verb == "add" else memorynotes.import_files
    return asyncio.run(work(client, options))


def test_a_dropped_line_makes_the_exit_code_1_and_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "notes.jsonl"
    file.write_text(
        '{"text": "one"}\nnonsense\n{"text": "refuse me"}\n{"text": "two", "date": "someday"}\n{"text": "x"}'
    )
    memories = Memories()
    assert run(memories, str(file)) == 1
    out, err = capsys.readouterr()
    assert [row["text"] for row in json.loads(out)] == ["one", "x"]
    assert "notes.jsonl: line 2: invalid JSON" in err
    assert "notes.jsonl: line 4: the date 'someday'" in err
    assert "this is refused: 'refuse me'" in err
    assert run(memories, str(file), json=False) == 1
    assert "0 new notes, 2 known before, 3 dropped" in capsys.readouterr().out


def test_many_rows_are_one_document_and_a_short_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "notes.md"
    file.write_text("".join(f"- note {number}\n" for number in range(2500)))
    assert run(Memories(), str(file)) == 0
    assert len(json.loads(capsys.readouterr().out)) == 2500
    assert run(Memories(), str(file), json=False) == 0
    out = capsys.readouterr().out
    assert len(out.splitlines()) == 103
    assert "and 2400 more" in out


def test_of_a_file_that_turns_out_faulty_the_good_part_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    message = '{"uuid": "m", "sender": "human", "text": "kept"}'
    file = tmp_path / "conversations.json"
    file.write_text(f'[{{"uuid": "c", "chat_messages": [{message}]}}, {{"broken')
    memories = Memories()
    assert run(memories, str(file)) == 1
    out, err = capsys.readouterr()
    assert [row["text"] for row in json.loads(out)] == ["kept"]
    assert "invalid JSON" in err


def test_what_is_refused_as_a_whole_is_a_problem_and_records_nothing(tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text('{"port": 12}')
    good = tmp_path / "good.md"
    good.write_text("- fine")
    memories = Memories()
    with pytest.raises(Problem, match="no export of ChatGPT or Claude") as refused:
        run(memories, str(other))
    assert refused.value.code == "refused"
    with pytest.raises(Problem, match="can't read"):
        run(memories, str(good), str(tmp_path / "missing.md"))
    assert not memories.kept, "a file that is missing is told before anything is recorded"
    assert run(memories, str(good), str(other)) == 1
    with pytest.raises(Problem, match="refused"):
        run(memories, "refuse", "this", verb="add")


def test_a_job_shows_when_it_is_tried_again_and_its_error_until_then() -> None:
    def row(status: str, **more: Any) -> dict[str, Any]:
        blank = task_row("t", Snapshot(Task()))
        error = ErrorRow("timeout", "memory did not answer")
        fields = {name: getattr(blank, name) for name in TaskRow.__struct_fields__}
        return job_row(TaskRow(**{**fields, "skill": "memory.extract", "status": status, "error": error, **more}))

    at = "2024-05-01T10:00:00"
    failed = row("waiting", attempt=2, waiting_until=at, updated_at=at)
    assert (failed["status"], failed["next_at"], failed["error"]) == ("failed", at, "memory did not answer")
    assert (failed["type"], failed["attempt"], failed["max_attempts"], failed["updated_at"]) == (
        "memory.extract",
        2,
        6,
        at,
    )
    claimed = row("running", attempt=3)
    assert (claimed["status"], claimed["error"], claimed["next_at"]) == ("processing", None, None)
    dead = row("dead", attempt=6)
    assert (dead["status"], dead["error"]) == ("dead", "memory did not answer")
    assert row("completed", attempt=3)["error"] is None


@pytest.mark.parametrize(
    ("at", "settings", "given", "day"),
    [
        ("2026-06-05", {}, {}, "2026-06-05T00:00:00"),
        ("5/6/2026", {"language": "en_GB"}, {}, "2026-06-05T00:00:00"),
        ("5/6/2026", {"language": "en_US", "zone": "Asia/Tokyo"}, {}, "2026-05-05T15:00:00"),
        ("5/6/2026", {"language": "en_GB"}, {"locale": "en_US"}, "2026-05-06T00:00:00"),
        ("2026年6月5日", {"language": "zh"}, {"zone": "Asia/Shanghai"}, "2026-06-04T16:00:00"),
    ],
)
def test_a_note_is_dated_as_its_owner_means_dates(
    at: str, settings: dict[str, str], given: dict[str, str], day: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LC_ALL", "LC_TIME", "LANG"):
        monkeypatch.delenv(name, raising=False)
    memories = Memories(**settings)
    assert run(memories, "The kiln broke", verb="add", at=at, **given) == 0
    assert (iso(memories.kept["The kiln broke"].happened_ns) or "").startswith(day)


@pytest.mark.parametrize("at", ["5/6/2026", "someday", "2026-13-01"])
def test_a_date_that_cannot_be_read_adds_nothing(at: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_TIME", "LANG"):
        monkeypatch.delenv(name, raising=False)
    memories = Memories()
    with pytest.raises(Problem, match="write it as YYYY-MM-DD"):
        run(memories, "The kiln broke", verb="add", at=at)
    with pytest.raises(Problem, match="dates one note"):
        run(memories, "@notes.md", verb="add", at="2026-06-05")
    assert memories.kept == {}


def test_dates_in_files_are_read_as_the_owner_means_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    file = tmp_path / "notes.jsonl"
    file.write_text('{"text": "one", "date": "5/6/2026"}')
    memories = Memories(language="de")
    assert run(memories, str(file)) == 0
    assert (iso(memories.kept["one"].happened_ns) or "").startswith("2026-06-05T00:00:00")


def test_a_folder_is_imported_with_what_is_below_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    notes = {
        "diary.md": "The kiln broke.",
        "work/lumen.md": "We use MQTT.",
        "work/todo.txt": "Buy tyres.",
        "家/笔记.md": "窑炉坏了。",
        ".obsidian/hidden.md": "nothing",
        "work/.draft.md": "nothing",
        "work/plan.pdf": "%PDF",
    }
    for name, text in notes.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    memories = Memories()
    assert run(memories, str(tmp_path)) == 0
    assert {content.session: content.text for content in memories.kept.values()} == {
        name: text for name, text in notes.items() if text not in ("nothing", "%PDF")
    }
    assert "1 file left out, of other kinds (1 pdf)" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    with pytest.raises(Problem, match=r"holds no notes \(\.jsonl, \.markdown, \.md, \.ndjson, \.txt\)"):
        run(memories, str(tmp_path / "empty"))


class Counted(Memories):
    """Keeps nothing but the number."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    async def record_many(self, contents: Sequence[Content], keys: Sequence[str] = ()) -> list[StoredNote]:
        self.count += len(contents)
        return [StoredNote(f"m-{self.count}", 1, new=True) for _ in contents]


@pytest.mark.soak
def test_a_large_import_takes_no_more_memory_and_tells_how_far_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """20 MB of Markdown; 100 MB take as much memory."""
    file, told = tmp_path / "large.md", list[int]()
    monkeypatch.setattr(memorynotes.ProgressBar, "at", lambda _, done: told.append(done))
    with file.open("w") as out:
        for day in range(20_000):
            out.write(
                f"# Day {day}\n\n- The kiln {day} reached {day % 1300} degrees.\n\n" + "It went on. " * 80 + "\n\n"
            )
    size = file.stat().st_size
    assert size > 20_000_000
    memories = Counted()
    tracemalloc.start()
    try:
        assert run(memories, str(file), json=False) == 0  # what is printed would be captured in memory
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    capsys.readouterr()
    assert memories.count == 40_000
    assert peak < 24 << 20
    assert told == sorted(told)
    assert len(told) > 20
    assert told[-1] <= size
