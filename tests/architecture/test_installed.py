"""One installed name: wheel and sdist hold `clawactors` alone, and nothing of ours is imported by a bare name."""

import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path
from shutil import copytree, ignore_patterns

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
