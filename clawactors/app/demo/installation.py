"""The five steps of an installation, each safe to run again, each with an error that says what is wrong with what.

A package is a folder with `manifest.json`. It is installed into another folder: its files below `versions/<version>`,
`current` pointing there, its tables in `<name>.db`.
"""

import importlib.util
import os
import platform
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Annotated, Final

import msgspec

__all__ = ["MANIFEST", "Installation", "Manifest", "read_manifest"]

MANIFEST: Final = "manifest.json"
_STAGE: Final = ".new-"
_OURS: Final = ("versions", "current")
_VERSION: Final = re.compile(r"\d+(?:\.\d+)*")
_FORBIDDEN: Final = frozenset((sqlite3.SQLITE_TRANSACTION, sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH))
_MAY_PASS: Final = frozenset((sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR))

type _Name = Annotated[str, msgspec.Meta(pattern=r"\A[a-z][a-z0-9_]*\Z")]
type _Version = Annotated[str, msgspec.Meta(pattern=r"\A\d+(\.\d+)*\Z")]
type _Digest = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]


class Requires(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What has to be there before: lowest versions, and modules that can be imported."""

    python: _Version = "0"
    sqlite: _Version = "0"
    modules: tuple[str, ...] = ()


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a package says of itself; `files` are SHA-256 by path, `caches` folders that an installation outdates."""

    name: _Name
    version: _Version
    requires: Requires = Requires()
    sql: str
    files: dict[str, _Digest]
    caches: tuple[str, ...] = ()


def read_manifest(package: Path) -> Manifest:
    """Raises: `ValueError` where it is missing, malformed, or names a path outside."""
    path = package / MANIFEST
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise ValueError(f"{package} is not a package: it has no {MANIFEST}") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: {error}") from None
    for name in (*manifest.files, *manifest.caches):
        parts = PurePosixPath(name)
        if parts.is_absolute() or not parts.parts or ".." in parts.parts:
            raise ValueError(f"{path}: {name!r} is outside the folder")
        if name in manifest.caches and parts.parts[0] in _OURS:
            raise ValueError(f"{path}: {name!r} is not a cache")
    if manifest.sql not in manifest.files:
        raise ValueError(f"{path}: {manifest.sql!r} is not among its files")
    return manifest


class Installation:
    """One package on its way into one folder. Raises: `ValueError` for what a retry does not mend, else `OSError` …"""

    def __init__(self, package: Path, into: Path) -> None:
        self.package, self.into = package, into
        self.manifest = read_manifest(package)

    def check_dependencies(self) -> list[str]:
        """What it needs, all of it found."""
        requires, found = self.manifest.requires, []
        for what, wanted, have in (
            ("Python", requires.python, platform.python_version()),
            ("SQLite", requires.sqlite, sqlite3.sqlite_version),
        ):
            if _numbers(have) < _numbers(wanted):
                raise ValueError(f"{self.manifest.name} needs {what} {wanted} or newer, this is {have}")
            found.append(f"{what} {have}")
        for module in requires.modules:
            if not _can_import(module):
                raise ValueError(f"{self.manifest.name} needs the module {module!r}, which is not installed here")
            found.append(module)
        return found

    def verify_files(self) -> dict[str, int]:
        """How many files and bytes, all as the manifest says."""
        size_bytes = sum(len(content) for _, content in self._contents())
        return {"files": len(self.manifest.files), "bytes": size_bytes}

    def import_sql(self) -> int:
        """Runs the statements as one transaction, once for a version; returns how many there are."""
        try:
            statements = list(_statements(self._content(self.manifest.sql).decode()))
        except UnicodeDecodeError as error:
            raise ValueError(f"{self.manifest.sql} is not UTF-8 text: {error}") from None
        self.into.mkdir(parents=True, exist_ok=True)
        mark = (self.manifest.version, self.manifest.files[self.manifest.sql])
        with closing(sqlite3.connect(self.database, timeout=10, isolation_level=None)) as db, db:
            db.execute("BEGIN IMMEDIATE")
            db.execute(
                "CREATE TABLE IF NOT EXISTS installed (version TEXT, sha256 TEXT, PRIMARY KEY (version, sha256))"
            )
            if db.execute("SELECT 1 FROM installed WHERE version = ? AND sha256 = ?", mark).fetchone():
                return len(statements)
            for number, statement in enumerate(statements, 1):
                self._execute(db, number, statement)
            db.execute("INSERT INTO installed VALUES (?, ?)", mark)
        return len(statements)

    def _execute(self, db: sqlite3.Connection, number: int, statement: str) -> None:
        db.set_authorizer(lambda action, *_: sqlite3.SQLITE_DENY if action in _FORBIDDEN else sqlite3.SQLITE_OK)
        try:
            db.execute(statement)
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in _MAY_PASS:
                raise
            raise ValueError(f"{self.manifest.sql}, statement {number}: {error}") from error
        finally:
            db.set_authorizer(None)

    def install(self) -> str:
        """Copies the files and makes them the current ones at one stroke; returns the folder they are in."""
        versions = self.into / "versions"
        versions.mkdir(parents=True, exist_ok=True)
        final = versions / self.manifest.version
        for left in versions.glob(f"{_STAGE}*"):  # by an attempt that was killed
            shutil.rmtree(left)
        if not self._is_complete(final):
            stage = Path(tempfile.mkdtemp(prefix=_STAGE, dir=versions))
            new, old = stage / "new", stage / "old"
            for name, content in self._contents():
                _write(new / name, content)
            if final.exists():  # damaged, or another content under the same version
                final.rename(old)
            new.rename(final)
            _sync(versions)
            shutil.rmtree(stage)
        with tempfile.TemporaryDirectory(prefix=_STAGE, dir=versions) as stage_name:
            link = Path(stage_name) / "current"
            link.symlink_to(Path("versions") / self.manifest.version)
            link.replace(self.into / "current")
        _sync(self.into)
        return str(final)

    def clear_caches(self) -> int:
        """Empties the caches of the former version; returns how many entries went."""
        cleared = 0
        for name in self.manifest.caches:
            cache = self.into / name
            if not cache.resolve().is_relative_to(self.into.resolve()) or (cache.exists() and not cache.is_dir()):
                raise ValueError(f"the cache {cache} is not a folder in {self.into}")
            for entry in sorted(cache.iterdir()) if cache.exists() else ():
                if entry.is_dir() and not entry.is_symlink():
                    shutil.rmtree(entry)
                else:
                    entry.unlink(missing_ok=True)
                cleared += 1
        return cleared

    @property
    def database(self) -> Path:
        """Where its tables are."""
        return self.into / f"{self.manifest.name}.db"

    def _contents(self) -> Iterator[tuple[str, bytes]]:
        for name in self.manifest.files:
            yield name, self._content(name)

    def _content(self, name: str) -> bytes:
        path = self.package / name
        try:
            if not path.resolve().is_relative_to(self.package.resolve()):
                raise ValueError(f"{name} points outside the package {self.package}")
            content = path.read_bytes()
        except FileNotFoundError:
            raise ValueError(f"{name} is missing from {self.package}") from None
        digest, wanted = sha256(content).hexdigest(), self.manifest.files[name]
        if digest != wanted:
            raise ValueError(f"{name} is corrupt: SHA-256 {digest[:16]}… instead of {wanted[:16]}…")
        return content

    def _is_complete(self, folder: Path) -> bool:
        with suppress(OSError):
            return all(
                sha256((folder / name).read_bytes()).hexdigest() == wanted
                for name, wanted in self.manifest.files.items()
            )
        return False


def _numbers(version: str) -> tuple[int, ...]:
    match = _VERSION.match(version)
    return tuple(map(int, match[0].split("."))) if match else ()


def _can_import(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _statements(script: str) -> Iterator[str]:
    """The statements of a script, each up to its semicolon."""
    statement = ""
    for part in re.split(r"(?<=;)", script):
        statement += part
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if re.sub(r"--[^\n]*", "", statement).strip():
        yield statement


def _write(path: Path, content: bytes) -> None:
    """Writes a new file; it is on disk when this returns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """The names in the folder are on disk when this returns."""
    file = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
