"""Views of past moments: each is built once beside the live ones, and the last used are kept.

1. The views of a position are what a replay up to there makes. They are built from the nearest ones before it, or from
   the log's start, by `build`, which may be another process.
2. A folder with a position as its name is whole: it gets that name when it is. What is left of an interrupted build of
   the same position is continued; any other is removed.
3. They take `most_bytes` at most, except the one that was asked for last. They are a cache: delete the folder at will.
"""

import asyncio
import contextlib
import os
import shutil
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from clawactors.eventlog import Corrupt, EventLog
from clawactors.projections.engine.projector import Projector
from clawactors.projections.engine.questions import Building, Queries, ViewQuestion
from clawactors.projections.engine.replay import Progress, fill
from clawactors.projections.engine.revisions import PAST
from clawactors.projections.engine.state import state_of
from clawactors.projections.engine.store import Store
from clawactors.projections.engine.view import Projection
from clawactors.projections.moment import Moment, moment_at

__all__ = ["FOLDER", "MOST_BYTES", "BuildViews", "PastViews", "build_views"]

FOLDER: Final = PAST
"""Below the folder of the live views."""
MOST_BYTES: Final = 1 << 30

_OPEN: Final = 4
_WAIT_S: Final = 1.0
_BUILDING: Final = ".building-"
_COPYING: Final = ".copying-"

type BuildViews = Callable[[Path, int, Progress], Awaitable[None]]
"""Fills the views in that folder up to a position."""


async def build_views(log: EventLog, into: Path, projection: Projection, position: int, progress: Progress) -> None:
    """Fills the views in that folder up to the position, going on with what is there if that is sound.

    Raises: `Unavailable`, `Misconfigured`.
    """
    identity = (await log.head()).identity
    try:
        projector = Projector.open(projection, into, identity)
        if projector.position > position:
            projector.close()
            raise Corrupt(f"{into} is beyond {position}")
    except Corrupt:
        shutil.rmtree(into, ignore_errors=True)
        projector = Projector.open(projection, into, identity)
    try:
        await fill(log, projector, until=position, progress=progress)
    finally:
        projector.close()


class _Opened(msgspec.Struct):
    store: Store
    readers: int = 0


class _Build(msgspec.Struct):
    work: asyncio.Task[None]
    done: int = 0


class PastViews:
    """The cache in `folder`, for one projection of one log."""

    def __init__(
        self, log: EventLog, folder: Path, projection: Projection, build: BuildViews, most_bytes: int = MOST_BYTES
    ) -> None:
        self._log, self._projection, self._build_views = log, projection, build
        self.folder, self.most_bytes = folder, most_bytes
        self._opened: OrderedDict[int, _Opened] = OrderedDict()
        self._builds: dict[int, _Build] = {}
        self._gate = asyncio.Lock()

    async def answer(self, name: str, question: ViewQuestion) -> bytes:
        """The answer as of the moment that the question names.

        Raises: `InvalidQuery` for a moment that the log does not have; `Building`; `Refused`, `NotFound`.
        """
        moment = await moment_at(self._log, question.at_seq, question.at_time_ns)
        async with self.store_at(moment) as store:
            queries = Queries(self._projection.questions, lambda: store, lambda _node: None, lambda: moment.at_ns)
            return await asyncio.to_thread(queries.answer, name, question)

    @contextlib.asynccontextmanager
    async def store_at(self, moment: Moment) -> AsyncIterator[Store]:
        """The store as of then, while the block runs. Raises: `Building`, and what building raises."""
        opened = self._open(moment.seq) or await self._built(moment.seq)
        opened.readers += 1
        try:
            yield opened.store
        finally:
            opened.readers -= 1
            self._close(_OPEN)

    async def _built(self, position: int) -> _Opened:
        build = self._builds.get(position)
        if build is None:
            build = self._builds[position] = _Build(asyncio.ensure_future(self._build(position)))
        await asyncio.wait((build.work,), timeout=_WAIT_S)
        if not build.work.done():
            raise Building(f"the views of {position} are being built", build.done, position)
        self._builds.pop(position, None)
        build.work.result()
        opened = self._open(position)
        if opened is None:
            raise Corrupt(f"the views of {position} in {self.folder} are damaged")
        return opened

    def _open(self, position: int) -> _Opened | None:
        opened = self._opened.get(position)
        if opened is None:
            store = self._sound(position)
            if store is None:
                return None
            opened = self._opened[position] = _Opened(store)
        self._opened.move_to_end(position)
        with contextlib.suppress(OSError):
            os.utime(self._path(position))
        return opened

    def _close(self, kept: int) -> None:
        unused = [position for position, opened in self._opened.items() if not opened.readers]
        for position in unused[: max(0, len(self._opened) - kept)]:
            self._opened.pop(position).store.close()

    def _path(self, position: int) -> Path:
        return self.folder / str(position)

    def _sound(self, position: int) -> Store | None:
        """The store of that position, None where there is none of this release and log."""
        path = self._path(position)
        if not path.is_dir():
            return None
        try:
            store = Store.open(path, self._projection.tables, readonly=True)
        except Corrupt:
            shutil.rmtree(path, ignore_errors=True)
            return None
        try:
            with store.snapshot() as reading:
                state = state_of(reading)
            wanted = (self._projection.schema, self._projection.tags, position)
            if state is not None and (state.schema, state.tags, state.position) == wanted:
                return store
        except Corrupt:
            pass
        store.close()
        shutil.rmtree(path, ignore_errors=True)
        return None

    # Building

    async def _build(self, position: int) -> None:
        def told(done: int, _end: int) -> None:
            if (build := self._builds.get(position)) is not None:
                build.done = done

        async with self._gate:
            if self._open(position) is not None:
                return
            into = self.folder / f"{_BUILDING}{position}"
            await asyncio.to_thread(self._begin, into, position, self._base(position))
            await self._build_views(into, position, told)
            into.rename(self._path(position))
            await asyncio.to_thread(self._sweep, position)

    def _base(self, position: int) -> Path | None:
        """The nearest sound views before it."""
        if not self.folder.is_dir():
            return None
        for base in sorted((each for each in self._positions() if each < position), reverse=True):
            if base in self._opened:
                return self._path(base)
            if (store := self._sound(base)) is not None:
                store.close()
                return self._path(base)
        return None

    def _begin(self, into: Path, position: int, base: Path | None) -> None:
        """Leaves what the build goes on with, maybe nothing."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in (*self.folder.glob(f"{_COPYING}*"), *self.folder.glob(f"{_BUILDING}*")):
            if left != into:
                shutil.rmtree(left, ignore_errors=True)
        if base is not None and not into.is_dir():
            copying = self.folder / f"{_COPYING}{position}"
            shutil.copytree(base, copying, ignore=shutil.ignore_patterns("lock.mdb"))
            copying.rename(into)

    def _positions(self) -> Iterator[int]:
        for path in self.folder.iterdir():
            if path.name.isdecimal():
                yield int(path.name)

    def _sweep(self, kept: int) -> None:
        """Removes what was not used for longest, until the rest fits."""
        found = sorted(map(self._path, self._positions()), key=lambda path: path.stat().st_mtime, reverse=True)
        left_bytes = self.most_bytes - _size_bytes(self._path(kept))
        for path in found:
            if path.name != str(kept):
                left_bytes -= _size_bytes(path)
                if left_bytes < 0:
                    shutil.rmtree(path, ignore_errors=True)  # who reads it goes on: it is open

    async def clear(self) -> None:
        """Removes all of them: they may hold what was erased from the log."""
        await self.aclose()
        self._builds.clear()
        await asyncio.to_thread(shutil.rmtree, self.folder, ignore_errors=True)

    async def aclose(self) -> None:
        """Ends what is being built, and closes the stores."""
        for build in self._builds.values():
            build.work.cancel()
        await asyncio.gather(*(build.work for build in self._builds.values()), return_exceptions=True)
        for opened in self._opened.values():
            await asyncio.to_thread(opened.store.wait_unread)
            opened.store.close()
        self._opened.clear()


def _size_bytes(folder: Path) -> int:
    return sum(file.stat().st_blocks * 512 for file in folder.iterdir())
