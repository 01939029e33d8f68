"""A backup of a log that is being written, and what may and may not be made of it."""

import asyncio
import contextlib
import os
import random
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from clawactors.app.upkeep import backup as making
from clawactors.app.upkeep.backup import Backup, make_backup, newest, prune, target_of
from clawactors.app.upkeep.container import BackupReader, BackupUnfit, BackupWriter
from clawactors.app.upkeep.manifest import MANIFEST, read_manifest
from clawactors.app.upkeep.planned import BackupOutcome, in_a_process, outcome_of
from clawactors.app.upkeep.restore import checked_backup, restore_streams
from clawactors.eventlog import Draft, Misconfigured, NoSuchLog, Record, Unavailable
from clawactors.eventlog.jetstream import Address, Connection, JetStreamBlobs, JetStreamLog
from clawactors.eventlog.jetstream.stores.snapshots import StreamSnapshot, stored_streams
from clawactors.systems.backups import BackupPlan
from tests.logs import open_log
from tests.servers import NatsServer

pytestmark = pytest.mark.nats

VALUE = random.Random(1).randbytes(1_300_000)


@pytest.fixture
def other_url(nats_server: NatsServer, request: pytest.FixtureRequest) -> str:
    """An empty account of the same server."""
    number = sum(map(ord, request.node.name)) % 100
    return nats_server.url(f"t{390 + number}")


def no_digests() -> dict[str, Any]:
    return {}


async def backed_up(log: JetStreamLog, path: Path) -> Backup:
    return await make_backup(log.connection, path, digests=no_digests)


async def all_of(log: JetStreamLog) -> list[Record]:
    return [record async for batch in log.read(["claw.>"]) for record in batch]


async def restored(path: Path, connection: Connection) -> None:
    with BackupReader(path) as reader:
        await restore_streams(connection, reader, checked_backup(reader))


def draft(id: str, blob: str = "") -> Draft:
    return Draft("task", id, msgspec.json.encode({"v": 1, "events": [], "blob": blob}), f"c-{id}")


async def test_what_is_restored_is_the_log_at_one_moment_with_all_it_refers_to(
    jetstream_log: JetStreamLog, other_url: str, tmp_path: Path
) -> None:
    """Values are stored and named all the while; each that a restored record names is there."""
    blobs, goes_on = JetStreamBlobs(jetstream_log.connection), True

    async def write(writer: int) -> None:
        number = 0
        while goes_on:
            name = await blobs.put(b"%d %d" % (writer, number)) if number % 5 == 0 else ""
            await jetstream_log.append(draft(f"w{writer}-{number}", name), 0)
            number += 1

    large = await blobs.put(VALUE)
    await jetstream_log.append(draft("first", large), 0)
    writers = [asyncio.create_task(write(number)) for number in range(20)]
    async with asyncio.timeout(20):
        await jetstream_log.append_many([(draft(f"x{number}"), 0) for number in range(200)])
    made = await backed_up(jetstream_log, tmp_path)
    after = (await jetstream_log.head()).last_seq
    goes_on = False
    await asyncio.gather(*writers)

    async with await Connection.open(other_url) as connection:
        await restored(made.path, connection)
        log = await JetStreamLog.over(connection)
        assert log.identity != jetstream_log.identity, "views of the old log are not taken for views of this one"
        records, kept = await all_of(log), JetStreamBlobs(connection)
        before = await all_of(jetstream_log)
        assert 200 <= len(records) <= after
        assert records == before[: len(records)], "sequences, times and headers are what they were"
        for record in records:
            if name := msgspec.json.decode(record.body)["blob"]:
                await kept.get(name)
        assert await kept.get(large) == VALUE
        async with await open_log(other_url, "claw-control") as opened:
            assert await opened.append(draft("first-after"), 0) == len(records) + 1


async def test_nothing_is_restored_over_streams_that_are_there(
    jetstream_log: JetStreamLog, other_url: str, tmp_path: Path
) -> None:
    await jetstream_log.append(draft("one"), 0)
    made = await backed_up(jetstream_log, tmp_path / "one.tar")
    with pytest.raises(Misconfigured, match="never over a cluster"):
        await restored(made.path, jetstream_log.connection)
    async with await open_log(other_url) as other:
        await other.append(draft("another"), 0)
        with pytest.raises(Misconfigured, match="never over a cluster"):
            await restored(made.path, other.connection)
        assert len(await all_of(other)) == 1


@contextlib.contextmanager
def cut_after(requests: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The process is gone before the next request of a restore to the server."""
    made, ask = 0, Connection.ask

    async def counted(self: Connection, subject: str, *arguments: Any, **more: Any) -> Any:
        nonlocal made
        made += ".STREAM." in subject
        if made > requests:
            raise asyncio.CancelledError
        return await ask(self, subject, *arguments, **more)

    with monkeypatch.context() as patch:
        patch.setattr(Connection, "ask", counted)
        yield


async def test_a_restore_that_is_cut_off_anywhere_is_completed_by_the_next(
    jetstream_log: JetStreamLog, other_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await jetstream_log.append(draft("one", await JetStreamBlobs(jetstream_log.connection).put(VALUE)), 0)
    path = (await backed_up(jetstream_log, tmp_path / "one.tar")).path
    async with await Connection.open(other_url) as connection:
        for requests in range(2, 1000, 3):
            try:
                with cut_after(requests, monkeypatch):
                    await restored(path, connection)
                break
            except asyncio.CancelledError:
                if await stored_streams(connection):
                    with pytest.raises(Misconfigured, match="being restored"):
                        await JetStreamLog.over(connection)
        assert requests > 10
        assert await all_of(await JetStreamLog.over(connection)) == await all_of(jetstream_log)
        with pytest.raises(Misconfigured, match="never over a cluster"):
            await restored(path, connection)


async def test_a_backup_that_lacks_a_part_on_the_way_is_not_made(
    jetstream_log: JetStreamLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await JetStreamBlobs(jetstream_log.connection).put(VALUE * 2)
    take, came = StreamSnapshot.on_message, [0]

    def lossy(self: StreamSnapshot, subject: bytes, reply: bytes, headers: bytes, body: bytes) -> None:
        came[0] += len(body) > 100_000
        if came[0] != 2:
            take(self, subject, reply, headers, body)

    monkeypatch.setattr(StreamSnapshot, "on_message", lossy)
    with pytest.raises(Unavailable, match="lost on the way"):
        await backed_up(jetstream_log, tmp_path)
    assert os.listdir(tmp_path) == []


async def test_a_connection_that_is_lost_ends_the_backup(jetstream_log: JetStreamLog, tmp_path: Path) -> None:
    await JetStreamBlobs(jetstream_log.connection).put(VALUE * 20)
    began = asyncio.Event()
    making_it = make_backup(jetstream_log.connection, tmp_path, digests=no_digests, progress=lambda done: began.set())
    backing_up = asyncio.create_task(making_it)
    await began.wait()
    await jetstream_log.connection.aclose()
    with pytest.raises(Unavailable):
        await backing_up
    assert os.listdir(tmp_path) == []


async def test_without_a_log_there_is_nothing_to_back_up(nats_url: str, tmp_path: Path) -> None:
    async with await Connection.open(nats_url) as connection:
        with pytest.raises(NoSuchLog):
            await make_backup(connection, tmp_path, digests=no_digests)


async def rewritten(made: Backup, path: Path, **changes: Any) -> Path:
    """A backup of a later release, as far as this one can see."""
    manifest = msgspec.to_builtins(made.manifest) | changes
    with BackupReader(made.path) as reader, BackupWriter(path) as writer:
        for stream in made.manifest.streams.values():
            writer.add(stream.file, b"".join(reader.chunks(stream.file)))
        writer.add(MANIFEST, msgspec.json.encode(manifest))
        writer.finish()
    return path


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"format": 99}, "has format 99"),
        ({"schema": 99}, "has schema 99"),
        ({"server": "99.1.0"}, r"made of nats-server 99\.1\.0"),
        ({"streams": {}}, "has no stream CLAW_EVENTS"),
    ],
)
async def test_a_backup_of_a_later_release_is_refused_by_name(
    jetstream_log: JetStreamLog, other_url: str, tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    made = await backed_up(jetstream_log, tmp_path / "one.tar")
    later = await rewritten(made, tmp_path / "later.tar", **changes)
    async with await Connection.open(other_url) as connection:
        with pytest.raises(Misconfigured, match=said):
            await restored(later, connection)


async def test_as_many_are_kept_as_were_asked_for_and_no_others_are_touched(
    jetstream_log: JetStreamLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "claw-00000000-20010101T000000Z.tar").write_bytes(b"of another cluster")
    (tmp_path / "mine.tar").write_bytes(b"named by hand")
    made: list[Path] = []
    for day in range(1, 5):
        monkeypatch.setattr(making, "datetime", _Day(day))
        made.append((await backed_up(jetstream_log, tmp_path)).path)
    removed = prune(tmp_path, jetstream_log.identity, keep=2)
    assert removed == made[:2]
    assert newest(tmp_path) == made[3]
    assert len(os.listdir(tmp_path)) == 4


class _Day:
    def __init__(self, day: int) -> None:
        self.day = day

    def now(self, zone: Any) -> datetime:
        return datetime(2026, 1, self.day, tzinfo=zone)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"format": 1}', b'{"format": "x"}'])
def test_a_manifest_that_is_not_one_is_told(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(BackupUnfit):
        read_manifest(content, tmp_path)


async def test_a_process_of_its_own_makes_one_and_keeps_as_many_as_the_plan_says(
    jetstream_log: JetStreamLog, nats_url: str, tmp_path: Path
) -> None:
    make = in_a_process(Address.of(nats_url), str(tmp_path / "data"))
    plan = BackupPlan(folder=str(tmp_path / "backups"), every_s=60, copies=1)
    old = target_of(tmp_path / "backups", jetstream_log.identity)
    old = old.with_name(f"{old.name.rpartition('-')[0]}-20200101T000000Z.tar")
    old.parent.mkdir()
    old.touch()
    last_seq = await jetstream_log.append(draft("one"), 0)
    new = await make(plan)
    assert (new.last_seq, new.planned) == (last_seq, True)
    assert os.listdir(plan.folder) == [os.path.basename(new.file)] != [old.name]


def test_what_such_a_process_says_is_an_outcome_or_a_reason() -> None:
    with pytest.raises(Misconfigured, match="the disk is full"):
        outcome_of(msgspec.json.encode(BackupOutcome(failure="the disk is full")), 0)
    with pytest.raises(Unavailable, match="ended with -9"):
        outcome_of(b"", -9)


async def test_a_restore_that_is_cut_off_in_the_middle_of_a_stream_is_completed_by_the_next(
    jetstream_log: JetStreamLog, other_url: str, tmp_path: Path
) -> None:
    """The server holds the name for some seconds."""
    await JetStreamBlobs(jetstream_log.connection).put(VALUE * 3)
    await jetstream_log.append(draft("one"), 0)
    path = (await backed_up(jetstream_log, tmp_path / "one.tar")).path
    async with await Connection.open(other_url) as connection:
        with BackupReader(path) as reader:
            manifest = checked_backup(reader)
            cut = asyncio.current_task()
            assert cut is not None
            total = sum(stream.size_bytes for stream in manifest.streams.values())
            with pytest.raises(asyncio.CancelledError):
                await restore_streams(
                    connection, reader, manifest, lambda done: cut.cancel() if done > total / 2 else None
                )
            cut.uncancel()
        await restored(path, connection)
        assert await all_of(await JetStreamLog.over(connection)) == await all_of(jetstream_log)
