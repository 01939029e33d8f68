"""The views of a running process: its one reader feeds them, a thread writes them, so the loop waits for no disk.

1. Commits are written `gather_s` after the first of them came, at once when a caller waits for them, and on close.
   Under full load they gather longer, because a larger transaction costs less per commit.
2. At most `HELD_MAX` commits are held: then `put` waits, and the reader with it.
3. A full disk is waited out; no commit is skipped.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final

from clawactors.eventlog import Misconfigured, Record, Unavailable
from clawactors.eventlog.decoding import Commit
from clawactors.projections.engine.projector import BATCH, Projector

__all__ = ["GATHER_S", "HELD_MAX", "Feed"]

HELD_MAX: Final = 50_000
"""Commits that may wait to be written."""
GATHER_S: Final = 0.05
"""How long commits gather by default: a task that ends in this time is written once (docs/performance.md)."""

_GATHER_MAX_S: Final = 30.0
_TOGETHER: Final = 4 * BATCH
_BUSY_PER_S: Final = 4500
"""Commits a second from which on it is busy: more than half of what a machine does."""
_LONGER_WHEN_BUSY: Final = 4
_PAUSE_S: Final = 1.0

_log = logging.getLogger(__name__)


class _Held:
    """Commits that are not known to be written, in their order. They are indexed only where somebody asks for some."""

    __slots__ = ("_by_aggregate", "_indexed", "commits")

    def __init__(self, commits: list[Commit]) -> None:
        self.commits = commits
        self._by_aggregate: dict[tuple[str, str], list[Commit]] = {}
        self._indexed = 0

    def of(self, kind: str, id: str) -> Sequence[Commit]:
        """Those of one aggregate."""
        if self._indexed < len(self.commits):
            for commit in self.commits[self._indexed :]:
                self._by_aggregate.setdefault((commit.kind, commit.id), []).append(commit)
            self._indexed = len(self.commits)
        return self._by_aggregate.get((kind, id), ())


class Feed:
    """Takes commits in the order of the log; `serve` writes them until it is cancelled.

    `on_fault` gets every record that could not be folded, and why, once its batch is written.
    """

    def __init__(self, projector: Projector, gather_s: float = GATHER_S) -> None:
        if not 0 <= gather_s <= _GATHER_MAX_S:
            raise Misconfigured(f"views are written after {gather_s} s; it must be between 0 and {_GATHER_MAX_S:g} s")
        self.projector, self.gather_s = projector, gather_s
        self.on_fault: Callable[[Record, str], None] = _ignore
        self.on_written: Callable[[], None] = _nothing
        """Called in the writing thread when a batch is durable, before callers that wait for it go on."""
        self.taken = projector.position
        """The sequence up to which all commits were put."""
        self.trouble = ""
        """Why writing fails now, '' while it works."""
        self.writing = asyncio.Lock()
        """The lock of the projector: held while rows are written and while the projector is exchanged."""
        projector.faults.keeps_met = True
        self._held = _Held([])
        self._being_written = _Held([])
        self._more, self._now, self._room = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._since_s = 0.0
        """When the first of the held commits came, by the clock of the loop."""
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self._thread = ThreadPoolExecutor(1, "views")

    async def put(self, commits: Sequence[Commit], upto: int = 0) -> None:
        """Takes all commits up to that sequence; waits while too many are held."""
        if not self._more.is_set():
            self._since_s = asyncio.get_running_loop().time()
        self._held.commits += commits
        self.taken = max(self.taken, upto, commits[-1].record.seq if commits else 0)
        self._more.set()
        if len(self._held.commits) >= _TOGETHER:
            self._now.set()
        while len(self._held.commits) >= HELD_MAX:
            self._room.clear()
            await self._room.wait()

    async def serve(self) -> None:
        """Writes commits as they arrive, until cancelled. Raises: `Corrupt`."""
        gather_s, loop = self.gather_s, asyncio.get_running_loop()
        while True:
            await self._more.wait()
            began_s = self._since_s
            with suppress(TimeoutError):
                async with asyncio.timeout_at(began_s + min(gather_s, _GATHER_MAX_S)):
                    await self._now.wait()
            took_s = loop.time() - began_s
            try:
                wrote = await self.flush()
            except Unavailable as error:
                if not self.trouble:
                    _log.error("the views can't be written; commits are kept until they can: %s", error)
                self.trouble = str(error)
                await asyncio.sleep(_PAUSE_S)
            else:
                self.trouble = ""
                busy = wrote >= _BUSY_PER_S * max(took_s, self.gather_s)
                gather_s = self.gather_s * _LONGER_WHEN_BUSY if busy else self.gather_s

    async def flush(self) -> int:
        """Writes everything that was put so far; returns the number of commits.

        Raises: `Unavailable`, `Corrupt`.
        """
        async with self.writing:
            self._more.clear()
            self._now.clear()
            self._being_written, self._held = self._held, _Held([])
            held = self._being_written.commits
            self._room.set()
            try:
                await self._write(held, self.taken)
            except BaseException:
                # Commits that were written are skipped by their position.
                self._held, self._being_written = _Held(held + self._held.commits), _Held([])
                self._more.set()
                raise
            self._being_written = _Held([])
            reports, self.projector.reports = self.projector.reports, []
        for record, reason in reports:
            self.on_fault(record, reason)
        self._tell()
        return len(held)

    def unwritten(self, kind: str, id: str) -> Sequence[Commit]:
        """The commits of an aggregate that were put and are not known to be in the rows, in their order."""
        being_written, held = self._being_written.of(kind, id), self._held.of(kind, id)
        return [*being_written, *held] if being_written else held

    async def _write(self, commits: list[Commit], upto: int) -> None:
        """Writes in the thread; a cancelled caller leaves only after the thread has left the store."""
        run = asyncio.get_running_loop().run_in_executor
        writing = run(self._thread, self._apply, commits, upto)
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            await asyncio.wait([writing])
            raise

    def _apply(self, commits: list[Commit], upto: int) -> None:
        self.projector.apply_commits(commits, upto, _TOGETHER)
        self.on_written()

    async def reached(self, seq: int) -> None:
        """Returns when the rows hold the log up to this sequence, which must be put sooner or later."""
        if self.projector.position < seq:
            future = asyncio.get_running_loop().create_future()
            self._waiting.append((seq, future))
            self._now.set()
            await future

    def _tell(self) -> None:
        waiting, self._waiting = self._waiting, []
        for seq, future in waiting:
            if seq > self.projector.position:
                self._waiting.append((seq, future))
                self._now.set()
            elif not future.done():
                future.set_result(None)

    async def aclose(self) -> None:
        """Writes the held commits if that is possible and ends the thread; the projector stays open."""
        with suppress(Unavailable):
            await self.flush()
        self._thread.shutdown()


def _ignore(record: Record, reason: str) -> None:
    pass


def _nothing() -> None:
    pass
