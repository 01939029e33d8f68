"""R-O4: files into tasks and out of them, of any size; names never lead out of a folder."""

import hashlib
import io
import os
from collections.abc import AsyncIterator
from itertools import product
from pathlib import Path
from typing import Any

import msgspec
import pytest

from clawactors.eventlog import Corrupt, Missing
from clawactors.eventlog.blobs import InProcessBlobs
from clawactors.kernel.errors import NotFound, Refused
from clawactors.runtime import files as module
from clawactors.runtime.client import ClusterClient
from clawactors.runtime.client.waiting import TaskBlocked, TaskFailed
from clawactors.runtime.files import put_file, read_file
from clawactors.runtime.node.context import TaskContext
from clawactors.runtime.node.synccontext import SyncTaskContext
from clawactors.runtime.sweep import sweep
from clawactors.systems.skills import skill
from clawactors.systems.tasks.files import StoredFile, checked_name, file_in, files_in
from clawactors.systems.tasks.retry import Retry
from clawactors.testing import Cluster as InMemory
from tests.clawactors.runtime.cluster import Cluster
from tests.clawactors.runtime.cluster import page as code_of_page

PART = 1000
HOSTILE = (
    *("", ".", "..", "../../etc/passwd", "/etc/passwd", "a/b", "a\\b", "C:x", "..\\x", "nul\0", "new\nline"),
    *("x" * 300, "é" * 200, "\ud800", 7, None, b"bytes"),
)


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of a few thousand bytes have parts."""
    monkeypatch.setattr(module, "FILE_PART_BYTES", PART)


async def pieces(body: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


async def read(blobs: Any, file: StoredFile, start: int = 0, end: int | None = None) -> bytes:
    return b"".join([part async for part in read_file(blobs, file, start, end)])


def on_disk(folder: Path) -> set[str]:
    return {str(path) for path in folder.glob("*")}


# Bytes


@pytest.mark.parametrize(
    ("size", "piece"),
    [
        *product((0, 1, PART - 1, PART, PART + 1, 3 * PART, 3 * PART + 7), (333, PART, 5 * PART)),
        *product((0, 1, PART - 1, PART), (1,)),
    ],
)
async def test_what_was_put_comes_back_whatever_its_pieces_are(size: int, piece: int) -> None:
    blobs, body = InProcessBlobs(), os.urandom(size)
    file = await put_file(blobs, "a.bin", pieces(body, piece))
    assert (file.size_bytes, file.sha256) == (size, hashlib.sha256(body).hexdigest())
    assert await read(blobs, file) == body
    for start, end in ((0, 1), (1, size), (PART - 1, PART + 1), (size, None), (size + 5, None), (5, 2), (PART, None)):
        assert await read(blobs, file, start, end) == body[start:end], (start, end)
    assert file == await put_file(blobs, "a.bin", body), "the same bytes have the same reference"


async def test_a_file_is_a_path_bytes_an_open_file_or_an_iterator(tmp_path: Path) -> None:
    blobs, body = InProcessBlobs(), os.urandom(2 * PART)
    path = tmp_path / "a.bin"
    path.write_bytes(body)
    for source in (path, str(path), body, bytearray(body), memoryview(body), io.BytesIO(body), pieces(body, 7)):
        assert await read(blobs, await put_file(blobs, "a", source)) == body
    for wrong in (tmp_path, tmp_path / "none", "nul\0", 7, io.StringIO("text"), [b"x"]):
        with pytest.raises(Refused):
            await put_file(blobs, "a", wrong)  # type: ignore[arg-type]


async def test_an_upload_that_stops_leaves_no_file() -> None:
    blobs = InProcessBlobs()

    async def stops() -> AsyncIterator[bytes]:
        yield os.urandom(3 * PART)
        raise ConnectionError("the other side is gone")

    with pytest.raises(ConnectionError):
        await put_file(blobs, "a", stops())
    assert all(len(body) == PART for body in blobs.kept.values()), "parts only, which a sweep removes"


async def test_what_is_damaged_missing_or_forged_is_told() -> None:
    blobs, body = InProcessBlobs(), os.urandom(3 * PART)
    file = await put_file(blobs, "a", body)
    part = hashlib.sha256(body[:PART]).hexdigest()
    kept = blobs.kept.pop(part)
    with pytest.raises(Missing):
        await read(blobs, file)
    blobs.kept[part] = kept[:-1] + b"?"
    with pytest.raises(Corrupt):
        await read(blobs, file)
    blobs.kept[part] = kept
    replace = msgspec.structs.replace
    for forged in (
        replace(file, size_bytes=file.size_bytes + 1),
        replace(file, sha256="0" * 64),
        replace(file, parts=part),
        replace(file, parts=None),
        replace(file, parts=None, sha256=part, size_bytes=5),
    ):
        with pytest.raises((Corrupt, Missing)):
            await read(blobs, forged)
    one = await blobs.put(msgspec.json.encode({"size_bytes": 1 << 40, "part_bytes": 1, "parts": []}))
    with pytest.raises(Corrupt):
        await read(blobs, replace(file, parts=one, size_bytes=1 << 40))


@pytest.mark.soak
async def test_an_upload_and_a_download_outlive_the_leader(cluster: Cluster) -> None:
    await cluster.control("control/a")
    client, body = cluster.client(), os.urandom(6 * PART)
    blobs = client.payloads.blobs

    async def killing() -> AsyncIterator[bytes]:
        yield body[: 3 * PART]
        await cluster.kill("control/a")
        await cluster.control("control/b")
        yield body[3 * PART :]

    file = await put_file(blobs, "a", killing())
    got = b""
    async for part in read_file(blobs, file):
        got += part
        if len(got) == 2 * PART:
            await cluster.kill("control/b")
            await cluster.control("control/c")
    assert got == body


# Names


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_name_that_could_lead_elsewhere_is_refused_and_no_reference(name: Any) -> None:
    with pytest.raises(Refused, match="can't be the name of a file"):
        await put_file(InProcessBlobs(), name, b"x")
    assert file_in({"$file": name, "bytes": 1, "sha256": "0" * 64}) is None


@pytest.mark.parametrize(
    "name", ["a", "a b.pdf", ".hidden", "Übersicht.pdf", "报告.txt", "x" * 255, "-rf", "a..b", "~"]
)
def test_a_name_of_any_language_is_one(name: str) -> None:
    assert checked_name(name) == name


def test_files_are_found_wherever_they_stand() -> None:
    file = {"$file": "a", "bytes": 1, "sha256": "0" * 64}
    value = {"one": file, "list": [1, file], "not": {"$file": "a"}, "deep": {"x": [{"y": file}]}}
    assert [path for path, _ in files_in(value)] == ["one", "list.1", "deep.x.0.y"]
    deep: Any = file
    for _ in range(100_000):
        deep = [deep]
    assert list(files_in(deep)) == []


# Tasks


@skill("measure")
async def measure(task: TaskContext, factor: int = 1) -> dict[str, Any]:
    """Uses a file in each way."""
    file = task.file("data")
    path, body = await task.file(file.stored).path(), await file.read()
    streamed = b"".join([part async for part in file.stream(1, 3)])
    assert path.read_bytes() == body
    assert streamed == body[1:3]
    assert (await file.path()) == path, "fetched once"
    return {"name": path.name, "size": file.size_bytes * factor, "folder": str(path.parent.parent)}


@skill("measure-in-thread")
def measure_in_thread(task: SyncTaskContext, data: dict[str, Any]) -> dict[str, Any]:
    """The parameter is what stands for the file."""
    file = task.file(data)
    with file.open() as opened:
        assert opened.read() == file.read()
    saved = task.save_file("copy.bin", file.path())
    within = task.step("inner", task.save_file, "inner.bin", b"inner")
    return {"size": file.size_bytes, "saved": [saved, within]}


@skill("report")
async def report(task: TaskContext, fails: bool = False) -> str:
    """Makes files, and may fail after that."""
    await task.save_file("report.txt", b"first " + str(task.attempt).encode())

    async def draw() -> Any:
        return await task.save_file("plot.png", pieces(b"p" * 2 * PART, 99))

    await task.step("draw", draw)
    await task.save_file("report.txt", b"second")
    if fails and task.attempt == 1:
        raise ConnectionError("once")
    return "done"


@skill("count-twice", retry=Retry(wait_s=0, jitter=0))
async def count_twice(task: TaskContext, data: dict[str, Any], name: str = "data") -> list[int]:
    """Hands paths of its files to steps as texts, and fails once after that."""
    one, other = str(await task.file(data).path()), str(await task.file("other").path())
    sizes = [await task.step("size", os.path.getsize, one if name == "data" or task.attempt == 1 else other)]
    sizes.append(await task.step("sizes", lambda *paths: sum(map(os.path.getsize, paths)), other, f"{one}:"[:-1]))
    if task.attempt == 1:
        raise ConnectionError("once")
    return sizes


async def clustered(cluster: Cluster) -> ClusterClient:
    await cluster.control()
    await cluster.node("n1", [measure, measure_in_thread, report, count_twice])
    return cluster.client()


async def test_a_task_gets_its_files_as_paths_and_bytes(cluster: Cluster, tmp_path: Path) -> None:
    client = await clustered(cluster)
    source = tmp_path / "data.csv"
    source.write_bytes(os.urandom(5 * PART))
    ref = await client.submit("measure", {"factor": 2}, files={"data": source}, id="t")
    result = await ref.result(10)
    assert (result["name"], result["size"]) == ("data.csv", 10 * PART)
    assert result["folder"] not in on_disk(Path(result["folder"]).parent), "gone with the attempt"
    assert ref.id == (await client.submit("measure", {"factor": 2}, files={"data": source}, id="t")).id, "once"
    [row] = await ref.files()
    assert (row.name, row.size_bytes, row.origin, row.at) == ("data.csv", 5 * PART, "params", "data")
    for name in ("data", "data.csv"):
        assert (await ref.download(name, tmp_path / "out")).read_bytes() == source.read_bytes()


async def test_sync_code_has_the_same_calls(cluster: Cluster, tmp_path: Path) -> None:
    client = await clustered(cluster)
    result = await client.run("measure-in-thread", files={"data": b"12345"}, wait_s=10, id="t")
    assert result["size"] == 5
    assert [(row.name, row.origin, row.at) for row in await client.files.of("t")] == [
        ("data", "params", "data"),
        ("copy.bin", "step", "file copy.bin"),
        ("inner.bin", "step", "inner"),
    ]
    assert b"".join([part async for part in client.files.read(result["saved"][1])]) == b"inner"


async def test_a_step_may_be_given_the_path_of_a_file_which_each_run_has_elsewhere(cluster: Cluster) -> None:
    client = await clustered(cluster)
    files = {"data": b"12345", "other": b"123"}
    assert await client.run("count-twice", files=files, wait_s=10, id="t") == [5, 8]
    assert [each.type for each in await client.history("t")].count("step.completed") == 2, "steps ran once"
    with pytest.raises(TaskBlocked, match="step 'size' is recorded with other arguments for getsize"):
        await client.run("count-twice", {"name": "other"}, files=files, wait_s=10, id="u")


async def test_what_a_task_saves_is_stored_once_and_stays(cluster: Cluster, tmp_path: Path) -> None:
    client = await clustered(cluster)
    ref = await client.submit("report", {"fails": True}, id="t")
    assert await ref.result(20) == "done"
    assert [(row.name, row.at) for row in await ref.files()] == [
        ("report.txt", "file report.txt"),
        ("plot.png", "draw"),
        ("report.txt", "file report.txt#2"),
    ]
    path = await ref.download("report.txt", tmp_path)
    assert path == tmp_path / "report.txt"
    assert path.read_bytes() == b"second", "the newest of that name"
    first = (await ref.files())[0].file
    assert await read(cluster.blobs, first) == b"first 1", "the first attempt has stored it"
    with pytest.raises(NotFound, match=r"has no file 'none'; its files: report\.txt, plot\.png"):
        await ref.download("none", tmp_path)


async def test_a_file_that_is_gone_blocks_its_task_or_says_so(cluster: Cluster, tmp_path: Path) -> None:
    client = await clustered(cluster)
    file = await client.files.put("data", b"x" * 3 * PART)
    cluster.blobs.kept.clear()
    ref = await client.submit("measure", files={"data": file}, id="t")
    with pytest.raises(Exception, match="can't be loaded"):
        await ref.result(10)
    target = tmp_path / "out"
    with pytest.raises(Missing):
        await ref.download("data", target)
    assert on_disk(tmp_path) == set(), "nothing half is left"


async def test_a_download_replaces_a_link_and_follows_none(cluster: Cluster, tmp_path: Path) -> None:
    client = await clustered(cluster)
    file = await client.files.put("data", b"new")
    (tmp_path / "secret").write_text("keep")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "data").symlink_to(tmp_path / "secret")
    assert (await client.files.download(file, tmp_path / "out")).read_text() == "new"
    assert (tmp_path / "secret").read_text() == "keep"
    with pytest.raises(OSError, match="none"):
        await client.files.download(file, tmp_path / "none" / "data")


async def test_what_does_not_fit_is_refused(cluster: Cluster, tmp_path: Path) -> None:
    client = await clustered(cluster)
    for files in ({"../x": b"x"}, {"data": tmp_path / "none"}, {"factor": b"x"}):
        with pytest.raises(Refused):
            await client.submit("measure", {"factor": 1}, files=files)  # type: ignore[arg-type]
    with pytest.raises(TaskFailed, match="does not take 'other'"):
        await client.run("measure", {"other": {"$file": "../x", "bytes": 1, "sha256": "0" * 64}}, wait_s=10)
    with pytest.raises(TaskFailed, match="was given no file 'data'; it has none"):
        await client.run("measure", wait_s=10, max_retries=0)


async def test_a_sweep_keeps_the_parts_of_files_that_tasks_name(cluster: Cluster) -> None:
    client = await clustered(cluster)
    await client.run("measure", files={"data": os.urandom(3 * PART)}, wait_s=10, id="m")
    await client.files.put("unused", os.urandom(4 * PART))
    before = len(cluster.blobs.kept)
    await client.run("report", wait_s=10)
    swept = await sweep(cluster.log, cluster.blobs, cluster.outputs, 0.0)
    assert swept.removed == 5, "four parts and their list"
    assert before == 4 + 5
    [row] = await client.files.of("m")
    assert len(await read(cluster.blobs, row.file)) == 3 * PART


@skill("large")
async def large(task: TaskContext, text: str) -> Any:
    """Keeps a file with the words of its user, and one that others have too."""
    await task.save_file("theirs.txt", text.encode() * PART)
    return await task.save_file("shared.txt", b"shared" * PART)


@pytest.mark.soak
async def test_an_erased_user_leaves_no_part_of_a_file() -> None:
    async with InMemory([large]) as cluster:
        await cluster.connect("ada").run("large", {"text": "hush-4711"}, id="hers")
        await cluster.connect("bob").run("large", {"text": "open-4711"}, id="his")
        hers, shared = [row.file for row in await cluster.client.files.of("hers")]
        blobs = cluster._host.blobs
        assert any(b"hush-4711" in body for body in blobs.kept.values())
        await cluster.client.erase("ada")
        assert not any(b"hush-4711" in body for body in blobs.kept.values())
        with pytest.raises(Missing):
            await read(cluster.client.payloads.blobs, hers)
        for file in (shared, (await cluster.client.files.of("his"))[0].file):
            assert len(await read(cluster.client.payloads.blobs, file)) == file.size_bytes


async def test_the_page_shows_files_in_and_out(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = code_of_page("letters.py")
    await cluster.control()
    await cluster.node("n1", [page.letters])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "letter.txt").write_text("abc")
    assert await page.main(cluster.client()) == "3 letters"
