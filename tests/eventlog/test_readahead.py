"""A long part of the log, read by another process: the same records in the same order, whatever happens to it."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

import pytest

from clawactors.eventlog import Draft, Record
from clawactors.eventlog.jetstream import JetStreamLog
from clawactors.eventlog.jetstream.log import readahead
from clawactors.eventlog.jetstream.log.readahead import ReadAhead, ReadAheadStart, read_ahead

PATTERNS = ("claw.task.>", "claw.node.>")
COUNT = 3000


async def filled(log: JetStreamLog) -> list[Record]:
    body = b'{"v":1,"events":[{"type":"task.submitted"}]}'
    await log.append_many([(Draft("task", f"t{n}", body, f"c{n}"), 0) for n in range(COUNT)])
    return [record async for batch in log.read(PATTERNS) for record in batch]


@pytest.mark.nats
@pytest.mark.parametrize("fate", ["lives", "dies on the way"])
async def test_it_reads_the_same_records(
    jetstream_log: JetStreamLog, monkeypatch: pytest.MonkeyPatch, fate: str
) -> None:
    log, made = jetstream_log, list[ReadAhead]()
    expected = await filled(log)

    class Seen(ReadAhead):
        def __init__(self, start: ReadAheadStart) -> None:
            super().__init__(start)
            made.append(self)

    async def slowly(patterns: Sequence[str], after: int, until: int) -> AsyncGenerator[list[Record]]:
        async for batch in log.read(patterns, after=after, until=until):
            for record in batch:
                yield [record]
                while record.seq == 1 and not made[0].is_ready:  # noqa: ASYNC110 # another thread says so
                    await asyncio.sleep(0.005)

    monkeypatch.setattr(readahead, "ReadAhead", Seen)
    monkeypatch.setattr(readahead, "_WORTH", 0)
    monkeypatch.setattr(readahead, "_TOGETHER", 100)
    monkeypatch.setattr(readahead, "_WAITING_BYTES", 1000)
    start = ReadAheadStart(log.connection.address, PATTERNS, expected[-1].seq)
    read: list[Record] = []
    async for records in read_ahead(start, 0, slowly):
        read += records
        if fate == "dies on the way" and len(read) > 1:
            made[0].close()
    assert read == expected
    assert made[0].is_over or fate == "lives"
    assert made[0].is_whole == (fate == "lives")
