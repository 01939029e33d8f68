"""One installed name: wheel and sdist hold `clawactors` alone, and nothing of ours is imported by a bare name."""

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path
from shutil import copytree, ignore_patterns, unpack_archive

import pytest

from tests.architecture.source import ROOT, TOPS

BUILD = "import sys; from setuptools import build_meta as b; out = sys.argv[1]; b.build_sdist(out); b.build_wheel(out)"
IMPORT_ALL = """
import importlib, pkgutil, sys
import clawactors
for module in pkgutil.walk_packages(clawactors.__path__, "clawactors."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
ours = [name for name in sys.modules if name.split(".")[0] == "clawactors"]
assert len(ours) > 200, len(ours)
print(sorted({name.split(".")[0] for name in sys.modules} & set(sys.argv[1:])))
"""


def run(code: str, *arguments: str, cwd: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=cwd, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a wheel and an sdist, made without network and without touching the checkout."""
    copy, out = tmp_path_factory.mktemp("checkout"), tmp_path_factory.mktemp("dist")
    skipped = ignore_patterns("__pycache__", "*.egg-info")
    for top in (*TOPS, "clawactors"):
        copytree(ROOT / top, copy / top, symlinks=True, ignore=skipped)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        (copy / name).write_bytes((ROOT / name).read_bytes())
    run(BUILD, str(out), cwd=copy)
    return out


@pytest.fixture(scope="module")
def site(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an install of the wheel puts into `site-packages`."""
    folder = tmp_path_factory.mktemp("site")
    (wheel,) = built.glob("*.whl")
    unpack_archive(wheel, folder, "zip")
    return folder


def installed(names: Iterable[str]) -> set[str]:
    """The names that a wheel with these files takes in `site-packages`."""
    tops = {name.split("/")[0] for name in names}
    return {top for top in tops if not top.endswith(".dist-info")}


def test_a_second_name_is_found() -> None:
    assert installed(["clawactors/a.py", "memory/b.py", "x-1.dist-info/RECORD", "c.py"]) == {
        "clawactors",
        "memory",
        "c.py",
    }


def test_a_wheel_installs_one_name(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as file:
        names = file.namelist()
    assert installed(names) == {"clawactors"}
    for top in TOPS:
        assert f"clawactors/{top}/__init__.py" in names


def test_an_sdist_holds_all_modules_below_one_name(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as file:
        names = [name.partition("/")[2] for name in file.getnames()]
    assert {name.split("/")[0] for name in names if name.endswith(".py")} == {"clawactors"}
    packed = {name for name in names if name.endswith(".py")}
    assert packed == {path.relative_to(ROOT).as_posix() for path in all_modules()}


def all_modules() -> list[Path]:
    found = [path for path in (ROOT / "clawactors").rglob("*.py") if not path.is_symlink()]
    linked = [ROOT / "clawactors" / path.relative_to(ROOT) for top in TOPS for path in (ROOT / top).rglob("*.py")]
    return sorted({*found, *linked})


def test_nothing_of_ours_is_imported_by_a_bare_name() -> None:
    assert run(IMPORT_ALL, *TOPS, cwd=ROOT) == "[]"
    breaking = f"import sys; sys.path.insert(0, '.'); import memory\n{IMPORT_ALL}"
    assert run(breaking, *TOPS, cwd=ROOT) == "['memory']", "a bare import must be seen, else this test shows nothing"


SNIPPETS = dict(
    re.findall(r"```python\n# (test_\w+\.py)\n(.*?)```", (ROOT / "docs" / "testing.md").read_text("utf-8"), re.DOTALL)
)
"""The tests of `docs/testing.md`, each a file."""

USERS_OWN = """
import os, subprocess, sys
import pytest
import clawactors
from clawactors import Task, skill
from clawactors.testing import Cluster

@skill("greet")
async def greet(task: Task, name: str) -> str:
    return f"Hello, {name}"

@pytest.mark.asyncio
async def test_with_pytest_asyncio(claw_cluster):
    async with claw_cluster(skills=[greet]) as cluster:
        assert await cluster.client.run("greet", {"name": "Ada"}) == "Hello, Ada"

def test_from_the_install():
    assert clawactors.__file__.startswith(os.environ["SITE"])

def test_the_plugin_costs_nothing_who_does_not_use_it():
    code = "import sys; import clawactors.testing.plugin; print(*sys.modules)"
    names = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"msgspec", "lmdb", "numpy", "nats", "clawactors.testing.cluster"} & {*names}
"""


def test_every_snippet_on_testing_is_run() -> None:
    assert len(SNIPPETS) == (ROOT / "docs" / "testing.md").read_text("utf-8").count("```python") > 4


def test_who_has_installed_it_tests_with_its_fixture(site: Path, tmp_path: Path) -> None:
    """In a fresh folder: the page's tests, those of the example project, and what only a user's process can show."""
    copytree(ROOT / "examples" / "testing", tmp_path / "shop", ignore=ignore_patterns("__pycache__"))
    for name, source in (SNIPPETS | {"test_own.py": USERS_OWN}).items():
        (tmp_path / name).write_text(source, "utf-8")
    files = {path.name for path in tmp_path.iterdir()}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", "--strict-markers"]
    command += ["-o", "asyncio_default_fixture_loop_scope=function", "."]
    environment = {"PYTHONPATH": str(site), "SITE": str(site), "PATH": os.environ["PATH"]}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    written = [*SNIPPETS.values(), USERS_OWN, (tmp_path / "shop" / "test_orders.py").read_text("utf-8")]
    tests = sum(len(re.findall(r"^(?:async )?def test_", source, re.MULTILINE)) for source in written)
    assert f"{tests + 1} passed" in done.stdout, "one of them has two cases"
    assert {path.name for path in tmp_path.iterdir()} - {"__pycache__"} == files, "a cluster makes no file"
