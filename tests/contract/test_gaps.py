"""What is missing from a log, on every adapter."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from clawactors.app.logmark import NAME, LogMark
from clawactors.eventlog import Draft, EventLog, InProcessLog, Misconfigured
from clawactors.eventlog.gaps import Gap, Gaps, find_gaps, taken_away

BODY = b'{"v":1,"events":[{"type":"task.ready"}]}'


async def append(log: EventLog, id: str, expected: int) -> int:
    return await log.append(Draft("task", id, BODY, f"{id}-{expected}"), expected)


async def test_a_whole_log_lacks_nothing_and_is_not_read_for_it(log: EventLog) -> None:
    await append(log, "a", await append(log, "a", 0))
    assert taken_away(await log.head()) == 0
    assert await find_gaps(log) == Gaps()


async def test_what_somebody_purged_is_missing_at_the_start_in_between_and_at_the_end(log: EventLog) -> None:
    first = await append(log, "a", 0)
    second = await append(log, "a", first)
    other = await append(log, "b", 0)
    third = await append(log, "b", other)
    await append(log, "b", third)
    assert await log.purge("task", "a", second) == 1
    assert taken_away(await log.head()) == 1
    assert await find_gaps(log) == Gaps(1, (Gap(first, first),))
    await log.purge("task", "b", third + 1)
    assert await find_gaps(log) == Gaps(3, (Gap(first, first), Gap(other, third)))


async def marked(log: EventLog, folder: Path) -> LogMark:
    """A folder whose control process has noted where the log ends."""
    mark = LogMark(folder)
    keeping = asyncio.create_task(mark.serve(log))
    while not (folder / NAME).exists():  # noqa: ASYNC110 # it is written in a thread
        await asyncio.sleep(0.01)
    keeping.cancel()
    return mark


async def test_control_goes_on_with_the_log_of_its_folder_only(tmp_path: Path) -> None:
    async with InProcessLog() as log, InProcessLog() as other:
        await append(log, "a", 0)
        await LogMark(tmp_path).check(other)  # a new folder goes with any log
        mark = await marked(log, tmp_path)
        await mark.check(log)
        with pytest.raises(Misconfigured, match=r"is not on this server.*claw restore.*log.json to begin anew"):
            await mark.check(other)


async def test_a_log_that_has_lost_its_end_is_not_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clawactors.app.logmark._SETTLE_S", 0.0)
    async with InProcessLog() as log:
        await append(log, "a", 0)
        mark = await marked(log, tmp_path)
        kept = msgspec.json.decode((tmp_path / NAME).read_bytes())
        (tmp_path / NAME).write_bytes(msgspec.json.encode(kept | {"last_seq": 9}))
        with pytest.raises(Misconfigured, match="ends at 1 and had come to 9"):
            await mark.check(log)
