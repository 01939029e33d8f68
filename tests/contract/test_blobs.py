"""What every store of payloads keeps, on every adapter. Rules are those of `eventlog/jetstream/stores/blobs.py`."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from types import SimpleNamespace

import pytest

from clawactors.eventlog import Corrupt, Missing, Unavailable
from clawactors.eventlog.blobs import Blobs, InProcessBlobs
from clawactors.eventlog.jetstream import JetStreamBlobs, JetStreamLog
from clawactors.eventlog.jetstream.log.streams import BLOBS
from clawactors.eventlog.jetstream.stores.blob_descriptions import CHUNK_BYTES, about
from clawactors.eventlog.jetstream.wire.api import call, last_message
from tests.logs import open_log

SIZES = (0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 5_000_000)


@pytest.fixture(params=["inprocess", pytest.param("jetstream", marks=pytest.mark.nats)])
async def blobs(request: pytest.FixtureRequest) -> AsyncIterator[Blobs]:
    """An empty store of payloads."""
    if request.param == "inprocess":
        yield InProcessBlobs()
    else:
        async with await open_log(request.getfixturevalue("nats_url"), "test") as log:
            yield JetStreamBlobs(log.connection)


@pytest.mark.parametrize("size", SIZES)
async def test_what_was_put_comes_back(blobs: Blobs, size: int) -> None:
    body = os.urandom(size)
    name = await blobs.put(body)
    assert name == hashlib.sha256(body).hexdigest()
    assert await blobs.get(name) == body


async def test_a_view_of_something_else_is_a_payload_too(blobs: Blobs) -> None:
    whole = bytearray(b"0123456789")
    assert await blobs.get(await blobs.put(memoryview(whole)[2:5])) == b"234"


async def test_the_size_grows_with_what_is_put(blobs: Blobs) -> None:
    empty = await blobs.size_bytes()
    await blobs.put(os.urandom(100_000))
    assert 100_000 <= await blobs.size_bytes() - empty < 110_000


async def test_what_is_not_there_is_missing(blobs: Blobs) -> None:
    with pytest.raises(Missing):
        await blobs.get("0" * 64)


async def test_many_may_put_and_get_at_once(blobs: Blobs) -> None:
    bodies = [os.urandom(300_000) for _ in range(6)]
    names = await asyncio.gather(*(blobs.put(body) for body in bodies))
    assert await asyncio.gather(*map(blobs.get, names)) == bodies


async def state(log: JetStreamLog) -> dict[str, int]:
    found: dict[str, int] = (await call(log.connection, f"STREAM.INFO.{BLOBS}"))["state"]
    return found


@pytest.mark.nats
async def test_equal_payloads_share_one(jetstream_log: JetStreamLog) -> None:
    """1, also when they race."""
    blobs, body = JetStreamBlobs(jetstream_log.connection), os.urandom(2 * CHUNK_BYTES)
    names = await asyncio.gather(*(blobs.put(body) for _ in range(4)))
    assert len(set(names)) == 1
    assert (await state(jetstream_log))["messages"] == 3
    await blobs.put(body)
    assert (await state(jetstream_log))["messages"] == 3
    assert await blobs.get(names[0]) == body


@pytest.mark.nats
async def test_a_damaged_payload_is_told(jetstream_log: JetStreamLog) -> None:
    """2."""
    blobs = JetStreamBlobs(jetstream_log.connection)
    name = await blobs.put(os.urandom(2 * CHUNK_BYTES))
    await call(jetstream_log.connection, f"STREAM.MSG.DELETE.{BLOBS}", {"seq": 2})
    with pytest.raises(Corrupt, match="damaged"):
        await blobs.get(name)


async def test_a_damaged_payload_is_told_in_memory() -> None:
    """2."""
    blobs = InProcessBlobs()
    name = await blobs.put(b"what was put")
    blobs.kept[name] = b"what was not"
    with pytest.raises(Corrupt, match="damaged"):
        await blobs.get(name)


# Rules 4 and 5


async def test_what_is_put_again_is_young_and_stays_when_it_is_removed_as_it_was(blobs: Blobs) -> None:
    body = os.urandom(600_000)
    name = await blobs.put(body)
    [before] = await blobs.stored()
    assert (before.name, before.size_bytes) == (name, len(body))
    assert await blobs.put(body) == name
    [after] = await blobs.stored()
    assert after.put_ns > before.put_ns
    assert after.version != before.version
    assert not await blobs.remove(before)
    assert await blobs.get(name) == body
    assert await blobs.remove(after)
    assert not await blobs.remove(after)
    assert await blobs.stored() == []
    with pytest.raises(Missing):
        await blobs.get(name)
    assert await blobs.put(body) == name
    assert await blobs.get(name) == body


async def test_puts_and_removals_at_once_never_lose_what_was_put_last(blobs: Blobs) -> None:
    body = os.urandom(300_000)
    for _ in range(5):
        name = await blobs.put(body)
        [seen] = await blobs.stored()
        *_, removed = await asyncio.gather(blobs.put(body), blobs.put(body), blobs.remove(seen))
        del removed
        assert await blobs.get(name) == body


@pytest.mark.nats
async def test_a_removal_that_was_left_half_way_is_ended(
    jetstream_log: JetStreamLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs = JetStreamBlobs(jetstream_log.connection)
    await blobs.put(os.urandom(3_000_000))
    [blob] = await blobs.stored()

    async def die(*_: object) -> None:
        raise Unavailable("killed here")

    with monkeypatch.context() as patched:
        patched.setattr(blobs, "_clear", die)
        with pytest.raises(Unavailable):
            await blobs.remove(blob)
    assert await blobs.stored() == []
    assert (await state(jetstream_log))["bytes"] > 3_000_000
    await blobs.clear()
    assert (await state(jetstream_log))["bytes"] < 10_000
    await blobs.clear()


@pytest.mark.nats
async def test_what_is_put_often_is_described_once(jetstream_log: JetStreamLog) -> None:
    blobs = JetStreamBlobs(jetstream_log.connection)
    body = os.urandom(1000)
    for _ in range(5):
        await blobs.put(body)
    assert (await state(jetstream_log))["messages"] == 2  # the description and its chunk
    [blob] = await blobs.stored()
    assert await blobs.remove(blob)
    assert (await state(jetstream_log))["messages"] == 1  # that it is removed


@pytest.mark.nats
async def test_an_older_description_that_stayed_counts_for_nobody(
    jetstream_log: JetStreamLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs = JetStreamBlobs(jetstream_log.connection)
    body = os.urandom(1000)

    async def die(*_: object) -> None:
        raise Unavailable("killed here")

    with monkeypatch.context() as patched:
        patched.setattr(blobs._descriptions, "_purge_before", die)
        name = await blobs.put(body)
        await blobs.put(body)
        [blob] = await blobs.stored()
        assert await blobs.get(name) == body
        assert await blobs.remove(blob)
    assert await blobs.stored() == []
    await blobs.put(body)
    assert await blobs.get(name) == body
    assert (await state(jetstream_log))["messages"] == 2


@pytest.mark.nats
@pytest.mark.parametrize("how", ["all", "sub"])
async def test_no_message_can_roll_the_blobs_up(jetstream_log: JetStreamLog, how: str) -> None:
    blobs = JetStreamBlobs(jetstream_log.connection)
    body = os.urandom(600_000)
    name = await blobs.put(body)
    headers = f"NATS/1.0\r\nNats-Rollup: {how}\r\n\r\n".encode()
    for subject in (about(name), "$O.claw-blobs.C.attack"):
        _, answer = await jetstream_log.connection.ask(subject, b"{}", headers)
        assert b"rollup not permitted" in answer
    assert await blobs.get(name) == body


# Rule 6


async def half_way(blobs: JetStreamBlobs, monkeypatch: pytest.MonkeyPatch, body: bytes) -> None:
    """A put that ends as a kill ends it: with parts that nobody took back."""

    async def die(*_: object, **__: object) -> None:
        raise Unavailable("killed here")

    with monkeypatch.context() as patched:
        patched.setattr(blobs._descriptions, "write", die)
        patched.setattr(blobs, "_drop", die)
        with pytest.raises(Unavailable):
            await blobs.put(body)


@pytest.mark.nats
async def test_what_a_killed_put_left_goes_when_it_is_old_and_nothing_else_does(
    jetstream_log: JetStreamLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs, whole, damaged = JetStreamBlobs(jetstream_log.connection), os.urandom(600_000), os.urandom(700_000)
    name = await blobs.put(whole)
    began_ns = (await blobs.stored())[0].put_ns
    await half_way(blobs, monkeypatch, os.urandom(3_000_000))
    odd = await blobs.put(damaged)
    found = await last_message(jetstream_log.connection, BLOBS, about(odd))
    assert found is not None
    await jetstream_log.connection.ask(about(odd), found.data[:-1])  # no JSON any more, but it still names its chunks
    assert await blobs.unfinished(began_ns) == []
    [left] = await blobs.unfinished(began_ns + 3600 * 10**9)
    assert (await state(jetstream_log))["bytes"] > 4_000_000
    await blobs.drop(left)
    await blobs.drop(left)
    assert await blobs.unfinished(began_ns + 3600 * 10**9) == []
    assert (await state(jetstream_log))["bytes"] < 1_400_000
    assert await blobs.get(name) == whole


@pytest.mark.nats
async def test_a_put_that_stood_still_for_too_long_begins_anew(
    jetstream_log: JetStreamLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs, body, sends = JetStreamBlobs(jetstream_log.connection), os.urandom(600_000), 0
    send, times = blobs._send, iter((0.0, 90_000.0, 90_000.0, 90_001.0))

    async def sweep_meanwhile(view: memoryview, subject: str, size: int) -> int:
        nonlocal sends
        sends += 1
        chunks = await send(view, subject, size)
        if sends == 1:
            await blobs.drop(subject.rpartition(".")[2])
        return chunks

    monkeypatch.setattr(blobs, "_send", sweep_meanwhile)
    monkeypatch.setattr("clawactors.eventlog.jetstream.stores.blobs.time", SimpleNamespace(time=lambda: next(times)))
    name = await blobs.put(body)
    monkeypatch.undo()
    assert sends == 2
    assert await blobs.get(name) == body


async def test_all_that_is_stored_is_listed_and_none_of_it_is_unfinished(blobs: Blobs) -> None:
    names = [await blobs.put(b"payload %d" % number) for number in range(3)]
    assert sorted(blob.name for blob in await blobs.stored()) == sorted(names)
    assert await blobs.unfinished(2**62) == []
