"""Records as they come, page by page, for those who may not follow a stream themselves.

1. Who reads keeps the place. This process follows the stream on its behalf, as long as it asks for the next page soon;
   one that asks from another place, after a lost answer or a change of the leader, is followed anew from there.
2. So nothing is lost and nothing comes twice, whatever becomes of the process that answers.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final, override

from clawactors.eventlog import EventLogError, Follower, Record, Unavailable
from clawactors.runtime.recordpages import EventsQuestion, OutputQuestion, RecordPage, page_of
from clawactors.runtime.serving import RequestEndpoint

__all__ = ["MOST_PER_PRINCIPAL", "WAIT_S", "FollowedPages"]

WAIT_S: Final = 2.0
"""So long an answer waits for something to tell."""
MOST_PER_PRINCIPAL: Final = 1000
_FORGOTTEN_S: Final = 10.0
_MOST_READERS: Final = 500


class _Reader:
    """One who reads a stream: what was received for it, and what comes next."""

    def __init__(self, follower: Follower, after: int) -> None:
        self.follower, self.after = follower, after
        self.held: list[Record] = []
        self.coming: asyncio.Task[list[Record]] | None = None
        self.asked_s = 0.0
        self._superseded = asyncio.get_running_loop().create_future()

    def supersede(self) -> asyncio.Future[None]:
        """The one question that counts is the newest: the one before it is answered at once."""
        if not self._superseded.done():
            self._superseded.set_result(None)
        self._superseded = asyncio.get_running_loop().create_future()
        return self._superseded

    async def receive(self, superseded: asyncio.Future[None], wait_s: float | None) -> bool:
        """Waits for records, at most so long, or where that is None for those that are there now.

        False where there are none. Raises: what the follower raises.
        """
        if self.coming is None:
            self.coming = asyncio.ensure_future(anext(self.follower))
        present = asyncio.ensure_future(self.follower.caught_up()) if wait_s is None else None
        wanted: list[asyncio.Future[Any]] = [self.coming, superseded, *([present] if present else ())]
        try:
            await asyncio.wait(wanted, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED)
            if not self.coming.done():
                if present is not None and present.done():
                    present.result()
                return False
        finally:
            if present is not None:
                present.cancel()
        coming, self.coming = self.coming, None
        try:
            self.held = coming.result()
        except StopAsyncIteration:
            raise Unavailable("the stream is followed no longer") from None
        return True

    async def aclose(self) -> None:
        """Follows no longer."""
        self.supersede()
        if self.coming is not None:
            self.coming.cancel()
        await self.follower.aclose()


class FollowedPages[Q: OutputQuestion | EventsQuestion](RequestEndpoint):
    """`follow` follows what a question is about. `monotonic_s` is the clock by which silent readers are forgotten."""

    def __init__(self, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._monotonic_s = monotonic_s
        self._readers: OrderedDict[tuple[str, str], _Reader] = OrderedDict()
        self._closing: set[asyncio.Task[None]] = set()
        self._sweep: asyncio.TimerHandle | None = None

    async def follow(self, question: Q) -> Follower:
        """Follows it from its place. Raises: what the store raises."""
        raise NotImplementedError

    @override
    async def aclose(self) -> None:
        """Answers no longer and follows nothing. Order: idempotent."""
        await super().aclose()
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None
        while self._readers:
            self._drop(next(iter(self._readers)))
        await asyncio.gather(*self._closing, return_exceptions=True)

    async def page(self, principal: str, question: Q) -> RecordPage:
        """The next page of this reader. Raises: what the store raises."""
        key = principal, question.reader
        reader = await self._reader(key, question)
        superseded = reader.supersede()
        if not reader.held:
            try:
                found = await reader.receive(superseded, WAIT_S if question.waits else None)
            except EventLogError:
                if self._readers.get(key) is reader:
                    self._drop(key)
                raise
            if not found:
                return RecordPage(is_last=not superseded.done())
        page, is_cut = page_of(reader.held, question.offset)
        if not is_cut:
            reader.held = reader.held[len(page) :]
            reader.after = page[-1].seq
        return RecordPage(page, is_cut=is_cut)

    async def _reader(self, key: tuple[str, str], question: Q) -> _Reader:
        reader = self._readers.get(key)
        if reader is None or reader.after != question.after:
            follower = await self.follow(question)
            self._drop(key)
            reader = self._readers[key] = _Reader(follower, question.after)
        self._readers.move_to_end(key)
        reader.asked_s = self._monotonic_s()
        while len(self._readers) > _MOST_READERS:
            self._drop(next(iter(self._readers)))
        if self._sweep is None:
            self._sweep = asyncio.get_running_loop().call_later(_FORGOTTEN_S, self._forget)
        return reader

    def _forget(self) -> None:
        """Drops readers that have not asked for so long."""
        self._sweep = None
        before_s = self._monotonic_s() - _FORGOTTEN_S
        for key in [key for key, reader in self._readers.items() if reader.asked_s <= before_s]:
            self._drop(key)
        if self._readers:
            self._sweep = asyncio.get_running_loop().call_later(_FORGOTTEN_S, self._forget)

    def _drop(self, key: tuple[str, str]) -> None:
        if (reader := self._readers.pop(key, None)) is not None:
            task = asyncio.get_running_loop().create_task(reader.aclose())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
