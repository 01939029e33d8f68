"""Views of past moments: equal to a replay, built once, bounded, and whole whatever happens to a build."""

import asyncio
import random
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from clawactors.eventlog import InProcessLog
from clawactors.kernel.errors import InvalidQuery
from clawactors.projections.engine.digest import digest
from clawactors.projections.engine.questions import Building
from clawactors.projections.engine.replay import Progress, replay
from clawactors.projections.moment import Moment, moment_at
from clawactors.projections.past import PastViews, build_views
from tests.projections.cluster import CLUSTER
from tests.projections.histories import random_history

SECOND = 1_000_000_000


async def filled(seed: int = 3, count: int = 300) -> InProcessLog:
    log = InProcessLog()
    for record in random_history(seed, count).records:
        log.publish(record.subject, record.body, record.headers)
    return log


def past_of(log: InProcessLog, folder: Path, **options: Any) -> PastViews:
    async def build(into: Path, position: int, progress: Progress) -> None:
        await build_views(log, into, CLUSTER, position, progress)

    return PastViews(log, folder, CLUSTER, options.pop("build", build), **options)


def size_of(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.glob("data.mdb"))


async def digest_at(past: PastViews, position: int) -> str:
    async with past.store_at(Moment(position, 0)) as store:
        with store.snapshot() as reading:
            return digest(reading, CLUSTER)


def kept(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


async def test_every_moment_is_what_a_replay_makes_whatever_was_asked_before(tmp_path: Path) -> None:
    log, chance = await filled(), random.Random(5)
    past = past_of(log, tmp_path / "past")
    last = (await log.head()).last_seq
    for n in range(5):
        position = chance.randint(1, last)
        replayed = await replay(log, tmp_path / f"replayed-{n}", CLUSTER, until=position)
        assert await digest_at(past, position) == replayed.digest
    await past.aclose()


async def test_a_moment_is_built_once_and_from_the_nearest_one_before(tmp_path: Path) -> None:
    log, built = await filled(), list[tuple[int, int]]()

    async def build(into: Path, position: int, progress: Progress) -> None:
        built.append((position, size_of(into)))
        await build_views(log, into, CLUSTER, position, progress)

    past = past_of(log, tmp_path / "past", build=build)
    await asyncio.gather(*(digest_at(past, 100) for _ in range(3)))
    await digest_at(past, 200)
    await digest_at(past, 100)
    await past.aclose()
    again = past_of(log, tmp_path / "past", build=build)
    await digest_at(again, 200)
    await again.aclose()
    assert [position for position, _ in built] == [100, 200]
    assert built[0][1] == 0
    assert built[1][1] > 0, "the views of 100 are where those of 200 begin"


async def test_the_least_used_go_when_there_is_no_room(tmp_path: Path) -> None:
    log = await filled()
    past = past_of(log, tmp_path / "past", most_bytes=1)
    for position in (50, 100, 150):
        await digest_at(past, position)
        assert kept(tmp_path / "past") == {str(position)}
    await past.aclose()


@pytest.mark.parametrize("when", ["while copying", "while building", "before its name", "damaged"])
async def test_a_killed_build_leaves_nothing_that_is_believed(tmp_path: Path, when: str) -> None:
    log, folder = await filled(), tmp_path / "past"
    past = past_of(log, folder)
    await digest_at(past, 80)
    await past.aclose()
    whole = (folder / "80" / "data.mdb").read_bytes()
    if when == "while copying":
        (folder / ".copying-120").mkdir()
        (folder / ".copying-120" / "data.mdb").write_bytes(whole[:5000])
    elif when == "damaged":
        shutil.copytree(folder / "80", folder / "120")
        (folder / "120" / "data.mdb").write_bytes(whole[:5000])
    else:
        await build_views(log, folder / ".building-120", CLUSTER, 90 if when == "while building" else 120, ignore)
    again = past_of(log, folder)
    assert await digest_at(again, 120) == (await replay(log, tmp_path / "replayed", CLUSTER, until=120)).digest
    assert kept(folder) == {"80", "120"}
    await again.aclose()


def ignore(_done: int, _of: int) -> None:
    pass


async def test_who_asks_for_what_takes_long_is_told_how_far_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clawactors.projections.past._WAIT_S", 0.01)
    log, go = await filled(), asyncio.Event()

    async def build(into: Path, position: int, progress: Progress) -> None:
        progress(40, position)
        await go.wait()
        await build_views(log, into, CLUSTER, position, ignore)

    past = past_of(log, tmp_path / "past", build=build)
    with pytest.raises(Building) as told:
        await digest_at(past, 100)
    assert (told.value.done, told.value.of) == (40, 100)
    go.set()
    async with asyncio.timeout(10):
        while True:
            try:
                await digest_at(past, 100)
                break
            except Building:
                await asyncio.sleep(0)
    await past.aclose()


async def test_a_build_that_fails_is_told_and_tried_again(tmp_path: Path) -> None:
    log, failed = await filled(), list[int]()

    async def build(into: Path, position: int, progress: Progress) -> None:
        if not failed:
            failed.append(position)
            raise InvalidQuery("no")
        await build_views(log, into, CLUSTER, position, progress)

    past = past_of(log, tmp_path / "past", build=build)
    with pytest.raises(InvalidQuery):
        await digest_at(past, 100)
    await digest_at(past, 100)
    await past.aclose()


async def test_answers_say_of_which_position_they_are(tmp_path: Path) -> None:
    log = await filled()
    past = past_of(log, tmp_path / "past")
    question = CLUSTER.questions["status"].question(at_seq=120)
    answer = msgspec.json.decode(await past.answer("status", question))
    assert answer["position"] == 120
    await past.aclose()


async def test_times_and_sequences_become_positions(tmp_path: Path) -> None:
    times = iter((10 * SECOND, 20 * SECOND, 20 * SECOND, 30 * SECOND))
    log = InProcessLog(lambda: next(times, 40 * SECOND))
    empty = partial(moment_at, InProcessLog())
    with pytest.raises(InvalidQuery, match="the log is empty"):
        await empty(1, 0)
    for n in range(4):
        log.publish(f"claw.task.t{n}.log", b"{}")
    assert await moment_at(log, 2, 0) == Moment(2, 20 * SECOND)
    for at_ns, seq in ((10, 1), (19, 1), (20, 3), (29, 3), (30, 4), (40, 4)):
        assert (await moment_at(log, 0, at_ns * SECOND)).seq == seq
    with pytest.raises(InvalidQuery, match=r"1970-01-01T00:00:09.* is before the log begins: its first record, 1, is"):
        await moment_at(log, 0, 9 * SECOND)
    with pytest.raises(InvalidQuery, match="the log ends at 4: there is no 5 yet"):
        await moment_at(log, 5, 0)
    with pytest.raises(InvalidQuery, match="in the future: it is 1970-01-01T00:00:40"):
        await moment_at(log, 0, 60 * SECOND)
