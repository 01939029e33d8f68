"""What every store of keys keeps, on every adapter."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from clawactors.eventlog import Draft, InProcessLog
from clawactors.eventlog.jetstream import JetStreamLog
from clawactors.eventlog.keys import KEY_BYTES, InProcessKeys, Keys
from clawactors.eventlog.outputs import InProcessOutputs
from clawactors.eventlog.sealedoutputs import SealedOutputs
from clawactors.eventlog.sealing import Sealer
from tests.logs import open_log


@pytest.fixture(params=["inprocess", pytest.param("jetstream", marks=pytest.mark.nats)])
async def keys(request: pytest.FixtureRequest) -> AsyncIterator[Keys]:
    """An empty store of keys."""
    if request.param == "inprocess":
        yield InProcessKeys()
    else:
        async with await open_log(request.getfixturevalue("nats_url"), "test") as log:
            yield log.sealer.keys


async def test_a_key_is_made_once_and_found_by_its_name(keys: Keys) -> None:
    first, again = await asyncio.gather(keys.present("o-1"), keys.present("o-1"))
    other = await keys.present("o-2")
    assert first == again
    assert len(first.secret) == KEY_BYTES
    assert other.secret != first.secret
    assert await keys.find("o-1", first.name) == first
    assert await keys.names("o-1") == (first.name,)
    assert await keys.find("o-1", other.name) is None
    assert await keys.find("o.*", ">") is None


async def test_a_replaced_key_opens_until_it_is_erased(keys: Keys) -> None:
    old = await keys.present("o-1")
    new = await keys.replace("o-1")
    assert await keys.present("o-1") == new
    assert await keys.find("o-1", old.name) == old
    assert set(await keys.names("o-1")) == {old.name, new.name}
    await keys.erase("o-1", old.name)
    await keys.erase("o-1", old.name)
    assert await keys.find("o-1", old.name) is None
    assert await keys.names("o-1") == (new.name,)


async def test_an_owner_whose_only_key_was_erased_gets_another(keys: Keys) -> None:
    old = await keys.present("o-1")
    await keys.erase("o-1", old.name)
    new = await keys.present("o-1")
    assert new.name != old.name
    assert await keys.find("o-1", new.name) == new


PARTS = (b'{"v":1,"events":[{"type":"a",', b'"text":"hush"', b"}]}")
DRAFT = Draft("task", "t1", b"".join(PARTS), "c1", owner="o-1", parts=PARTS)


async def bodies(log: InProcessLog | JetStreamLog) -> list[bytes]:
    return [record.body async for batch in log.read(["claw.>"]) for record in batch]


async def test_a_log_stores_sealed_and_reads_open_until_the_key_is_gone(log: InProcessLog | JetStreamLog) -> None:
    follower = await log.follow(["claw.>"], after=0)
    await log.append(DRAFT, 0)
    (outcome,) = await log.append_many([(Draft("task", "t2", b"".join(PARTS), "c2", owner="o-1", parts=PARTS), 0)])
    assert outcome == 2
    await log.append_all([(Draft("task", "t3", b"".join(PARTS), "c3", owner="o-1", parts=PARTS), 0)])
    assert await bodies(log) == 3 * [DRAFT.body]
    seen: list[bytes] = []
    while len(seen) < 3:
        seen += [record.body for record in await anext(follower)]
    assert seen == 3 * [DRAFT.body]
    stored = [record async for batch in log.sealed(["claw.>"]) for record in batch]
    assert all(b"hush" not in record.body for record in stored)
    assert len({record.body for record in stored}) == 3, "the same words look different every time"
    await follower.aclose()

    (name,) = await log.sealer.keys.names("o-1")
    assert {record.header("Claw-Key") for record in stored} == {f"o-1.{name}"}
    await log.sealer.keys.erase("o-1", name)
    log.sealer.forget("o-1")
    assert await bodies(log) == 3 * [b'{"v":1,"events":[{"type":"a","erased":true}]}']
    assert log.sealer.erased == 3


async def test_a_copy_of_sealed_words_in_another_aggregate_stays_closed() -> None:
    async with InProcessLog() as log:
        await log.append(DRAFT, 0)
        (stored,) = [record async for batch in log.sealed(["claw.>"]) for record in batch]
        log.publish("claw.task.thief.log", stored.body, stored.headers)
        mine, copied = await bodies(log)
        assert b"hush" in mine
        assert b"hush" not in copied


async def test_a_writer_learns_of_a_new_key_from_what_it_reads() -> None:
    now_s, keys = 0.0, InProcessKeys()
    stale = Sealer(keys, lambda: now_s)
    old = (await stale.seal(DRAFT)).key
    async with InProcessLog(keys=keys) as log:
        await keys.replace("o-1")
        assert (await stale.seal(DRAFT)).key == old, "for a moment it does not ask again"
        await log.append(DRAFT, 0)
        await stale.open([record async for batch in log.sealed(["claw.>"]) for record in batch])
        assert (await stale.seal(DRAFT)).key != old


async def test_output_of_an_owner_is_sealed_and_left_out_once_it_is_erased() -> None:
    keys, inner = InProcessKeys(), InProcessOutputs()
    sealer = Sealer(keys)
    outputs = SealedOutputs(inner, sealer)
    await outputs.publish("t", "out", "n1", b"hush", "t/1", "o-1")
    await outputs.publish("t", "out", "n1", b"open", "t/2")
    assert [record.body async for batch in outputs.read() for record in batch] == [b"hush", b"open"]
    assert not [record async for batch in inner.read() for record in batch if b"hush" in record.body]
    for name in await keys.names("o-1"):
        await keys.erase("o-1", name)
    sealer.forget("o-1")
    follower = await outputs.follow("t", "out")
    assert [record.body for record in await anext(follower)] == [b"open"]
    await follower.aclose()


async def test_a_payload_in_the_archive_is_gone_with_the_key_of_the_records_that_name_it() -> None:
    sealer = Sealer(keys := InProcessKeys())
    key = (await sealer.seal(DRAFT)).key
    sealed = await sealer.seal_payload(key, "name", b"hush")
    assert b"hush" not in sealed
    assert await sealer.open_payload("name", sealed) == b"hush"
    assert await sealer.open_payload("name", b"plain") == b"plain"
    await keys.erase(*key.split("."))
    sealer.forget("o-1")
    assert await sealer.open_payload("name", sealed) is None
    assert await sealer.seal_payload(key, "name", b"hush") == b""
