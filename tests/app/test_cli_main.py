"""The command line without a cluster: what it costs, what it understands, how everything ends."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, cast, get_args

import pytest

from clawactors.app.bench.command import _benches
from clawactors.app.cli import catalogue
from clawactors.app.cli.arguments import cluster, memory, schedules, tasks
from clawactors.app.cli.commands.change import _change_of
from clawactors.app.cli.commands.completion import _SCRIPTS
from clawactors.app.cli.commands.memory import VERBS
from clawactors.app.cli.main import main
from clawactors.app.cli.parsing import GLOBALS, Parser
from clawactors.app.cli.replay import main as replay
from clawactors.app.problem import EXITS, Problem, problem_of
from clawactors.app.skills import load_skills
from clawactors.eventlog import Corrupt, Misconfigured, NoResponders, TooLarge, Unavailable, WrongVersion
from clawactors.kernel.errors import NotFound, Refused
from clawactors.projections.views.tasks.dimensions import BY
from clawactors.runtime.client.summary import DIMENSIONS
from clawactors.runtime.output import LOG
from clawactors.systems.chats.events import Role
from clawactors.systems.memories import Kind
from clawactors.systems.schedules.planning import CATCH_UP
from clawactors.systems.tasks.submission import ON_DEAD, PRIORITIES

ROOT = str(Path(__file__).parents[2])
HEAVY = {"asyncio", "msgspec", "nats", "lmdb", "numpy", "psutil", "eventlog", "uvloop"}


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No cluster is to be found."""
    for name in ("CLAW_NATS_URL", "NATS_URL", "NATS_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CLAW_DATA", str(tmp_path / "data"))


def modules_after(code: str) -> set[str]:
    """What a fresh Python has imported when it has run the code."""
    code = f"import sys\n{code}\nprint(*sorted(sys.modules), file=sys.stderr)"
    env = os.environ | {"PYTHONPATH": ROOT}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, check=False)
    return set(done.stderr.decode().split())


@pytest.mark.parametrize("name", [*catalogue.COMMANDS, *catalogue.FOR_SCRIPTS])
def test_the_help_of_a_command_imports_nothing_of_what_it_does(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = catalogue.COMMANDS.get(name) or catalogue.FOR_SCRIPTS[name]
    monkeypatch.setitem(sys.modules, entry.module, None)  # its import fails
    assert main([name, "--help"]) == 0
    assert f"usage: claw {name}" in capsys.readouterr().out


def test_choices_are_those_of_the_domain() -> None:
    assert tuple(PRIORITIES) == tasks.PRIORITIES
    assert (tasks.ON_DEAD, schedules.CATCH_UP, tasks.LOG) == (ON_DEAD, CATCH_UP, LOG)
    assert (get_args(Role.__value__), get_args(Kind.__value__)) == (memory.ROLES, memory.KINDS)
    assert tuple(_SCRIPTS) == cluster.SHELLS
    assert (*_benches(), "all") == cluster.BENCHES
    assert cluster.DIMENSIONS == DIMENSIONS
    assert set(DIMENSIONS) == set(BY)


@pytest.mark.parametrize("arguments", [["--help"], ["submit", "--help"], ["memory", "add", "--help"], ["join", "-h"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    loaded = modules_after(f"from clawactors.app.cli.main import main\nmain({arguments})")
    assert "clawactors.app.cli.main" in loaded
    assert not loaded & HEAVY


def test_a_usage_error_imports_nothing_heavy() -> None:
    assert not modules_after("from clawactors.app.cli.main import main\nmain(['nosuch'])") & HEAVY


def test_a_command_imports_only_what_it_needs() -> None:
    """Every import costs each command a millisecond or more: no view, no memory, no rich, no kind but the task."""
    loaded = modules_after("from clawactors.app.cli.main import main\nmain(['task', 'x'])")
    assert "clawactors.runtime.client.client" in loaded, "it went as far as looking for a server"
    assert not loaded & {
        "lmdb",
        "numpy",
        "hnswlib",
        "psutil",
        "uvloop",
        "rich",
        "cronsim",
        "snowballstemmer",
        "difflib",
    }
    assert not {name for name in loaded if name.startswith(("clawactors.memory", "clawactors.projections.views"))}
    systems = {name.split(".")[2] for name in loaded if name.startswith("clawactors.systems.")}
    assert systems == {"tasks"}
    assert "clawactors.runtime.control" not in loaded
    assert "clawactors.runtime.node" not in loaded


def test_the_overview_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"  {name} " in shown for name in catalogue.COMMANDS)


@pytest.mark.parametrize("name", catalogue.COMMANDS)
def test_every_command_is_there_and_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    module = import_module(catalogue.COMMANDS[name].module)
    assert callable(module.run)
    assert main([name, "--help"]) == 0
    assert "--json" in capsys.readouterr().out


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("claw 0.")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "no command given"),
        (["taks"], "did you mean 'tasks'?"),
        (["tasks", "--nosuch"], "--nosuch"),
        (["--nosuch", "tasks"], "--nosuch"),
        (["tasks", "--status", "asleep"], "no status 'asleep'"),
        (["tasks", "--since", "yesterday"], "not a valid time"),
        (["tasks", "--limit", "-1"], "--limit"),
        (["tasks", "--limit", "0"], "asks for nothing"),
        (["submit"], "which skill?"),
        (["submit", "echo", "[1]"], "Expected `object`"),
        (["submit", "echo", "{"], "truncated"),
        (["submit", "echo", "@/nonexistent"], "can't read /nonexistent"),
        (["submit", "echo", "--metadata", "1"], "--metadata"),
        (["submit", "echo", "--timeout", "soon"], "not a valid duration"),
        (["submit", "echo", "--priority", "utmost"], "invalid choice"),
        (["submit", "echo", "--affinity", "zone"], "KEY=VALUE"),
        (["submit", "--batch", "x", "--priority", "high"], "remove 'priority'"),
        (["submit", "--batch", "/nonexistent"], "can't read /nonexistent"),
        (["task"], "ID"),
        (["task", "t", "--at", "noon"], "not a valid time"),
        (["node", "a", "b"], "which node?"),
        (["node", "set", "a"], "nothing to set"),
        (["node", "a", "--slots", "3"], "which node?"),
        (["up", "--port", "70000"], "not a valid port"),
        (["up", "--context", "x", "--nats", "nats://y:1"], "both name a server"),
        (["bench", "nosuch"], "invalid choice"),
        (["memory", "update"], "claw memory update takes ID TEXT, and was given none"),
        (["dead-letters"], "say what to do: list, show, redrive, drop"),
        (["memory"], "say what to do: "),
        (["config", "--reason", "x"], "say what to do: list, get, set"),
        (["memory", "stats", "x"], "takes no arguments, and was given 1 argument"),
        (["nodes", "--colour", "red"], "unrecognized arguments: --colour red; it takes --"),
    ],
)
def test_what_is_not_understood_ends_with_2(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "--json"]) == 2
    shown = capsys.readouterr()
    error = json.loads(shown.out)["error"]
    assert error["code"] == "usage"
    assert said in error["message"]
    assert error["hint"]
    assert shown.err.startswith("claw: ")
    assert shown.err.count("\n") == 1


def test_without_json_standard_output_stays_empty(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["taks"]) == 2
    assert capsys.readouterr().out == ""


def test_json_behind_two_dashes_is_no_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tasks", "--", "--json"]) == 2
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("arguments", [["tasks"], ["task", "t-1"], ["submit", "echo"], ["nodes"], ["join"], ["status"]])
def test_without_a_cluster_it_ends_with_5_and_says_how_to_start_one(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 5
    said = capsys.readouterr().err
    assert f"no cluster runs on {tmp_path / 'data'}" in said
    assert "claw up" in said


def test_the_doctor_reports_that_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert not report["ok"]
    assert [check["name"] for check in report["checks"]] == ["server"]


def test_down_where_nothing_runs_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["down", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["stopped"] is False


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--verify", "--until", "5"], "--verify"),
        (["--view", "nosuch"], "no view"),
        (["--until", "noon"], "not a valid time"),
    ],
)
def test_replay_understands_as_strictly(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert replay(arguments) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_knows_every_command_and_its_options(
    shell: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert all(name in script for name in catalogue.COMMANDS)
    assert "dry-run" in script
    if program := shutil.which(shell):
        (tmp_path / "claw").write_text(script)
        subprocess.run([program, "-n", str(tmp_path / "claw")], check=True)


def test_bash_completes_commands_and_options(capsys: pytest.CaptureFixture[str]) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("bash is not installed")
    assert main(["completion", "bash"]) == 0
    script = capsys.readouterr().out

    def completed(*words: str) -> set[str]:
        typed = " ".join(f"'{word}'" for word in ("claw", *words))
        code = f"{script}\nCOMP_WORDS=({typed}); COMP_CWORD={len(words)}; _claw; printf '%s\\n' ${{COMPREPLY[@]}}"
        return set(subprocess.run([bash, "-c", code], capture_output=True, text=True, check=True).stdout.split())

    assert completed("ta") == {"task", "tasks"}
    assert completed("--json", "tasks", "--sta") == {"--status"}
    assert "--yes" in completed("cancel", "--")


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Any], int]], None]:
    """Puts a function in place of the command `nodes`."""

    def put(run: Callable[[Any], int]) -> None:
        module: Any = ModuleType("clawactors_test_command")
        module.run = run
        monkeypatch.setattr(cluster, module.__name__, lambda parser: None, raising=False)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setitem(catalogue.COMMANDS, "nodes", catalogue.CatalogueEntry("", module.__name__, "be tested"))

    return put


def test_global_options_stand_on_either_side(command: Callable[[Callable[[Any], int]], None]) -> None:
    seen: list[Any] = []

    def see(options: Any) -> int:
        seen.append(options)
        return 0

    command(see)
    assert main(["--json", "--data", "a", "nodes", "--nats=b", "--context", "c", "--debug"]) == 0
    assert (seen[0].json, seen[0].data, seen[0].nats, seen[0].context, seen[0].debug) == (True, "a", "b", "c", True)


def test_ctrl_c_ends_with_130(
    command: Callable[[Callable[[Any], int]], None], capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(options: Any) -> int:
        raise KeyboardInterrupt

    command(interrupted)
    assert main(["nodes"]) == 130
    assert capsys.readouterr().err == "claw: interrupted\n"


def test_a_fault_of_the_program_is_one_line(
    command: Callable[[Callable[[Any], int]], None], capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(options: Any) -> int:
        raise KeyError("oh")

    command(broken)
    assert main(["nodes", "--json"]) == EXITS["internal"]
    shown = capsys.readouterr()
    assert json.loads(shown.out)["error"]["code"] == "internal"
    assert "Traceback" not in shown.err
    assert shown.err.count("\n") == 1
    assert main(["nodes", "--debug"]) == EXITS["internal"]
    assert "Traceback" in capsys.readouterr().err


def test_a_reader_that_has_left_ends_it_quietly() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "clawactors.app.cli.main", "--help"],
            env=os.environ | {"PYTHONPATH": ROOT},
            stdout=writer,
            stderr=subprocess.PIPE,
            check=False,
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize(
    ("error", "code", "exit"),
    [
        (NotFound("no"), "not_found", 3),
        (Refused("no"), "refused", 4),
        (WrongVersion("task/t", 1, 2), "refused", 4),
        (TooLarge(2, 1), "refused", 4),
        (Misconfigured("no"), "misconfigured", 4),
        (Unavailable("no"), "unavailable", 5),
        (NoResponders("no"), "unavailable", 5),
        (TimeoutError("no"), "timeout", 5),
        (Corrupt("no"), "corrupt", 5),
        (PermissionError(13, "no"), "misconfigured", 4),
        (ExceptionGroup("several", [Refused("no")]), "refused", 4),
        (ZeroDivisionError("no"), "internal", 70),
    ],
)
def test_every_error_has_its_exit_code(error: Exception, code: str, exit: int) -> None:
    problem = problem_of(error)
    assert (problem.code, problem.exit) == (code, exit)


@pytest.mark.parametrize("skills", ["nowhere/at_all.py", "no_such_module_anywhere", "not a name"])
def test_skills_that_are_not_there_are_a_fault_of_the_option_and_the_hint_says_so(skills: str) -> None:
    with pytest.raises(Misconfigured) as raised:
        load_skills([skills])
    problem = problem_of(raised.value)
    assert (problem.code, problem.exit, problem.hint) == ("usage", 2, "correct the value of --skills")
    assert problem.message.startswith(f"--skills {skills}: ")


def test_an_error_is_one_line_with_the_way_out() -> None:
    problem = Problem("refused", "it is\nso", "do that")
    assert problem.line == "claw: it is so (do that)"
    assert problem.document == {"error": {"code": "refused", "message": "it is so", "hint": "do that"}}
    assert Problem("unavailable", "nothing runs: start it with `claw up`").line.endswith("`claw up`")


def test_the_help_of_a_verb_lists_what_it_takes_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["memory", "jobs", "--help"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("usage: claw memory jobs [options]\n")
    assert {"--limit N", "--owner OWNER", "--status STATUS"} <= set(re.findall(r"--[a-z-]+ [A-Z]+", said))
    assert not re.search(r"--(kind|explain|budget|yes)\b|\bsearch\b", said)
    assert main(["memory", "--help"]) == 0
    assert "search, context, add: raw, summary or knowledge" in " ".join(capsys.readouterr().out.split())


def test_a_verb_has_the_help_of_every_option_that_it_reads() -> None:
    assert list(memory.VERBS) == list(VERBS)
    named = set().union(*(verb.options for verb in memory.VERBS.values()))
    parser = Parser("claw memory", "")
    memory.memory(parser)
    assert named == {action.dest for action in parser._actions if action.option_strings} - {*GLOBALS, "help"}


async def test_a_cancel_asks_for_what_its_options_say() -> None:
    asked: list[tuple[bool, bool]] = []

    class Fake:
        pause = resume = delete = None

        async def cancel(self, id: str, *, undo: bool, now: bool) -> None:
            asked.append((undo, now))

    parser = Parser("claw cancel", "")
    catalogue.COMMANDS["cancel"].declare(parser)
    for words in (["t"], ["t", "--undo"], ["t", "--now"]):
        options = parser.parse_args(words)
        options.command = "cancel"
        await _change_of(cast("Any", Fake()), options)("t")
    assert asked == [(False, False), (True, False), (False, True)]
