"""`migrate-table` (R-T11): no row lost, no row doubled, wherever it is killed and whatever records are lost with it."""

import itertools
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clawactors.app.demo.characters import TABLE, build_characters
from clawactors.app.demo.checksum import doubled_rows, quoted, row_count, table_checksum
from clawactors.app.demo.migrate import migrate_table, runs_in
from clawactors.app.demo.migration import Migration
from tests.app.handles import Journal, Killed, SyncHandle

VALUES = st.one_of(
    st.none(),
    st.integers(-(1 << 63), (1 << 63) - 1),
    st.floats(allow_nan=False),
    st.text(max_size=5),
    st.binary(max_size=5),
)
ROWIDS = st.one_of(st.integers(-9, 40), st.sampled_from([-(1 << 63), (1 << 63) - 1]))


def make(path: Path, rows: dict[int, Any], schema: str = "CREATE TABLE t (a, b)", *more: str) -> Path:
    with closing(sqlite3.connect(path)) as db, db:
        for statement in (schema, *more):
            db.execute(statement)
        db.executemany("INSERT INTO t (rowid, b) VALUES (?, ?)", rows.items())
    return path


def rows_of(path: Path) -> list[Any]:
    with closing(sqlite3.connect(path)) as db:
        db.text_factory = bytes
        return db.execute("SELECT rowid, typeof(b), * FROM t ORDER BY rowid").fetchall()


def migrate(journal: Journal, source: Path, target: Path, **params: Any) -> dict[str, Any]:
    given = {"source": str(source), "target": str(target), **params}
    result: dict[str, Any] = migrate_table(SyncHandle(journal), **migrate_table.arguments(given))
    return result


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return make(tmp_path / "source.db", {number: f"row {number}" for number in range(0, 50, 2)})


STEPS = ["prepare", "copy-0", "copy-10", "copy-20", "index", "verify"]


def test_a_table_arrives_in_named_steps(tmp_path: Path, source: Path) -> None:
    journal = Journal()
    result = migrate(journal, source, tmp_path / "target.db", batch=10)
    assert list(journal.results) == STEPS
    assert rows_of(tmp_path / "target.db") == rows_of(source)
    assert result == {"rows": 25, "checksum": table_checksum(source, "t")}
    assert journal.progress == 1


@pytest.mark.parametrize(("point", "step"), list(itertools.product(["before", "after"], STEPS)))
@pytest.mark.parametrize("lost", [0, 1, 99])
def test_it_goes_on_wherever_it_was_killed(tmp_path: Path, source: Path, point: str, step: str, lost: int) -> None:
    """`lost` records that were not written yet go with the process: those of its first milliseconds ride together."""
    target, trace = tmp_path / "target.db", tmp_path / "trace"
    journal = Journal(lambda *at: at == (point, step))
    with pytest.raises(Killed):
        migrate(journal, source, target, batch=10, trace=str(trace))
    for name in list(journal.results)[::-1][:lost]:
        del journal.results[name]
    journal.kill_at = lambda *at: False
    migrate(journal, source, target, batch=10, trace=str(trace))
    assert rows_of(target) == rows_of(source)
    assert list(journal.results) == STEPS
    if not lost:
        assert {name: n for name, n in runs_in(trace).items() if n > 1} == ({step: 2} if point == "after" else {})


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.dictionaries(ROWIDS, VALUES, max_size=30),
    batch=st.integers(1, 12),
    schema=st.sampled_from(["CREATE TABLE t (a, b)", "CREATE TABLE t (a INTEGER PRIMARY KEY, b)"]),
    kills=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 5)), max_size=4),
)
def test_no_row_is_lost_or_doubled_whatever_the_crash_points(
    tmp_path_factory: pytest.TempPathFactory,
    rows: dict[int, Any],
    batch: int,
    schema: str,
    kills: list[tuple[int, int]],
) -> None:
    """Each kill comes at the n-th point of its attempt and takes some of the last records with it."""
    folder = tmp_path_factory.mktemp("law")
    source, target, journal = make(folder / "source.db", rows, schema), folder / "target.db", Journal()
    for at, lost in kills:
        points = itertools.count()
        journal.kill_at = lambda *_, at=at, points=points: next(points) == at  # type: ignore[misc]
        try:
            migrate(journal, source, target, batch=batch)
        except Killed:
            for name in list(journal.results)[::-1][:lost]:
                del journal.results[name]
    journal.kill_at = lambda *_: False
    result = migrate(journal, source, target, batch=batch)
    assert rows_of(target) == rows_of(source)
    assert result["rows"] == len(rows)
    assert doubled_rows(target, "t") == doubled_rows(source, "t")
    assert list(journal.results) == ["prepare", *(f"copy-{n}" for n in range(0, len(rows), batch)), "index", "verify"]


KILLED_INSIDE = """
import os, signal, sys
from tests.app.handles import Journal, SyncHandle
from clawactors.app.demo import migrate, migration

class Doomed(migration.Migration):
    def copy(self, *args):
        if args[0] == 20:
            kill = lambda: os.kill(os.getpid(), signal.SIGKILL)
            self._db.set_trace_callback(lambda text: kill() if text.startswith(sys.argv[3]) else None)
            if sys.argv[3].isdigit():
                self._db.set_progress_handler(kill, int(sys.argv[3]))
        return super().copy(*args)

migrate.Migration = Doomed
migrate.migrate_table(SyncHandle(), sys.argv[1], sys.argv[2], batch=10)
"""


@pytest.mark.parametrize("when", ["1", "60", "INSERT INTO main", "INSERT INTO _claw_batch", "COMMIT"])
def test_a_kill_inside_a_transaction_leaves_no_part_of_a_batch(tmp_path: Path, source: Path, when: str) -> None:
    """At a statement of the transaction, or after so many instructions of one."""
    target = tmp_path / "target.db"
    command = [sys.executable, "-c", KILLED_INSIDE, str(source), str(target), when]
    root = str(Path(__file__).parents[2])
    killed = subprocess.run(command, check=False, cwd=root, timeout=30, env=os.environ | {"PYTHONPATH": root})
    assert killed.returncode == -9
    assert len(rows_of(target)) == 20
    migrate(Journal(), source, target, batch=10)
    assert rows_of(target) == rows_of(source)


def test_two_attempts_at_once_write_every_batch_once(tmp_path: Path, source: Path) -> None:
    """A node that was only believed dead may still be in the middle of a batch."""
    target = tmp_path / "target.db"
    with Migration("t-1", source, target) as zombie, Migration("t-1", source, target) as heir:
        first = zombie.prepare()
        assert heir.prepare() == first == {"rows": 25}
        done = zombie.copy(0, 0, 10)
        assert heir.copy(0, 0, 10) == done == {"rows": 10, "last": 18}
        done = heir.copy(10, 19, 10)
        assert zombie.copy(10, 19, 10) == done
        heir.copy(20, 39, 10)
        assert heir.index() == zombie.index() == 0
        assert zombie.verify() == heir.verify()
    assert rows_of(target) == rows_of(source)


def test_indexes_come_along_and_so_do_odd_names_and_encodings(tmp_path: Path) -> None:
    source, target = tmp_path / "so'urce?.db", tmp_path / "tar get%20.db"
    with closing(sqlite3.connect(source)) as db, db:
        db.execute("PRAGMA encoding = 'UTF-16le'")
        db.execute('CREATE TABLE "my ""table" ("a b" TEXT, rowid TEXT, c GENERATED ALWAYS AS (rowid || 1))')
        db.execute('CREATE UNIQUE INDEX "i ""x" ON "my ""table" ("a b")')
        db.execute("CREATE TABLE other (x)")
        db.executemany('INSERT INTO "my ""table" VALUES (?, ?)', [("ä", "x"), ("b", "y")])
    migrate(Journal(), source, target, table='my "table', batch=1)
    with closing(sqlite3.connect(target)) as db:
        assert db.execute('SELECT * FROM "my ""table"').fetchall() == [("ä", "x", "x1"), ("b", "y", "y1")]
        assert db.execute("SELECT 1 FROM sqlite_schema WHERE name = ?", ('i "x',)).fetchone()


def test_text_that_is_none_is_copied_as_it_is(tmp_path: Path) -> None:
    source = make(tmp_path / "source.db", {})
    with closing(sqlite3.connect(source)) as db, db:
        db.execute("INSERT INTO t (b) VALUES (CAST(x'ff00e4' AS TEXT)), (x'ff')")
    migrate(Journal(), source, tmp_path / "target.db")
    assert rows_of(tmp_path / "target.db") == rows_of(source)


def test_a_target_of_somebody_else_is_left_alone(tmp_path: Path, source: Path) -> None:
    target = make(tmp_path / "target.db", {1: "theirs"})
    with pytest.raises(ValueError, match="has a table 't' already, and this task did not write it"):
        migrate(Journal(), source, target)
    assert len(rows_of(target)) == 1
    mine = tmp_path / "mine.db"
    migrate(Journal(), source, mine)
    with pytest.raises(ValueError, match="this task did not write it"):
        migrate_table(SyncHandle(id="t-2"), str(source), str(mine))


def test_a_target_that_is_replaced_on_the_way_is_noticed(tmp_path: Path, source: Path) -> None:
    journal, target = Journal(lambda *at: at == ("before", "copy-10")), tmp_path / "target.db"
    with pytest.raises(Killed):
        migrate(journal, source, target, batch=10)
    target.unlink()
    journal.kill_at = lambda *at: False
    with pytest.raises(ValueError, match="is not the file that this migration began with"):
        migrate(journal, source, target, batch=10)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("INSERT INTO t (rowid, b) VALUES (1, 'late')", "has 26 rows .* but 25 with"),
        ("UPDATE t SET b = 'late' WHERE rowid = 2", "has 25 rows .* but 25 with"),
        ("DELETE FROM t WHERE rowid > 10", "has lost rows since the migration began"),
    ],
)
def test_a_source_that_changes_on_the_way_is_noticed(tmp_path: Path, source: Path, change: str, words: str) -> None:
    journal, target = Journal(lambda *at: at == ("before", "copy-20")), tmp_path / "target.db"
    with pytest.raises(Killed):
        migrate(journal, source, target, batch=10)
    with closing(sqlite3.connect(source)) as db, db:
        db.execute(change)
    journal.kill_at = lambda *at: False
    with pytest.raises(ValueError, match=words):
        migrate(journal, source, target, batch=10)


def test_a_locked_target_is_worth_another_try(tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clawactors.app.demo.migration._WAIT_S", 0.01)
    target, journal = tmp_path / "target.db", Journal(lambda *at: at == ("before", "copy-10"))
    with pytest.raises(Killed):
        migrate(journal, source, target, batch=10)
    journal.kill_at = lambda *at: False
    with closing(sqlite3.connect(target, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            migrate(journal, source, target, batch=10)
    migrate(journal, source, target, batch=10)
    assert rows_of(target) == rows_of(source)


def test_what_cannot_be_migrated_is_said_and_nothing_is_written(tmp_path: Path, source: Path) -> None:
    text, empty, many = tmp_path / "text", tmp_path / "empty.db", tmp_path / "many.db"
    text.write_text("no database " * 100)
    empty.touch()
    with closing(sqlite3.connect(many)) as db, db:
        db.execute("CREATE TABLE one (x)")
        db.execute("CREATE TABLE two (x TEXT PRIMARY KEY) WITHOUT ROWID")
        db.execute("CREATE TABLE three (rowid, oid, _rowid_)")
        db.execute("CREATE VIEW four AS SELECT * FROM one")
    target = tmp_path / "target.db"
    for wrong, words in (
        ({"source": tmp_path / "gone.db"}, "there is no file"),
        ({"source": tmp_path}, "there is no file"),
        ({"source": text}, "file is not a database"),
        ({"source": empty}, "has 0 tables"),
        ({"source": many}, "has 3 tables; choose one: one, three, two"),
        ({"source": many, "table": "gone"}, "has no table 'gone'"),
        ({"source": many, "table": "four"}, "has no table 'four'"),
        ({"source": many, "table": "two"}, "has no rowid"),
        ({"source": many, "table": "three"}, "has no rowid"),
        ({"source": source, "batch": 0}, "a batch has 1 to"),
        ({"source": source, "batch": 1 << 40}, "a batch has 1 to"),
        ({"source": source, "target": source}, "are the same file"),
        ({"source": source, "target": tmp_path / "gone" / "target.db"}, "there is no folder"),
        ({"source": source, "target": text}, "file is not a database"),
        ({"source": source, "target": tmp_path}, "unable to open"),
    ):
        params = {"target": target, **wrong}
        with pytest.raises(ValueError, match=words):
            migrate(
                Journal(), **{name: str(value) if isinstance(value, Path) else value for name, value in params.items()}
            )
    assert not target.exists()


def test_a_migrated_table_can_be_migrated_on(tmp_path: Path, source: Path) -> None:
    migrate(Journal(), source, tmp_path / "second.db")
    migrate(Journal(), tmp_path / "second.db", tmp_path / "third.db")
    assert rows_of(tmp_path / "third.db") == rows_of(source)


# The figures


def test_the_real_table_has_every_assigned_character(tmp_path: Path) -> None:
    path = tmp_path / "characters.db"
    count = build_characters(path)
    assert build_characters(path) == count == row_count(path, TABLE) > 140_000
    assert doubled_rows(path, TABLE) == 0
    assert os.listdir(tmp_path) == ["characters.db"]
    with closing(sqlite3.connect(path)) as db:
        found = dict(db.execute(f"SELECT code, name || '/' || category || '/' || bidirectional FROM {TABLE}"))  # noqa: S608
        query = f"SELECT decomposition FROM {TABLE} WHERE code = ?"  # noqa: S608
        decomposition = db.execute(query, (ord("ä"),)).fetchone()[0]
    assert found[ord("a")] == "LATIN SMALL LETTER A/Ll/L"
    assert found[9] == "<control-0009>/Cc/S"
    assert decomposition == "0061 0308"
    assert not {0x378, 0xD800, 0xE000, 0x10FFFF} & found.keys()


def test_a_checksum_tells_values_types_and_doubles_apart_but_not_the_order(tmp_path: Path) -> None:
    def checksum(rows: dict[int, Any], schema: str = "CREATE TABLE t (a, b)") -> str:
        path = tmp_path / f"{next(numbers)}.db"
        return table_checksum(make(path, rows, schema), "t")

    numbers = itertools.count()
    assert checksum({1: "x", 2: "y"}) == checksum({1: "y", 9: "x"})
    different = [{}, {1: 1}, {1: 1.0}, {1: "1"}, {1: b"1"}, {1: None}, {1: "1", 2: "1"}, {1: "2", 2: "1"}]
    assert len({checksum(rows) for rows in different}) == len(different)  # type: ignore[arg-type]
    assert checksum({1: 1}) != checksum({1: 1}, "CREATE TABLE t (c, b)")


def test_doubled_rows_are_counted(tmp_path: Path) -> None:
    path = make(tmp_path / "t.db", {1: "x", 2: "y", 3: "x", 4: "x", 5: None, 6: None})
    assert doubled_rows(path, "t") == 3
    assert quoted('a"b') == '"a""b"'
