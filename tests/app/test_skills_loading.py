"""What people write after `--skills`, and what they are told when it is wrong."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from clawactors.app.skills import load_skills
from clawactors.eventlog import Misconfigured

ROOT = Path(__file__).parent.parent.parent
BUILT_IN = {
    "ask-approval",
    "echo",
    "sleep",
    "shell",
    "python",
    "migrate-table",
    "install-package",
    "memory.extract",
    "workflow",
    "agent",
}
HELLO = """
from clawactors.systems.skills import skill

@skill("hello")
async def hello(task, name: str = "world") -> str:
    return f"hello, {name}"
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    path, modules = list(sys.path), set(sys.modules)
    yield tmp_path
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]


def names(*specs: str) -> set[str]:
    return {skill.name for skill in load_skills(specs)}


def refusal(*specs: str) -> str:
    with pytest.raises(Misconfigured) as caught:
        load_skills(specs)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_built_in_skills_are_always_there() -> None:
    assert names() == BUILT_IN
    assert all(skill.offer.description for skill in load_skills(()))


def test_a_file_a_module_and_a_folder(folder: Path) -> None:
    (folder / "hello_skills.py").write_text(HELLO)
    assert (
        names("hello_skills.py")
        == names("hello_skills")
        == names(str(folder / "hello_skills.py"))
        == {*BUILT_IN, "hello"}
    )
    more = folder / "more"
    more.mkdir()
    (more / "one.py").write_text(HELLO.replace("hello", "one"))
    (more / "two.py").write_text("from one import one\n" + HELLO.replace("hello", "two"))
    (more / "plain.py").write_text("x = 1\n")
    (more / "_draft.py").write_text("syntax error")
    assert names("more") == names("./more/") == {*BUILT_IN, "one", "two"}
    assert names("more", "hello_skills", "./hello_skills.py") == {*BUILT_IN, "one", "two", "hello"}


def test_a_file_whose_name_is_taken_is_loaded_under_another(folder: Path) -> None:
    (folder / "json.py").write_text(HELLO)
    (folder / "my-skills.py").write_text(HELLO.replace("hello", "dashed"))
    assert names("json.py", "my-skills.py", "./json.py") == {*BUILT_IN, "hello", "dashed"}
    import json

    assert Path(json.__file__).parent != folder


def test_own_skills_win_over_built_in_ones(folder: Path) -> None:
    (folder / "mine.py").write_text(HELLO.replace('"hello"', '"echo"'))
    skills = {skill.name: skill for skill in load_skills(["mine.py"])}
    assert set(skills) == BUILT_IN
    assert skills["echo"].function.__name__ == "hello"


def test_two_skills_of_one_name_are_named(folder: Path) -> None:
    (folder / "mine.py").write_text(HELLO)
    (folder / "yours.py").write_text(HELLO)
    assert refusal("mine.py", "yours.py") == "two skills are named 'hello', in mine.py and in yours.py: rename one"
    (folder / "both.py").write_text(HELLO + HELLO.replace("async def hello", "async def again"))
    assert "two skills are named 'hello', in both.py and in both.py" in refusal("both.py")


def test_what_is_missing_is_said(folder: Path) -> None:
    assert refusal("gone.py") == "--skills gone.py: there is no such file"
    assert refusal("sub/gone") == "--skills sub/gone: there is no such file"
    assert refusal("gone_module") == "--skills gone_module: there is no such module, file or folder"
    assert refusal("json.gone") == "--skills json.gone: there is no such module, file or folder"
    assert refusal("a b") == "--skills a b: not a module, .py file or folder"
    assert refusal("") == "--skills : not a module, .py file or folder"
    (folder / "empty").mkdir()
    (folder / "none.py").write_text("def hello(task): ...\n")
    for spec in ("empty", "none.py", "none", "json"):
        assert refusal(spec).startswith(f"--skills {spec}: no skill found")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def f(:\n", "broken.py, line 1: "),
        ("\n\nx = (\n", "broken.py, line 3: '(' was never closed"),
        ("import gone_module\n", "broken.py, line 1: ModuleNotFoundError: No module named 'gone_module'"),
        ("\n1 / 0\n", "broken.py, line 2: ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)\n", "broken.py, line 1: SystemExit: 3"),
        ("raise RuntimeError('two\\nlines')\n", "broken.py, line 1: RuntimeError: two lines"),
        ("x = 1\0\n", "null bytes"),
        (
            HELLO.replace("async def hello(task", "async def hello(task, *rest"),
            "broken.py, line 4: TypeError: async hello: ",
        ),
        (HELLO.replace('("hello")', '("hello", isolate=True)'), "at module level, not async hello"),
        (HELLO.replace('"hello"', '"no name"'), "is no skill name"),
    ],
)
def test_a_broken_file_is_one_line_with_the_place(folder: Path, source: str, words: str) -> None:
    (folder / "broken.py").write_text(source)
    for spec in ("broken.py", "broken"):
        text = refusal(spec)
        assert text.startswith(f"--skills {spec}: ")
        assert words in text
    assert "broken" not in sys.modules


def test_a_file_in_another_encoding_is_refused(folder: Path) -> None:
    (folder / "latin.py").write_bytes(b"x = '\xe4'\n")
    assert "latin.py" in refusal("latin.py")


def test_an_allow_list_reaches_the_python_skill() -> None:
    load_skills((), allow=["json:dumps"])
    with pytest.raises(Misconfigured, match="can't allow 'json'"):
        load_skills((), allow=["json"])


def test_at_a_server_of_others_a_node_runs_what_tasks_name_only_where_it_was_allowed() -> None:
    def offered(*allow: str, shared: bool) -> set[str]:
        return {"shell", "python"} & {skill.name for skill in load_skills((), allow=allow, shared=shared)}

    assert offered(shared=False) == {"shell", "python"}
    assert offered(shared=True) == set()
    assert offered("shell", shared=True) == {"shell"}
    assert offered("json:dumps", shared=True) == {"python"}
    assert offered("json:dumps", "shell", shared=True) == {"shell", "python"}


@pytest.mark.parametrize("name", ["memory", "eventlog", "projections", "tests"])
def test_a_module_beside_a_skill_file_wins_over_the_folders_of_the_checkout(folder: Path, name: str) -> None:
    own = f"{name}.py" if name != "tests" else "tests/__init__.py"
    (folder / "tests").mkdir()
    (folder / own).write_text("WORD = 'mine'\n")
    (folder / "greets.py").write_text(HELLO + f"\nfrom {name} import WORD\n")
    code = (
        f"from clawactors.app.skills import load_skills; load_skills(['greets.py']); import {name}; print({name}.WORD)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path[1:]])}
    for arguments in (["-P"], []):  # the checkout comes by the environment's path file, or by PYTHONPATH
        done = subprocess.run(
            [sys.executable, *arguments, "-c", code],
            cwd=folder,
            env=environment if not arguments else {**os.environ, "PYTHONPATH": ""},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.stdout, done.stderr) == ("mine\n", ""), arguments


def test_a_module_beside_a_skill_file_hides_nothing_that_is_installed(folder: Path) -> None:
    (folder / "msgspec.py").write_text("raise RuntimeError('the wrong one')\n")
    (folder / "json.py").write_text("raise RuntimeError('the wrong one')\n")
    (folder / "greets.py").write_text("import json, msgspec\n" + HELLO)
    code = "from clawactors.app.skills import load_skills; load_skills(['greets.py'])"
    done = subprocess.run([sys.executable, "-P", "-c", code], cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
