"""Damaged views: noticed wherever they are hurt, told, and built again beside; no answer comes of a flipped bit."""

import asyncio
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from clawactors.eventlog import Corrupt, InProcessLog, Misconfigured
from clawactors.projections.engine.damage import damage_noted, distrust
from clawactors.projections.engine.digest import store_digest
from clawactors.projections.engine.projector import Projector
from clawactors.projections.engine.revisions import Revisions
from clawactors.projections.engine.scrub import scrub
from clawactors.projections.engine.store import Damaged, Store
from clawactors.projections.engine.transactions import Cursor
from clawactors.projections.live import LiveViews
from clawactors.projections.views.tasks.table import STATUSES
from tests.projections.cluster import CLUSTER
from tests.projections.damaging import log_of_tasks, opened

MARK = b"a value that is long enough to be found in the file"


async def built(folder: Path) -> str:
    """Sound views below the folder; their digest."""
    async with log_of_tasks() as log:
        views = await opened(log, folder)
        right = store_digest(views.store, CLUSTER).digest
        await views.aclose()
    return right


def hurt(file: Path, seed: int) -> None:
    """Random bytes at random places, the first pages included."""
    chance, size = random.Random(seed), file.stat().st_size
    with file.open("r+b") as opened_file:
        for _ in range(12):
            opened_file.seek(chance.randrange(size - 256))
            opened_file.write(chance.randbytes(256))


def flip(file: Path, of: bytes) -> None:
    """One bit of those bytes, wherever they stand in the file."""
    content = bytearray(file.read_bytes())
    at = content.find(of)
    assert at > 0
    while at > 0:
        content[at] ^= 1
        at = content.find(of, at)
    with file.open("r+b") as opened_file:
        opened_file.write(content)


def put_aside(folder: Path) -> list[str]:
    """The damaged stores that are there."""
    return [str(file.parent) for file in folder.glob("damaged-*/data.mdb")]


def read_in_children(folders: list[Path]) -> tuple[dict[str, str], int]:
    """What processes found there, and how many died of it; the next one is told, as a supervisor tells it."""
    found: dict[str, str] = {}
    deaths, died_of = 0, ""
    while True:
        left = [str(folder) for folder in folders if str(folder) not in found]
        command = [sys.executable, "-m", "tests.projections.damaging", died_of, *left]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        found |= dict(line.split() for line in done.stdout.splitlines())  # type: ignore[misc]
        if done.returncode == 0:
            break
        assert done.returncode < 0, done.stderr
        died_of = signal.Signals(-done.returncode).name
        deaths += 1
        assert deaths <= len(folders), "nobody dies of the same damage again"
    return found, deaths


@pytest.mark.parametrize("seeds", [range(5, 9), pytest.param(range(100), marks=pytest.mark.soak)], ids=len)
async def test_random_bytes_anywhere_are_noticed_and_the_rows_are_made_again(tmp_path: Path, seeds: range) -> None:
    right = await built(tmp_path / "sound")
    folders = [tmp_path / f"seed{seed}" for seed in seeds]
    for seed, folder in zip(seeds, folders, strict=True):
        shutil.copytree(tmp_path / "sound", folder)
        hurt(folder / "cluster@1" / "data.mdb", seed)
    found, _ = await asyncio.to_thread(read_in_children, folders)
    assert found == {str(folder): right for folder in folders}
    all_healed = {folder: healed for folder in folders if (healed := Revisions(folder, "cluster").healed())}
    assert len(all_healed) >= 0.9 * len(folders), "few files were hurt in pages that nobody uses alone"
    for folder, healed in all_healed.items():
        assert healed.reason
        assert put_aside(folder) == [healed.folder]


async def test_rows_that_are_damaged_while_they_serve_are_made_again_beside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with log_of_tasks() as log:
        views = await opened(log, tmp_path)
        right, old = store_digest(views.store, CLUSTER).digest, views.store.path
        serving = asyncio.create_task(views.serve())
        replaced, replace = asyncio.Event(), views._openings.replaced

        def tell(store: Store) -> None:
            replace(store)
            replaced.set()

        monkeypatch.setattr(views._openings, "replaced", tell)
        flip(old / "data.mdb", b"x" * 399)
        refused = msgspec.json.decode(await views.answer("task", b'{"id": "t149"}'))
        assert refused["error"]["code"] == "unavailable"
        assert "damaged" in refused["error"]["message"]
        assert msgspec.json.decode(await views.answer("task", b'{"id": "t1"}'))["row"]["status"] == "completed"
        async with asyncio.timeout(10):
            await replaced.wait()
        assert msgspec.json.decode(await views.answer("task", b'{"id": "t149"}'))["row"]["status"] == "completed"
        assert store_digest(views.store, CLUSTER).digest == right
        healed = (await views.health.report()).healed
        assert healed is not None
        assert "does not fit its checksum" in healed.reason
        assert put_aside(tmp_path) == [str(tmp_path / "damaged-cluster@1")]
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        await views.aclose()


async def test_of_damaged_revisions_the_newest_is_kept(tmp_path: Path) -> None:
    await built(tmp_path)
    for number in (1, 2):
        distrust(tmp_path, "SIGBUS")
        await built(tmp_path)
        assert put_aside(tmp_path) == [str(tmp_path / f"damaged-cluster@{number}")]
        assert Revisions(tmp_path, "cluster").live() == tmp_path / f"cluster@{number + 1}"


def test_a_flipped_bit_is_no_answer_and_nobody_trusts_the_store_again(tmp_path: Path) -> None:
    store = Store.open(tmp_path, ("a",))
    with store.write() as txn:
        txn.put("a", b"k", MARK)
        txn.put("a", b"other", b"sound")
    told: list[str] = []
    store.on_damage = lambda: told.append(store.damage)
    flip(tmp_path / "data.mdb", MARK)

    def look() -> None:
        with store.snapshot() as reading:
            assert reading.get("a", b"other") == b"sound"
            reading.get("a", b"k")

    for _ in range(2):
        with pytest.raises(Damaged, match="does not fit its checksum"):
            look()
    with pytest.raises(Damaged):
        scrub(store)
    assert len(told) == 1
    store.close()
    assert "checksum" in damage_noted(tmp_path)
    with pytest.raises(Damaged, match="checksum"):
        Store.open(tmp_path, ("a",))


def test_a_scan_that_goes_round_ends() -> None:
    class Round:
        first = last = next = prev = set_range = key = None

        def __iter__(self) -> object:
            while True:
                yield from ((b"a", b""), (b"b", b""))

    with pytest.raises(Damaged, match="not in order"):
        list(Cursor("t", Round()))  # type: ignore[arg-type]


def test_rows_that_are_missing_are_noticed_by_their_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store.open(tmp_path, ("a",))
    with store.write() as txn:
        txn.put_all("a", [(b"%06d" % n, b"v") for n in range(5000)])
    assert scrub(store) == 5000
    monkeypatch.setattr("clawactors.projections.engine.transactions.Reading.count", lambda _self, _table: 5001)
    with pytest.raises(Damaged, match="of 5001"):
        scrub(store)
    store.close()


async def test_a_store_of_an_older_format_is_made_again_without_a_word_of_damage(tmp_path: Path) -> None:
    import lmdb

    folder = tmp_path / "cluster@1"
    folder.mkdir()
    with lmdb.open(str(folder), max_dbs=3) as environment, environment.begin(write=True) as transaction:
        transaction.put(b"state", b"{}", db=environment.open_db(b"meta", transaction))
    with pytest.raises(Corrupt, match="another release") as caught:
        Store.open(folder, (STATUSES,))
    assert not isinstance(caught.value, Damaged)
    (tmp_path / "cluster.live").write_text("1")
    await built(tmp_path)
    assert Revisions(tmp_path, "cluster").healed() is None
    assert put_aside(tmp_path) == []


async def test_a_file_in_place_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "views").write_text("")
    async with InProcessLog() as log:
        with pytest.raises(Misconfigured, match="can't use"):
            await LiveViews.open(log, tmp_path / "views", CLUSTER, heartbeat=lambda _: None, now_ns=lambda: 0)


def test_two_projectors_on_one_folder_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    code = (
        "import asyncio; from pathlib import Path\n"
        "from clawactors.projections.engine.digest import store_digest\n"
        "from clawactors.projections.engine.projector import Projector\n"
        "from tests.projections.cluster import CLUSTER\n"
        "from tests.projections.damaging import log_of_tasks\n"
        "records = log_of_tasks()._records\n"
        f"projector = Projector.open(CLUSTER, Path({str(tmp_path / 'both')!r}), 'damaged')\n"
        "print('open', flush=True); input()\n"
        "for at in range(0, len(records), 30): projector.apply(records[at : at + 30])\n"
        "print(store_digest(projector.store, CLUSTER).digest)\n"
    )
    children = [
        subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    try:
        for child in children:
            assert child.stdout is not None
            assert child.stdout.readline() == "open\n"
        for child in children:
            assert child.stdin is not None
            child.stdin.write("\n")
            child.stdin.flush()
        digests = {child.communicate(timeout=30)[0].strip() for child in children}
    finally:
        for child in children:
            child.kill()
            child.wait()
    alone = Projector.open(CLUSTER, tmp_path / "alone", "damaged")
    alone.apply(log_of_tasks()._records)
    assert digests == {store_digest(alone.store, CLUSTER).digest}
    alone.close()
