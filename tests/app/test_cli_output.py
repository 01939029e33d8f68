"""What people see: tables that fit, plain text for pipes, nothing that a terminal would obey."""

import io
import re
import sys
from types import SimpleNamespace
from typing import override

import pytest

from clawactors.app.cli.output import Facts, Part, Table, counted, emit, short, when
from clawactors.app.cli.progress import ProgressBar
from clawactors.app.cli.terminal import show

ID = "t-01k8h2v9q7m3x5c1b4n6d"


class Terminal(io.StringIO):
    @override
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")


def piped(capsys: pytest.CaptureFixture[str], *parts: Part) -> list[str]:
    emit(SimpleNamespace(json=False), None, lambda: parts)
    return capsys.readouterr().out.splitlines()


def shown(*parts: Part) -> str:
    stream = Terminal()
    show(parts, stream)
    return stream.getvalue()


def seen(*parts: Part) -> list[str]:
    """The lines without colours."""
    return [line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", shown(*parts)).splitlines()]


def test_a_noun_follows_its_number() -> None:
    assert [counted(number, "task") for number in (0, 1, 2)] == ["0 tasks", "1 task", "2 tasks"]


def test_a_pipe_gets_a_header_and_tabs(capsys: pytest.CaptureFixture[str]) -> None:
    assert piped(capsys, Table(("ID", "N"), [("a", 1), ("b", None)])) == ["ID\tN", "a\t1", "b\t"]


def test_a_pipe_gets_everything_and_does_not_import_rich(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "rich", None)
    monkeypatch.delitem(sys.modules, "clawactors.app.cli.terminal")
    assert piped(capsys, Table(("ID", "TEXT"), [(ID, "x" * 500)]))[1] == f"{ID}\t{'x' * 500}"


def test_a_terminal_gets_aligned_columns_under_a_head() -> None:
    assert seen(Table(("ID", "N"), [("long-id", 1), ("b", 22)])) == ["ID       N", "long-id  1", "b        22"]


def test_a_wide_character_takes_two_columns() -> None:
    assert seen(Table(("NAME", "N"), [("任务", 1), ("abc", 2)])) == ["NAME  N", "任务  1", "abc   2"]


def test_what_does_not_fit_is_cut_but_never_an_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    lines = seen(Table(("ID", "TEXT"), [(ID, "x" * 100)]))
    assert lines[1].startswith(f"{ID}  xxx")
    assert lines[1].endswith("…")
    assert all(len(line) <= 40 for line in lines)
    monkeypatch.setenv("COLUMNS", "20")
    assert ID in "\n".join(seen(Table(("ID", "NODE", "TEXT"), [(ID, "n" * 30, "x" * 100)], uncut=("ID", "NODE"))))
    assert "n" * 30 in "\n".join(seen(Table(("ID", "NODE"), [(ID, "n" * 30)], uncut=("ID", "NODE"))))


def test_control_characters_never_reach_the_terminal() -> None:
    said = shown(Table(("ID",), [("a\x1b[2J\nb\r\t\x07",)]), Facts([("name", "\x9bx")]))
    assert "\x1b[2J" not in said
    assert not any(character in said for character in "\r\x07\x9b")


def test_markup_of_the_log_is_text() -> None:
    assert seen(Table(("NAME",), [("[red]x[/red] :smile:",)]))[1] == "[red]x[/red] :smile:"


def test_colours_only_where_they_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    dead = Table(("S",), [("dead",)])
    assert "\x1b[31m" in shown(dead)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[3" not in shown(dead)
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert "\x1b" not in shown(dead)


def test_facts_leave_out_what_is_not_known(capsys: pytest.CaptureFixture[str]) -> None:
    facts = Facts([("id", "a"), ("name", ""), ("node", None), ("tags", []), ("slots", 0), ("gpu", {"a": 1})])
    assert piped(capsys, facts) == ["id\ta", "slots\t0", "gpu\ta=1"]
    assert seen(facts) == ["id     a", "slots  0", "gpu    a=1"]


def test_long_values_are_cut() -> None:
    assert short({"text": "x" * 500}, 20) == '{"text":"xxxxxxxxxxx…'
    assert short(None) == ""


def test_times_are_shown_to_the_second() -> None:
    assert when("2026-05-01T09:00:00.123456+00:00") == "2026-05-01T09:00:00Z"
    assert when(None) == ""


def test_a_bar_draws_on_a_terminal_and_clears_its_line() -> None:
    stream = Terminal()
    with ProgressBar("copying", 100, stream=stream) as bar:
        bar.at(50)
    assert "copying" in stream.getvalue()
    assert "\x1b[2K" in stream.getvalue()


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()])
def test_a_bar_is_silent_in_a_pipe_or_where_it_is_not_wanted(stream: io.StringIO) -> None:
    with ProgressBar("copying", shown=not stream.isatty(), stream=stream) as bar:
        bar.at(1)
    assert stream.getvalue() == ""
