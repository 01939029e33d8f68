"""Views behind an erasure: no file of theirs holds what is gone, and they are what a replay makes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from clawactors.eventlog import Draft, InProcessLog
from clawactors.kinds import KINDS
from clawactors.projections.engine.digest import store_digest
from clawactors.projections.engine.replay import replay
from clawactors.projections.live import LiveViews
from clawactors.systems.erasures import Erased
from clawactors.systems.erasures import events as x
from clawactors.systems.tasks import events as e
from tests.projections.cluster import CLUSTER

HUSH = "hush-hush-4711"
OWNER = "o-1"


async def append(log: InProcessLog, kind: str, id: str, *events: object, owner: str = "") -> int:
    """One commit, sealed where it has an owner."""
    parts = KINDS[kind].codec.encode_apart(events, KINDS[kind].bare)
    draft = Draft(kind, id, b"".join(parts), f"{id}-{log.last_seq}", owner=owner, parts=parts if owner else ())
    known = [record.seq async for batch in log.sealed([f"claw.{kind}.{id}.>"]) for record in batch]
    return await log.append(draft, known[-1] if known else 0)


async def history(log: InProcessLog) -> None:
    """Tasks of an owner and of nobody."""
    for n in range(20):
        await append(log, "task", f"hers{n}", e.Submitted(skill="echo", name=HUSH, user="ada"), owner=OWNER)
        await append(log, "task", f"open{n}", e.Submitted(skill="echo", name="open"))


async def erase(log: InProcessLog) -> None:
    """As control does it."""
    names = await log.sealer.keys.names(OWNER)
    await append(log, "erasure", OWNER, x.ErasureBegun(request="r", keys=names))
    for name in names:
        await log.sealer.keys.erase(OWNER, name)
    log.sealer.forget(OWNER)
    await append(log, "erasure", OWNER, x.ErasureFinished(request="r", erased=Erased(20)))


async def opened(log: InProcessLog, folder: Path) -> LiveViews:
    return await LiveViews.open(log, folder, CLUSTER, heartbeat=lambda _: None, now_ns=lambda: 0)


def files_with(folder: Path, word: str) -> Iterator[Path]:
    """The files that hold it, in whatever place."""
    return (path for path in folder.rglob("*") if path.is_file() and word.encode() in path.read_bytes())


async def is_replayed(log: InProcessLog, views: LiveViews, scratch: Path) -> bool:
    replayed = await replay(log, scratch, CLUSTER, until=views.position)
    return store_digest(views.store, CLUSTER).digest == replayed.digest


async def test_views_are_renewed_behind_the_end_of_an_erasure(tmp_path: Path) -> None:
    async with InProcessLog() as log:
        await history(log)
        views = await opened(log, tmp_path / "views")
        assert [*files_with(tmp_path, HUSH)]
        assert not await views.renew(), "nothing was erased"
        await erase(log)
        records = [record async for batch in log.read(CLUSTER.patterns, after=views.position) for record in batch]
        await views.apply([KINDS.decoder.decode(record) for record in records], log.last_seq)
        await views.feed.flush()
        assert await views.renew()
        assert not [*files_with(tmp_path, HUSH)]
        assert await is_replayed(log, views, tmp_path / "replayed")
        assert not await views.renew(), "once is enough"
        await views.aclose()


@pytest.mark.parametrize("half", [False, True])
async def test_views_that_missed_an_erasure_are_built_anew_when_they_are_opened(tmp_path: Path, half: bool) -> None:
    """`half`: the process died after its rows had the end of the erasure, and before they were built anew."""
    async with InProcessLog() as log:
        await history(log)
        views = await opened(log, tmp_path / "views")
        if not half:
            await views.aclose()
        await erase(log)
        if half:
            records = [record async for batch in log.read(CLUSTER.patterns, after=views.position) for record in batch]
            await views.apply([KINDS.decoder.decode(record) for record in records], log.last_seq)
            await views.aclose()
            assert [*files_with(tmp_path, HUSH)]
        views = await opened(log, tmp_path / "views")
        assert not [*files_with(tmp_path, HUSH)]
        assert await is_replayed(log, views, tmp_path / "replayed")
        await views.aclose()
