"""The store: atomic, read beside its writer, never a crash of the process for what a file holds."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from clawactors.eventlog import Corrupt, Misconfigured, Unavailable
from clawactors.projections.engine.digest import digest
from clawactors.projections.engine.inprocess import InProcessStore
from clawactors.projections.engine.projector import Projector
from clawactors.projections.engine.store import MapFull, Store
from clawactors.projections.views.tasks.table import IDS
from tests.projections.cluster import CLUSTER
from tests.projections.histories import random_history

TABLES = ("a", "b")


def fill(store: Store, count: int, size_bytes: int = 100) -> None:
    with store.write() as txn:
        txn.put_all("a", [(b"%08d" % n, b"x" * size_bytes) for n in range(count)])


def count_of(store: Store) -> int:
    with store.snapshot() as reading:
        return reading.count("a")


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    store = Store.open(tmp_path / "s", TABLES)
    fill(store, 5000)
    store.close()
    return tmp_path / "s" / "data.mdb"


def test_a_block_that_raises_leaves_nothing(tmp_path: Path) -> None:
    store = Store.open(tmp_path, TABLES)

    def half() -> None:
        with store.write() as txn:
            txn.put("a", b"k", b"v")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    assert count_of(store) == 0
    store.close()


@pytest.mark.parametrize("seed", range(4))
def test_a_store_in_memory_holds_what_one_on_disk_holds(seed: int, projector: Projector) -> None:
    in_memory = Projector.on(InProcessStore(CLUSTER.tables), CLUSTER, "log-1")
    records = random_history(seed, 200).records
    digests = []
    for each in (projector, in_memory):
        each.apply(records, batch=7)
        with each.store.snapshot() as reading:
            digests.append(digest(reading, CLUSTER))
            assert reading.count(IDS) > 5
    assert digests[0] == digests[1]


def test_no_row_has_a_key_that_no_store_takes(tmp_path: Path) -> None:
    for store in (Store.open(tmp_path, TABLES), InProcessStore(TABLES)):
        with store.snapshot() as reading:
            assert [reading.get("a", key) for key in (b"", b"k" * 600)] == [None, None]


def test_a_block_that_raises_leaves_nothing_in_memory() -> None:
    store = InProcessStore(TABLES)
    fill(store, 3)

    def half() -> None:
        with store.write() as txn:
            txn.put("a", b"%08d" % 1, b"changed")
            txn.put("a", b"new", b"v")
            txn.delete("a", b"%08d" % 2)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    with store.snapshot() as reading:
        assert list(reading.cursor("a")) == [(b"%08d" % n, b"x" * 100) for n in range(3)]


def test_a_cursor_in_memory_moves_as_one_on_disk(tmp_path: Path) -> None:
    moves = ("first", "next", "next", "next", "prev", "last", "prev", "prev", "prev", "next", "prev")
    seen = []
    stores = (Store.open(tmp_path, TABLES), InProcessStore(TABLES))
    for store in stores:
        fill(store, 3)
        with store.snapshot() as reading:
            cursor = reading.cursor("a")
            seen.append([(getattr(cursor, move)(), cursor.key()) for move in moves])
            seen[-1] += [(cursor.set_range(key), cursor.item()[0]) for key in (b"", b"00000001", b"00000001x", b"9")]
            assert [cursor.last(), *cursor][1:] == [(b"00000002", b"x" * 100)]
    assert seen[0] == seen[1]
    stores[0].close()


def test_a_snapshot_does_not_see_what_is_written_meanwhile(tmp_path: Path) -> None:
    store = Store.open(tmp_path, TABLES)
    with store.snapshot() as before:
        fill(store, 10)
        assert before.count("a") == 0
        assert store.is_read_by_any
    assert count_of(store) == 10
    assert not store.is_read_by_any
    store.close()


def test_a_full_map_grows_and_the_same_write_succeeds(tmp_path: Path) -> None:
    store = Store.open(tmp_path, TABLES, map_bytes=1 << 20)
    fill(store, 100)
    with pytest.raises(MapFull):
        fill(store, 20_000)
    with store.snapshot(), pytest.raises(Unavailable):
        store.grow()
    for _ in range(3):
        store.grow()
    fill(store, 20_000)
    assert count_of(store) == 20_000
    store.close()


def test_another_process_reads_while_the_writer_is_alive_and_grows(tmp_path: Path) -> None:
    store = Store.open(tmp_path, TABLES, map_bytes=1 << 20)
    fill(store, 100)
    code = (
        "import sys; from pathlib import Path; from clawactors.projections.engine.store import Store\n"
        f"store = Store.open(Path({str(tmp_path)!r}), {TABLES!r}, readonly=True)\n"
        "for line in sys.stdin:\n"
        "    with store.snapshot() as reading: print(reading.count('a'), flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            child.stdin.write("\n")
            assert child.stdout.readline() == "100\n"
            for _ in range(4):
                store.grow()
            fill(store, 30_000)
            child.stdin.write("\n")
            assert child.stdout.readline() == "30000\n"
        finally:
            child.kill()
    store.close()


def test_a_killed_reader_does_not_keep_old_pages(tmp_path: Path) -> None:
    store = Store.open(tmp_path, TABLES)
    fill(store, 10)
    code = (
        "from pathlib import Path; from clawactors.projections.engine.store import Store\n"
        f"store = Store.open(Path({str(tmp_path)!r}), {TABLES!r}, readonly=True)\n"
        "with store.snapshot() as reading: print('reading', flush=True); input()\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"reading\n"
        assert store.is_read_by_any
        child.kill()
    assert not store.is_read_by_any
    store.close()


@pytest.mark.parametrize("keep", [0.0, 0.001, 0.5, 0.99])
def test_a_file_that_is_cut_short_is_corrupt(filled: Path, keep: float) -> None:
    """Touching a page behind the end of the file would be SIGBUS, so this runs in a child."""
    with filled.open("r+b") as file:
        file.truncate(int(filled.stat().st_size * keep))
    code = (
        "from pathlib import Path\n"
        "from clawactors.eventlog import Corrupt\n"
        "from clawactors.projections.engine.store import Store\n"
        f"try: Store.open(Path({str(filled.parent)!r}), {TABLES!r}, readonly=True)\n"
        "except Corrupt: print('corrupt')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=False)
    assert (done.returncode, done.stdout) == (0, b"corrupt\n")


@pytest.mark.parametrize("content", [b"SQLite format 3\0" + bytes(8000), os.urandom(100_000), b"x"])
def test_a_foreign_file_is_corrupt(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "data.mdb").write_bytes(content)
    with pytest.raises(Corrupt):
        Store.open(tmp_path, TABLES)


def test_a_store_of_somebody_else_is_corrupt(tmp_path: Path) -> None:
    import lmdb

    with lmdb.open(str(tmp_path), max_dbs=3) as environment:
        environment.open_db(b"theirs")
    with pytest.raises(Corrupt):
        Store.open(tmp_path, TABLES)


def test_overwritten_pages_are_corrupt_when_they_are_read(filled: Path) -> None:
    content = bytearray(filled.read_bytes())
    content[4096 * 3 : -4096] = os.urandom(len(content) - 4096 * 4)
    filled.write_bytes(bytes(content))
    code = (
        "from pathlib import Path\n"
        "from clawactors.eventlog import Corrupt\n"
        "from clawactors.projections.engine.store import Store\n"
        "try:\n"
        f"    store = Store.open(Path({str(filled.parent)!r}), {TABLES!r})\n"
        "    with store.snapshot() as reading: print(sum(1 for _ in reading.cursor('a')))\n"
        "except Corrupt: print('corrupt')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=False)
    assert done.returncode != -signal.SIGSEGV
    assert done.stdout == b"corrupt\n"


def test_a_folder_that_can_not_be_used_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Misconfigured):
        Store.open(tmp_path / "file", TABLES)
    with pytest.raises((Corrupt, Misconfigured)):
        Store.open(tmp_path / "absent", TABLES, readonly=True)


def test_many_rows_come_out_in_order_wherever_they_are_put(tmp_path: Path) -> None:
    store = Store.open(tmp_path, TABLES)
    batches = ((b"b", b"a"), (b"d", b"c", b"d"), (b"aa", b"e"), (), (b"d",))
    for number, keys in enumerate(batches):
        with store.write() as txn:
            txn.put_all(TABLES[0], [(key, b"%d" % (10 * number + place)) for place, key in enumerate(keys)])
    with store.snapshot() as reading:
        rows = dict(reading.cursor(TABLES[0]))
    assert list(rows) == [b"a", b"aa", b"b", b"c", b"d", b"e"]
    assert rows[b"d"] == b"40"
    store.close()


def test_of_equal_keys_the_same_one_stays_behind_all_others_and_between_them(tmp_path: Path) -> None:
    store = Store.open(tmp_path, TABLES)
    twice = [(b"k", b"1"), (b"k", b"2")]
    for before in ([], [(b"z", b"0")]):
        with store.write() as txn:
            txn.delete(TABLES[0], b"k")
            txn.put_all(TABLES[0], before)
            txn.put_all(TABLES[0], list(twice))
            assert txn.get(TABLES[0], b"k") == b"2"
    store.close()
