"""What people see: tables that fit, plain text for pipes, nothing that a terminal would obey."""

import io
from typing import Any, override

import pytest

from clawactors.app.cli.bar import Bar
from clawactors.app.cli.screen import Screen, card, short, table, when

PIPE = Screen()


class Terminal(io.StringIO):
    @override
    def isatty(self) -> bool:
        return True


def test_a_pipe_gets_tabs_and_no_head() -> None:
    assert list(table(PIPE, ("ID", "N"), [("a", 1), ("b", None)])) == ["a\t1", "b\t"]


def test_a_terminal_gets_aligned_columns_under_a_head() -> None:
    assert list(table(Screen(80), ("ID", "N"), [("long-id", 1), ("b", 22)])) == [
        "ID       N",
        "long-id  1",
        "b        22",
    ]


def test_a_wide_character_takes_two_columns() -> None:
    assert list(table(Screen(80), ("NAME", "N"), [("任务", 1), ("abc", 2)])) == ["NAME  N", "任务  1", "abc   2"]


def test_what_does_not_fit_is_cut() -> None:
    lines = list(table(Screen(30), ("ID", "TEXT"), [("a", "x" * 100)]))
    assert lines[1] == "a   " + "x" * 25 + "…"
    assert all(len(line) <= 30 for line in lines)


def test_control_characters_never_reach_the_terminal() -> None:
    lines = list(table(Screen(80), ("ID",), [("a\x1b[2J\nb\r\t\x07",)])) + list(card(PIPE, [("name", "\x9bx")]))
    assert not any(character in line for line in lines for character in "\x1b\n\r\x07\x9b")


def test_colours_only_where_they_are_wanted() -> None:
    assert Screen.of(io.StringIO(), {}) == Screen()
    assert Screen.of(Terminal(), {}).colour
    assert not Screen.of(Terminal(), {"NO_COLOR": "1"}).colour
    assert not Screen.of(Terminal(), {"TERM": "dumb"}).colour
    assert list(table(Screen(80, True), ("S",), [("dead",)])) == ["\x1b[1mS\x1b[0m", "\x1b[31mdead\x1b[0m"]


def test_a_card_leaves_out_what_is_not_known() -> None:
    facts: list[tuple[str, Any]] = [
        ("id", "a"),
        ("name", ""),
        ("node", None),
        ("tags", []),
        ("slots", 0),
        ("gpu", {"a": 1}),
    ]
    assert list(card(PIPE, facts)) == ["id\ta", "slots\t0", "gpu\ta=1"]


def test_long_values_are_cut() -> None:
    assert short({"text": "x" * 500}, 20) == '{"text":"xxxxxxxxxxx…'
    assert short(None) == ""


def test_times_are_shown_to_the_second() -> None:
    assert when("2026-05-01T09:00:00.123456+00:00") == "2026-05-01T09:00:00Z"
    assert when(None) == ""


def test_a_bar_draws_on_a_terminal_and_clears_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 0.0
    monkeypatch.setattr("clawactors.app.cli.bar.time.monotonic", lambda: now_s)
    stream = Terminal()
    with Bar("copying", 100, stream=stream) as bar:
        now_s = 1.0
        bar.at(50)
        bar.at(51)  # too soon to be drawn
    drawn = stream.getvalue()
    assert "50%" in drawn
    assert "50/100" in drawn
    assert "51" not in drawn
    assert drawn.endswith("\r\x1b[K")


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()])
def test_a_bar_is_silent_in_a_pipe_or_where_it_is_not_wanted(stream: io.StringIO) -> None:
    with Bar("copying", shown=not stream.isatty(), stream=stream) as bar:
        bar.at(1)
    assert stream.getvalue() == ""
