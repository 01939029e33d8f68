"""A task as it is asked for: options and lines of a batch say the same, what is wrong is refused by name."""

from pathlib import Path
from typing import Any

import pytest

from clawactors.app.cli.arguments.tasks import submit
from clawactors.app.cli.parsing import Parser, options_of
from clawactors.app.cli.request import id_in, request_of_line, request_of_options
from clawactors.kernel.errors import Refused
from clawactors.systems.tasks.submission import difference


def options(*argv: str) -> Any:
    parser = Parser("claw submit", "make a task")
    submit(parser)
    return options_of(parser, argv)


def test_a_line_and_options_of_the_same_names_ask_for_the_same() -> None:
    line = request_of_line(
        b'{"id":"a","skill":"echo","params":{"text":"hi"},"name":"n","description":"d","user":"u","priority":"high",'
        b'"requires":"x,y","prefers":["z"],"affinity":{"zone":"a"},"tag":"t","metadata":{"k":1},"timeout":"1m30s",'
        b'"retries":0,"after":["p","q"],"on_dead":"run"}'
    )
    given = options(
        *("echo", '{"text":"hi"}', "--id", "a", "--name", "n", "--description", "d", "--user", "u"),
        *("--priority", "high", "--requires", "x,y", "--prefers", "z", "--affinity", "zone=a", "--tag", "t"),
        *("--metadata", '{"k":1}', "--timeout", "1m30s", "--retries", "0", "--after", "p,q"),
        *("--on-dead", "run"),
    )
    assert (line.spec.type, request_of_options(given).spec.type) == ("batch", "single")
    assert (line.id, difference(line.spec, request_of_options(given).spec)) == (request_of_options(given).id, None)
    assert (line.spec.after, line.spec.on_dead) == (("p", "q"), "run")
    assert (line.spec.timeout_s, line.spec.max_retries, line.spec.requires) == (90.0, 0, ("x", "y"))


def test_the_names_of_rows_do_as_well() -> None:
    named = b'{"id":"a","skill":"s","after":"p,q","tags":["t"],"timeout_s":2,"max_retries":1,"priority":3}'
    assert request_of_line(named) == request_of_line(
        b'{"id":"a","skill":"s","after":["p","q"],"tag":["t"],"timeout":"2s","retries":1,"priority":"high"}'
    )


def test_a_key_stands_for_one_id_and_nothing_for_a_fresh_one() -> None:
    keyed = request_of_line(b'{"skill":"s","key":"order 7"}')
    assert keyed.id == request_of_options(options("s", "--key", "order 7")).id
    assert request_of_line(b'{"skill":"s"}').id != request_of_line(b'{"skill":"s"}').id


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"", "not a task"),
        (b"nonsense", "not a task"),
        (b"[]", "not a task"),
        (b"[" * 100_000, "not a task"),
        (b"\xff", "not a task"),
        (b'{"params":{}}', "skill"),
        (b'{"skill":"s","prams":{}}', "prams"),
        (b'{"skill":"s","params":[]}', "params"),
        (b'{"skill":""}', "skill"),
        (b'{"skill":"s","id":"a b"}', "'a b' is no id"),
        (b'{"skill":"s","id":"a","key":"k"}', "not both"),
        (b'{"skill":"s","priority":5}', "priority 5"),
        (b'{"skill":"s","timeout":"soon"}', "timeout"),
        (b'{"skill":"s","timeout":"0s"}', "timeout"),
        (b'{"skill":"s","retries":-1}', "retries"),
        (b'{"skill":"s","params":{"n":NaN}}', "not a task"),
    ],
)
def test_what_is_wrong_with_a_line_is_named(line: bytes, said: str) -> None:
    with pytest.raises(Refused, match=said):
        request_of_line(line)


def test_the_id_of_a_wrong_line_is_told_where_it_has_one() -> None:
    assert id_in(b'{"id":"a b","skill":""}') == "a b"
    assert id_in(b"nonsense") is None


def test_parameters_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "params.json").write_text('{"text":"from a file"}')
    assert request_of_options(options("echo", f"@{tmp_path}/params.json")).spec.params == {"text": "from a file"}


@pytest.mark.parametrize(
    ("argv", "wait", "params"),
    [
        (["echo", "{}"], None, "{}"),
        (["echo", "{}", "--wait"], float("inf"), "{}"),
        (["echo", "--wait", "{}"], float("inf"), "{}"),
        (["--wait", "30s", "echo", "{}"], 30.0, "{}"),
        (["echo", "{}", "--wait=5m"], 300.0, "{}"),
    ],
)
def test_waiting_takes_a_duration_or_none(argv: list[str], wait: float | None, params: str) -> None:
    given = options(*argv)
    assert (given.skill, given.params, given.wait) == ("echo", params, wait)


def test_what_follows_two_dashes_is_no_option() -> None:
    given = options("--id", "a", "--", "-skill", "--json")
    assert (given.skill, given.params, given.json) == ("-skill", "--json", False)
