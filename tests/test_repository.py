"""The checkout itself: locks that fit pyproject.toml, starters that prepare themselves or say what is missing."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
OPTIONAL = [
    requirement
    for extra in ("hnsw", "expressions", "web", "mcp")
    for requirement in PROJECT["project"]["optional-dependencies"][extra]
]
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-build.lock")
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)")


def pins(lock: str) -> dict[str, str]:
    matches = (PINNED.match(line) for line in (ROOT / lock).read_text().splitlines())
    return {canonicalize_name(match[1]): match[2] for match in matches if match}


@pytest.mark.parametrize(
    ("lock", "wanted"),
    [
        ("requirements.lock", PROJECT["project"]["dependencies"] + OPTIONAL),
        ("requirements-dev.lock", PROJECT["project"]["dependencies"] + OPTIONAL + PROJECT["dependency-groups"]["dev"]),
        ("requirements-build.lock", PROJECT["dependency-groups"]["build"] + PROJECT["build-system"]["requires"]),
    ],
)
def test_a_lock_fits_the_project(lock: str, wanted: list[str]) -> None:
    locked = pins(lock)
    for requirement in map(Requirement, wanted):
        version = locked.get(canonicalize_name(requirement.name))
        assert version, f"{requirement.name} is not in {lock}: run .ci/lock"
        assert requirement.specifier.contains(version), f"{lock} has {requirement.name} {version}: run .ci/lock"


def test_the_locks_agree_with_each_other() -> None:
    runtime, dev, build = map(pins, LOCKS)
    assert runtime.items() <= dev.items()
    assert {name: build[name] for name in build.keys() & dev.keys()} == {
        name: dev[name] for name in build.keys() & dev.keys()
    }


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_versions_and_hashes_and_nothing_of_a_machine(lock: str) -> None:
    for line in (ROOT / lock).read_text().splitlines():
        assert re.match(r"#|    --hash=sha256:[0-9a-f]{64}( \\)?$|[a-z0-9-]+==\S+( ; [a-z_ '!=0-9A-Z]+)? \\$", line), (
            line
        )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what the starters need, with locks that want nothing."""
    shutil.copytree(ROOT / "bin", tmp_path / "bin", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for lock in LOCKS:
        (tmp_path / lock).write_text("# nothing\n")
    cli = tmp_path / "clawactors" / "app" / "cli"
    cli.mkdir(parents=True)
    (cli / "main.py").write_text("import sys\nprint(sys.argv[1:])\n")
    return tmp_path


def claw(checkout: Path, *arguments: str, path: str) -> subprocess.Popen[str]:
    """`bin/claw` in an environment where only `path` and this interpreter's folder lead to programs."""
    environment = {"PATH": path, "HOME": str(checkout)}
    command = ["/bin/sh", str(checkout / "bin" / "claw"), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def outcome(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    try:
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    return process.returncode, out, err


def only_python(checkout: Path) -> str:
    """A PATH that has the interpreter of this run and nothing else."""
    folder = checkout / "programs"
    folder.mkdir(exist_ok=True)
    base = Path(sys.base_prefix, "bin", f"python3.{sys.version_info.minor}")
    (folder / "python3.12").unlink(missing_ok=True)
    (folder / "python3.12").symlink_to(base)
    return str(folder)


def programs(checkout: Path) -> str:
    """A PATH that has the interpreter of this run first, then everything."""
    return f"{only_python(checkout)}:{os.environ['PATH']}"


def test_without_a_python_one_line_says_so(checkout: Path) -> None:
    shims = checkout / "shims"
    shims.mkdir()
    for name in ("python3.12", "python3"):
        (shims / name).write_text("#!/bin/sh\necho 'pyenv: command not found' >&2\nexit 127\n")
        (shims / name).chmod(0o755)
    code, out, err = outcome(claw(checkout, "--help", path=str(shims)))
    assert (code, out, err.count("\n")) == (5, "", 1)
    assert "no Python 3.12 or newer" in err


def test_a_python_that_lacks_parts_is_named(checkout: Path) -> None:
    folder = checkout / "programs"
    folder.mkdir()
    (folder / "python3").write_text("#!/bin/sh\necho 'ensurepip, zlib'\n")
    (folder / "python3").chmod(0o755)
    code, out, err = outcome(claw(checkout, path=str(folder)))
    assert (code, out, err.count("\n")) == (5, "", 1)
    assert f"{folder}/python3 lacks ensurepip, zlib" in err


def test_without_a_compiler_all_but_hnswlib_is_installed_and_one_line_says_so(checkout: Path) -> None:
    optional = f"hnswlib==0.8.0 \\\n    --hash=sha256:{'0' * 64}\n"
    (checkout / "requirements.lock").write_text(f"# nothing\n{optional}# nothing more\n")
    code, out, err = outcome(claw(checkout, "tasks", path=only_python(checkout)))
    assert (code, out) == (0, "['tasks']\n"), err
    assert [line for line in err.splitlines() if "hnswlib" in line] == err.splitlines()[1:]
    assert "no C++ compiler found: install one" in err
    assert (checkout / ".venv" / "required.lock").read_text() == "# nothing\n# nothing more\n"
    assert outcome(claw(checkout, "tasks", path="/nowhere")) == (0, "['tasks']\n", ""), "it is said once"


def test_an_optional_package_that_does_not_build_does_not_stop_the_installation(checkout: Path) -> None:
    (checkout / "requirements.lock").write_text("hnswlib==0.8.0 \\\n    --hash=nonsense\n")
    code, out, err = outcome(claw(checkout, "tasks", path=programs(checkout)))
    assert (code, out) == (0, "['tasks']\n"), err
    assert "hnswlib is not installed, so memory searches vectors exactly" in err.splitlines()[-1]


def test_an_environment_of_somebody_else_is_left_alone(checkout: Path) -> None:
    mine = checkout / ".venv" / "mine"
    mine.parent.mkdir()
    mine.touch()
    code, _, err = outcome(claw(checkout, path=programs(checkout)))
    assert (code, err.count("\n")) == (5, 1)
    assert "remove it" in err
    assert mine.exists()


def test_an_interrupted_first_run_is_repaired_by_two_runs_at_once(checkout: Path) -> None:
    junk = checkout / ".venv" / "half-written"
    junk.parent.mkdir()
    junk.touch()
    (checkout / ".venv" / "made-by-claw").touch()
    runs = [claw(checkout, "tasks", "a b", path=programs(checkout)) for _ in range(2)]
    results = [outcome(run) for run in runs]
    assert [(code, out) for code, out, _ in results] == [(0, "['tasks', 'a b']\n")] * 2, results
    assert not junk.exists()
    made = (checkout / ".venv" / "ready-runtime").stat().st_mtime_ns

    assert outcome(claw(checkout, path="/nowhere")) == (0, "[]\n", ""), "ready: nothing else is needed, nothing is said"
    link = checkout / "elsewhere"
    link.symlink_to("bin/claw")
    assert subprocess.run([link, "x"], capture_output=True, text=True, check=True).stdout == "['x']\n"
    assert (checkout / ".venv" / "ready-runtime").stat().st_mtime_ns == made
