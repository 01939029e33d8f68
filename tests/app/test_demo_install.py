"""`install-package` (R-T11): five steps, each of which can fail clearly and run again."""

import itertools
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from clawactors.app.demo.install import PACKAGE, install_package
from clawactors.app.demo.installation import Installation, read_manifest
from tests.app.handles import Journal, Killed, SyncHandle

STEPS = ["check-dependencies", "verify-files", "import-sql", "install", "clear-caches"]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    shutil.copytree(PACKAGE, tmp_path / "package", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "package"


@pytest.fixture
def into(tmp_path: Path) -> Path:
    (tmp_path / "into" / "cache" / "folder").mkdir(parents=True)
    (tmp_path / "into" / "cache" / "file").touch()
    return tmp_path / "into"


def install(journal: Journal, package: Path, into: Path) -> dict[str, Any]:
    result: dict[str, Any] = install_package(SyncHandle(journal), package=str(package), into=str(into))
    return result


def rewrite(package: Path, **changes: Any) -> None:
    """Changes the manifest; files get the digests that they have."""
    manifest = json.loads((package / "manifest.json").read_text())
    for name in manifest["files"]:
        manifest["files"][name] = sha256((package / name).read_bytes()).hexdigest()
    manifest |= changes
    (package / "manifest.json").write_text(json.dumps(manifest))


def check_installed(into: Path) -> None:
    code = (
        "import sqlite3, sys, unicode_blocks as u; db = sqlite3.connect(sys.argv[1]);"
        "print(u.block_of(db, chr(0x3B1)), len(u.sizes(db)))"
    )
    answer = subprocess.run(
        [sys.executable, "-B", "-c", code, str(into / "unicode_blocks.db")],
        env=os.environ | {"PYTHONPATH": str(into / "current")},
        capture_output=True,
        check=True,
        text=True,
    )
    assert answer.stdout == "Greek and Coptic 29\n"
    assert sorted(os.listdir(into)) == ["cache", "current", "unicode_blocks.db", "versions"]
    assert os.listdir(into / "versions") == ["1.0.0"]
    assert os.listdir(into / "cache") == []


def test_the_package_that_comes_along_is_what_its_manifest_says() -> None:
    """After a change of its files: `sha256sum` says what belongs into the manifest."""
    manifest = read_manifest(PACKAGE)
    files = {path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.*") if "__pycache__" not in path.parts}
    assert {*manifest.files, "manifest.json"} == files
    assert Installation(PACKAGE, PACKAGE).verify_files()["files"] == 4


def test_a_package_is_installed_in_five_steps(package: Path, into: Path) -> None:
    journal = Journal()
    result = install(journal, package, into)
    assert list(journal.results) == STEPS
    assert (result["name"], result["version"], result["statements"], result["cleared"]) == (
        "unicode_blocks",
        "1.0.0",
        3,
        2,
    )
    check_installed(into)


@pytest.mark.parametrize(("point", "step"), list(itertools.product(["before", "after"], STEPS)))
def test_it_goes_on_wherever_it_was_killed(package: Path, into: Path, point: str, step: str) -> None:
    journal = Journal(lambda *at: at == (point, step))
    with pytest.raises(Killed):
        install(journal, package, into)
    journal.kill_at = lambda *at: False
    install(journal, package, into)
    check_installed(into)


def test_installing_again_changes_nothing(package: Path, into: Path) -> None:
    install(Journal(), package, into)
    before = (into / "versions" / "1.0.0").stat().st_ino
    install(Journal(), package, into)
    assert (into / "versions" / "1.0.0").stat().st_ino == before
    check_installed(into)


def test_what_was_damaged_after_the_installation_is_mended(package: Path, into: Path) -> None:
    install(Journal(), package, into)
    (into / "versions" / "1.0.0" / "unicode_blocks" / "lookup.py").write_text("broken")
    (into / "versions" / ".new-left" / "new").mkdir(parents=True)
    install(Journal(), package, into)
    check_installed(into)


def test_a_newer_version_becomes_the_current_one_at_one_stroke(package: Path, into: Path) -> None:
    install(Journal(), package, into)
    (package / "schema.sql").write_text("CREATE TABLE news (x);")
    rewrite(package, version="1.1.0")
    install(Journal(), package, into)
    assert os.readlink(into / "current") == "versions/1.1.0"
    assert (into / "versions" / "1.0.0").is_dir()
    with closing(sqlite3.connect(into / "unicode_blocks.db")) as db:
        assert [row[0] for row in db.execute("SELECT version FROM installed ORDER BY 1")] == ["1.0.0", "1.1.0"]


# Each step can fail, and says what is wrong; nothing of a later step has happened then


def refusal(package: Path, into: Path, step: str, error: type[Exception] = ValueError) -> str:
    journal = Journal()
    with pytest.raises(error) as caught:
        install(journal, package, into)
    assert list(journal.results) == STEPS[: STEPS.index(step)]
    assert (into / "current").exists() == (step == "clear-caches")
    return str(caught.value)


@pytest.mark.parametrize(
    ("requires", "words"),
    [
        ({"python": "99.1"}, "unicode_blocks needs Python 99.1 or newer, this is 3."),
        ({"sqlite": "99"}, "unicode_blocks needs SQLite 99 or newer, this is 3."),
        ({"modules": ["json", "no_such_module"]}, "needs the module 'no_such_module', which is not installed here"),
        ({"modules": ["no_such.module"]}, "needs the module 'no_such.module'"),
        ({"modules": [""]}, "needs the module ''"),
    ],
)
def test_a_missing_dependency_is_named(package: Path, into: Path, requires: dict[str, Any], words: str) -> None:
    rewrite(package, requires=requires)
    assert words in refusal(package, into, "check-dependencies")


@pytest.mark.parametrize("name", ["schema.sql", "unicode_blocks/lookup.py"])
def test_a_corrupt_file_is_named(package: Path, into: Path, name: str) -> None:
    content = bytearray((package / name).read_bytes())
    content[7] ^= 1
    (package / name).write_bytes(content)
    assert refusal(package, into, "verify-files").startswith(f"{name} is corrupt: SHA-256 ")


def test_a_missing_file_is_named(package: Path, into: Path) -> None:
    (package / "unicode_blocks" / "summary.py").unlink()
    assert refusal(package, into, "verify-files").startswith("unicode_blocks/summary.py is missing from ")


def test_a_file_that_leads_elsewhere_is_named(package: Path, into: Path, tmp_path: Path) -> None:
    (package / "schema.sql").rename(tmp_path / "elsewhere.sql")
    (package / "schema.sql").symlink_to(tmp_path / "elsewhere.sql")
    assert refusal(package, into, "verify-files").startswith("schema.sql points outside the package")


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("CREATE TABLE a (x);\nCREAT TABLE b (x);", 'schema.sql, statement 2: near "CREAT": syntax error'),
        ("CREATE TABLE a (x UNIQUE); INSERT INTO a VALUES (1), (1);", "statement 2: UNIQUE constraint failed: a.x"),
        ("CREATE TABLE a (x); COMMIT; CREATE TABLE b (x);", "statement 2: not authorized"),
        ("ATTACH 'elsewhere.db' AS e;", "statement 1: not authorized"),
        ("CREATE TABLE a (x); SELECT (", "statement 2: incomplete input"),
        ("CREATE TABLE ä (x);".encode("latin-1"), "schema.sql is not UTF-8 text"),
    ],
)
def test_an_error_in_sql_is_named_and_leaves_no_part(package: Path, into: Path, sql: str | bytes, words: str) -> None:
    (package / "schema.sql").write_bytes(sql if isinstance(sql, bytes) else sql.encode())
    rewrite(package)
    assert words in refusal(package, into, "import-sql")
    if (into / "unicode_blocks.db").exists():
        with closing(sqlite3.connect(into / "unicode_blocks.db")) as db:
            assert db.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,)


def test_semicolons_in_text_triggers_and_comments_split_no_statement(package: Path, into: Path) -> None:
    script = """
    CREATE TABLE a (x); -- one; two
    INSERT INTO a VALUES ('x;y');
    CREATE TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM a WHERE x = ';'; SELECT 1; END;
    -- the end;
    """
    (package / "schema.sql").write_text(script)
    rewrite(package)
    assert install(Journal(), package, into)["statements"] == 3


def test_a_folder_that_cannot_be_written_is_named(package: Path, into: Path) -> None:
    (into / "versions").write_text("a file is in the way")
    assert "versions" in refusal(package, into, "install", FileExistsError)


def test_a_file_that_changed_after_it_was_verified_is_not_installed(package: Path, into: Path) -> None:
    journal = Journal(lambda *at: at == ("before", "install"))
    with pytest.raises(Killed):
        install(journal, package, into)
    (package / "unicode_blocks" / "lookup.py").write_text("other")
    journal.kill_at = lambda *at: False
    with pytest.raises(ValueError, match=r"unicode_blocks/lookup\.py is corrupt"):
        install(journal, package, into)
    assert not (into / "current").exists()


def test_a_cache_that_is_none_is_named(package: Path, into: Path, tmp_path: Path) -> None:
    shutil.rmtree(into / "cache")
    (into / "cache").write_text("a file")
    assert f"the cache {into / 'cache'} is not a folder" in refusal(package, into, "clear-caches")
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").touch()
    (into / "cache").unlink()
    (into / "cache").symlink_to(tmp_path / "precious")
    with pytest.raises(ValueError, match="is not a folder in"):
        install(Journal(), package, into)
    assert (tmp_path / "precious" / "file").exists()


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        ("{", "Input data was truncated"),
        ("[]", "Expected `object`"),
        ({"name": "../x"}, "matching regex"),
        ({"version": "1.0\n"}, "matching regex"),
        ({"version": ".."}, "matching regex"),
        ({"extra": 1}, "unknown field"),
        ({"sql": "gone.sql"}, "'gone.sql' is not among its files"),
        ({"files": {"../schema.sql": "0" * 64}}, "'../schema.sql' is outside the folder"),
        ({"files": {"/etc/passwd": "0" * 64}}, "'/etc/passwd' is outside the folder"),
        ({"files": {"schema.sql": "0"}}, "matching regex"),
        ({"caches": ["../.."]}, "is outside the folder"),
        ({"caches": ["."]}, "is outside the folder"),
        ({"caches": ["versions/1.0.0"]}, "'versions/1.0.0' is not a cache"),
    ],
)
def test_a_malformed_manifest_is_refused(package: Path, into: Path, manifest: str | dict[str, Any], words: str) -> None:
    if isinstance(manifest, str):
        (package / "manifest.json").write_text(manifest)
    else:
        rewrite(package, **manifest)
    assert words in refusal(package, into, STEPS[0])


def test_a_folder_without_a_manifest_is_no_package(tmp_path: Path, into: Path) -> None:
    assert "is not a package: it has no manifest.json" in refusal(tmp_path, into, STEPS[0])
