"""What every store of archive files keeps, and what a log with its archive gives, whatever holds a record."""

import io
import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
import zstandard

from clawactors.eventlog import Corrupt, Draft, InProcessLog, Misconfigured, Missing, Record, Unavailable
from clawactors.eventlog.archive import frames
from clawactors.eventlog.archive.archive import SUFFIX, Archive
from clawactors.eventlog.archive.file import ArchiveFile
from clawactors.eventlog.archive.folder import FolderStore
from clawactors.eventlog.archive.lines import line_of, record_of
from clawactors.eventlog.archive.log import ArchivedLog
from clawactors.eventlog.archive.merging import SortedReading, merged
from clawactors.eventlog.archive.s3 import S3Store
from clawactors.eventlog.archive.store import ArchiveStore, InProcessArchiveStore
from clawactors.eventlog.archive.writer import ArchiveWriter
from tests.eventlog.s3server import BUCKET, S3Server, s3_server

AT = 1_800_000_000_123_456_789
HEADERS = b"NATS/1.0\r\nNats-Expected-Last-Subject-Sequence: 0\r\nClaw-Commit: c1\r\nClaw-By: client/ada\r\n\r\n"


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    with s3_server() as server:
        yield server


@pytest.fixture(params=["folder", "inprocess", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ArchiveStore:
    if request.param == "s3":
        return s3_store(request.getfixturevalue("s3"), monkeypatch)
    return FolderStore(tmp_path / "archive") if request.param == "folder" else InProcessArchiveStore()


def s3_store(server: S3Server, monkeypatch: pytest.MonkeyPatch, bucket: str = BUCKET) -> S3Store:
    server.objects.clear()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    return S3Store(bucket, "one/two", endpoint=server.url, region="eu-central-1")


def record(
    seq: int, id: str = "a", body: bytes = b'{"v":1,"events":[{"type":"x"}]}', headers: bytes = HEADERS
) -> Record:
    return Record(seq, AT + seq, f"claw.task.{id}.log", body, headers)


async def test_a_file_is_there_as_a_whole_or_not_at_all(store: ArchiveStore) -> None:
    assert await store.names() == []
    with pytest.raises(Missing, match="the archive has no file b"):
        await store.read("b", 0, 1)
    await store.put("b", io.BytesIO(b"0123456789"))
    await store.put("a", io.BytesIO(b""))
    assert await store.names() == ["a", "b"]
    assert (await store.size("b"), await store.size("a")) == (10, 0)
    assert await store.read("b", 3, 4) == b"3456"
    assert await store.read("b", 8, 4) == b"89"
    await store.put("b", io.BytesIO(b"new"))
    assert await store.read("b", 0, 9) == b"new"
    await store.remove("b")
    await store.remove("b")
    assert await store.names() == ["a"]
    with pytest.raises(Missing):
        await store.size("b")


async def test_a_listing_of_many_pages_is_whole(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    store = s3_store(s3, monkeypatch)
    s3.objects["elsewhere"] = b""
    for n in range(8):
        await store.put(f"f{n}", io.BytesIO(b"x"))
    assert await store.names() == [f"f{n}" for n in range(8)]
    assert "one/two/f3" in s3.objects


async def test_what_s3_refuses_is_told_apart_from_what_it_is_too_busy_for(
    s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = s3_store(s3, monkeypatch)
    monkeypatch.setattr("time.sleep", lambda _: None)
    s3.failures = 2
    await store.put("a", io.BytesIO(b"x"))  # tried again
    s3.failures = 100
    with pytest.raises(Unavailable, match="does not answer"):
        await store.names()
    s3.failures, s3.forbids = 0, True
    with pytest.raises(Misconfigured, match="can't be used"):
        await store.read("a", 0, 1)
    s3.forbids = False
    with pytest.raises(Misconfigured, match="NoSuchBucket"):
        await s3_store(s3, monkeypatch, "another").names()


@pytest.mark.parametrize(
    "body",
    [
        b'{"v":1,"events":[{"type":"x","a":1e400,"b":18446744073709551616,"c":"\\u00fc \xc3\xbc"}]}',
        b'{"v": 1,\n"events":[]}', b" {}", b"", b"\xff\x00 no text", b"[1]", b'{"cut":', b"{}\r\n",
    ],
)  # fmt: skip
@pytest.mark.parametrize("headers", [HEADERS, b"", b"NATS/1.0\r\nA:b\r\nA: c\r\n\r\n", b"\xff", b"NATS/1.0\r\n\r\n"])
def test_a_line_gives_back_the_same_bytes(body: bytes, headers: bytes) -> None:
    before = record(7, body=body, headers=headers)
    line = line_of(before)
    assert line.count(b"\n") == 1
    assert json.loads(line)["seq"] == 7
    assert record_of(line) == before


async def written(archive: Archive, name: str, records: list[Record], **blobs: bytes) -> ArchiveFile:
    out = io.BytesIO()
    writer = ArchiveWriter(out, "log-1", AT)
    for each in records:
        writer.add(each)
    for blob, body in blobs.items():
        writer.add_blob(blob, body)
    writer.finish({f"task/{each.subject.split('.')[2]}" for each in records})
    out.seek(0)
    await archive.add(name, out)
    return await archive.file(name)


async def test_histories_are_found_by_the_index(store: ArchiveStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clawactors.eventlog.archive.writer.FRAME_BYTES", 2000)
    monkeypatch.setattr("clawactors.eventlog.archive.writer._INDEX_BYTES", 1000)
    records = [record(seq, f"t{seq % 70}") for seq in range(1, 701)]
    archive = Archive(store)
    file = await written(archive, "f", records, **{"ab" * 32: b"\x00large", "cd" * 32: b"{}"})
    assert (file.directory.records, file.directory.aggregates, len(file.directory.index) > 3) == (700, 70, True)
    for n in (0, 1, 35, 69):
        assert await archive.history("f", f"task/t{n}") == [each for each in records if each.seq % 70 == n]
    with pytest.raises(Corrupt, match="does not hold task/t70"):
        await archive.history("f", "task/t70")
    assert [each async for batch in file.records(after=3, until=690) for each in batch] == records[3:690]
    assert await archive.blob("ab" * 32) == b"\x00large"
    assert await archive.blob("ef" * 32) is None


async def test_a_file_is_read_with_the_usual_tools(tmp_path: Path) -> None:
    archive = Archive(FolderStore(tmp_path))
    await written(archive, "f", [record(1), record(2, "b")])
    sound = io.BytesIO((tmp_path / f"f{SUFFIX}").read_bytes())
    whole = zstandard.ZstdDecompressor().stream_reader(sound, read_across_frames=True)
    lines = [json.loads(line) for line in whole.read().splitlines()]
    assert [line["subject"] for line in lines[:2]] == ["claw.task.a.log", "claw.task.b.log"]
    assert lines[0]["headers"]["Claw-By"] == "client/ada"
    assert lines[0]["body"]["events"] == [{"type": "x"}]
    assert lines[2] == {"aggregate": "task/a", "frames": [0], "first_seq": 1, "last_seq": 1, "records": 1}
    assert lines[-1]["format"] == frames.FORMAT


async def test_damage_anywhere_is_noticed_or_harms_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clawactors.eventlog.archive.writer.FRAME_BYTES", 1000)
    records = [record(seq, f"t{seq % 5}") for seq in range(1, 41)]
    store = InProcessArchiveStore()
    await written(Archive(store), "f", records)
    sound = store.kept[f"f{SUFFIX}"]
    r = random.Random(1)
    places = [*range(len(sound) - 200, len(sound)), *(r.randrange(len(sound)) for _ in range(100))]
    noticed = 0
    for at in places:
        damaged = bytearray(sound)
        damaged[at] ^= 1 << r.randrange(8)
        store.kept[f"f{SUFFIX}"] = bytes(damaged)
        try:
            file = await Archive(store).file("f")
            found = [each async for batch in file.records() for each in batch]
        except Corrupt:
            noticed += 1
        else:
            assert found == records, f"byte {at} was changed, and nobody noticed"
    assert noticed > len(places) // 2
    for size in (0, 10, len(sound) // 2, len(sound) - 1):
        store.kept[f"f{SUFFIX}"] = sound[:size]
        with pytest.raises(Corrupt, match=r"it has no end|damaged"):
            await Archive(store).file("f")


async def test_readings_are_merged_in_order_each_sequence_once() -> None:
    r = random.Random(7)
    for _ in range(50):
        everything = {seq: record(seq) for seq in range(1, 61)}
        readings, held = [], set[int]()
        for _ in range(r.randint(1, 5)):
            seqs = sorted(r.sample(range(1, 61), r.randint(1, 40)))
            held.update(seqs)
            batches, rest = [], list(seqs)
            while rest:
                size = r.randint(1, 7)
                batches.append([everything[seq] for seq in rest[:size]])
                rest = rest[size:]

            async def begin(batches: list[list[Record]] = batches):  # type: ignore[no-untyped-def]
                for batch in batches:
                    yield batch

            readings.append(SortedReading(r.choice((0, seqs[0])), begin))
        assert [each.seq async for batch in merged(readings) for each in batch] == sorted(held)


def _file(found: Record) -> str:
    return found.body.decode().removeprefix("moved ") if found.body.startswith(b"moved ") else ""


async def test_a_log_with_its_archive_reads_as_if_nothing_had_moved() -> None:
    log, archive = InProcessLog(lambda: AT), Archive(InProcessArchiveStore())
    versions: dict[str, int] = {}

    async def put(id: str, body: bytes) -> None:
        versions[id] = await log.append(Draft("task", id, body, f"c{log.last_seq}"), versions.get(id, 0))

    for n in range(40):
        await put(f"t{n % 8}", b"{}")
    before = [each async for batch in log.read(["claw.>"]) for each in batch]
    whole = ArchivedLog(log, archive, _file)
    for file, ids in (("f1", ("t1", "t2")), ("f2", ("t3", "t2x"))):
        await written(archive, file, [each for each in before if each.subject.split(".")[2] in ids])
        for id in ids[:1] if file == "f2" else ids:
            last = versions[id]
            await put(id, f"moved {file}".encode())
            if id != "t2":  # its purge is still to come
                await log.purge("task", id, last + 1)
    await written(archive, "garbage", [record(seq, "t9") for seq in range(1, 4)])  # no tombstone names it
    after = [each async for batch in log.read(["claw.>"]) for each in batch]
    assert len(after) == 40 - 10 + 3
    tombstones = [each for each in after if each.seq > 40]

    async def read(*patterns: str, **bounds: int) -> list[Record]:
        return [each async for batch in whole.read(patterns, **bounds) for each in batch]

    assert await read("claw.task.>") == [*before, *tombstones]
    assert await read("claw.>", after=11, until=30) == before[11:30]
    assert await read("claw.>", until=41) == [*before, tombstones[0]]
    for id in ("t0", "t1", "t2", "t3"):
        history = [each for each in (*before, *tombstones) if each.subject == f"claw.task.{id}.log"]
        assert await read(f"claw.task.{id}.>") == history
        for bound in (1, 9, 20, 42):
            assert await read(f"claw.task.{id}.>", after=bound) == [each for each in history if each.seq > bound]
            assert await read(f"claw.task.{id}.>", until=bound) == [each for each in history if each.seq <= bound]
    assert await read("claw.task.none.>") == []
    follower = await whole.follow(["claw.task.>"], after=3)
    await put("t0", b"{}")
    followed: list[Record] = []
    while len(followed) < 41:
        followed += await anext(follower)
    assert [each.seq for each in followed] == [*range(4, 45)]
    assert follower.position == 44
    await follower.caught_up()
    await follower.aclose()
    with pytest.raises(StopAsyncIteration):
        await anext(follower)
    await archive.remove("f1")
    with pytest.raises(Corrupt, match="the archive lacks f1, which the log names"):
        await read("claw.task.>")
    with pytest.raises(Missing, match="bring it back from a backup"):
        await read("claw.task.t1.>")
    assert isinstance(archive.store, InProcessArchiveStore)
    archive.store.kept[f"f1{SUFFIX}"] = b"damaged"
    with pytest.raises(Corrupt, match=r"f1\.jsonl\.zst is damaged"):
        await read("claw.task.>")
    del archive.store.kept[f"f1{SUFFIX}"]
    told: list[str] = []
    lenient = ArchivedLog(log, archive, _file, lambda error: told.append(str(error)))
    found = [each async for batch in lenient.read(["claw.task.>"]) for each in batch]
    assert [each for each in found if each.seq in (41, 42, 43)] == tombstones
    assert len(told) == 1
