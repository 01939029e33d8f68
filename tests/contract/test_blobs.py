"""What every store of payloads keeps, on every adapter. Rule numbers are those of `eventlog.jetstream.blobs`."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator

import pytest

from clawactors.runtime.inprocess import InProcessBlobs
from clawactors.runtime.ports import Blobs
from eventlog import Corrupt, Missing
from eventlog.jetstream import JetStreamBlobs, JetStreamLog
from eventlog.jetstream.api import call
from eventlog.jetstream.blobs import CHUNK_BYTES, STREAM

SIZES = (0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 5_000_000)


@pytest.fixture(params=["inprocess", pytest.param("jetstream", marks=pytest.mark.nats)])
async def blobs(request: pytest.FixtureRequest) -> AsyncIterator[Blobs]:
    """An empty store of payloads."""
    if request.param == "inprocess":
        yield InProcessBlobs()
    else:
        async with await JetStreamLog.connect(request.getfixturevalue("nats_url"), "test") as log:
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


async def test_what_is_not_there_is_missing(blobs: Blobs) -> None:
    with pytest.raises(Missing):
        await blobs.get("0" * 64)


async def test_many_may_put_and_get_at_once(blobs: Blobs) -> None:
    bodies = [os.urandom(300_000) for _ in range(6)]
    names = await asyncio.gather(*(blobs.put(body) for body in bodies))
    assert await asyncio.gather(*map(blobs.get, names)) == bodies


async def state(log: JetStreamLog) -> dict[str, int]:
    found: dict[str, int] = (await call(log.connection, f"STREAM.INFO.{STREAM}"))["state"]
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
    await call(jetstream_log.connection, f"STREAM.MSG.DELETE.{STREAM}", {"seq": 2})
    with pytest.raises(Corrupt, match="damaged"):
        await blobs.get(name)


async def test_a_damaged_payload_is_told_in_memory() -> None:
    """2."""
    blobs = InProcessBlobs()
    name = await blobs.put(b"what was put")
    blobs.kept[name] = b"what was not"
    with pytest.raises(Corrupt, match="damaged"):
        await blobs.get(name)
