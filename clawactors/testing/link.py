"""One process's way to everything that processes share, within one event loop: it can be cut, and it can fail.

1. Cut, nothing goes through any more, as after a kill. Plugged in again, what follows the log is late, not lost.
2. With `chance`, every call takes a few turns of the loop, so that whatever can interleave does.
3. `fault` is asked before and after each append and raises what it likes.
"""

import asyncio
import itertools
import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Final, Self

from clawactors.eventlog import Draft, EventLogError, Follower, Head, InProcessLog, NoResponders, Unavailable
from clawactors.eventlog.inprocess import Fault, append_each
from clawactors.eventlog.leases import InProcessLeases, Lease
from clawactors.eventlog.record import Record
from clawactors.eventlog.requests import InProcessRequests, Serving

__all__ = ["Link"]

_CUT: Final = "the cable is out"
_TURNS: Final = (0, 0, 1, 2, 5)


class Link:
    """An `EventLog`, `Leases` and `Requests` of one process."""

    def __init__(
        self,
        log: InProcessLog,
        leases: InProcessLeases,
        requests: InProcessRequests,
        chance: random.Random | None = None,
    ) -> None:
        self._log, self._leases, self._requests, self._chance = log, leases, requests, chance
        self._down = False
        self._up = asyncio.Event()
        self._up.set()
        self._held: list[Lease] = []
        self.appends: list[Draft] = []
        self.fault: Fault = lambda point, draft: None
        self.read_fault: Callable[[], None] = lambda: None
        self.before_request: Callable[[str], Awaitable[None]] | None = None
        """Is told the subject of each request, and awaited."""

    def ask_as(self, principal: str) -> None:
        """From now on its requests are this principal's."""
        self._requests = self._requests.of(principal)

    # The cable

    def unplug(self) -> None:
        """Calls fail until `plug`; what follows the log is late, not lost."""
        self._down = True
        self._up.clear()

    def plug(self) -> None:
        """Calls go through again."""
        self._down = False
        self._up.set()

    async def expire(self) -> None:
        """Its leases run out now."""
        for lease in self._held:
            await lease.release()

    def _check(self) -> None:
        if self._down:
            raise Unavailable(_CUT)

    async def _turns(self) -> None:
        if self._chance is not None:
            for _ in range(self._chance.choice(_TURNS)):
                await asyncio.sleep(0)

    # EventLog

    async def append(self, draft: Draft, expected: int) -> int:
        """See `EventLog`."""
        await self._turns()
        self._check()
        self.fault("before", draft)
        version = await self._log.append(draft, expected)
        self.appends.append(draft)
        await self._turns()
        self.fault("after", draft)
        self._check()
        return version

    async def append_many(self, drafts: Sequence[tuple[Draft, int]]) -> list[int | EventLogError]:
        """See `EventLog`."""
        return await append_each(self, drafts)

    async def append_all(self, drafts: Sequence[tuple[Draft, int]]) -> list[int]:
        """See `EventLog`. One fault is that of all."""
        await self._turns()
        self._check()
        self.fault("before", drafts[0][0])
        versions = await self._log.append_all(drafts)
        self.appends += [draft for draft, _ in drafts]
        await self._turns()
        self.fault("after", drafts[0][0])
        self._check()
        return versions

    async def read(
        self,
        patterns: Sequence[str],
        *,
        after: int = 0,
        since_ns: int | None = None,
        until: int | None = None,
        ahead: bool = False,
    ) -> AsyncGenerator[list[Record]]:
        """See `EventLog`."""
        await self._turns()
        self._check()
        self.read_fault()
        async for batch in self._log.read(patterns, after=after, since_ns=since_ns, until=until, ahead=ahead):
            for some in itertools.batched(batch, self._chance.randint(1, 3) if self._chance else len(batch)):
                yield list(some)
                await self._turns()
                self._check()

    async def follow(self, patterns: Sequence[str], *, after: int | None = None, sparse: bool = False) -> Follower:
        """See `EventLog`."""
        self._check()
        return _LinkedFollower(self, await self._log.follow(patterns, after=after, sparse=sparse))

    async def head(self) -> Head:
        """See `EventLog`."""
        self._check()
        return await self._log.head()

    async def purge(self, kind: str, id: str, before: int) -> int:
        """See `EventLog`."""
        await self._turns()
        self._check()
        return await self._log.purge(kind, id, before)

    # Leases and Requests

    async def acquire(self, key: str, value: bytes, ttl_s: float, over: bytes | None = None) -> Lease | None:
        """See `Leases`."""
        self._check()
        lease = await self._leases.acquire(key, value, ttl_s, over)
        if lease is None:
            return None
        self._held.append(lease)
        return _LinkedLease(self, lease)

    async def get(self, key: str) -> bytes | None:
        """See `Leases`."""
        self._check()
        return await self._leases.get(key)

    def watch(self, prefix: str) -> AsyncIterator[tuple[str, bytes | None]]:
        """See `Leases`."""
        return self._leases.watch(prefix)

    async def request(self, subject: str, body: bytes, timeout_s: float) -> bytes:
        """See `Asking`."""
        self._check()
        if self.before_request is not None:
            await self.before_request(subject)
        return await self._requests.request(subject, body, timeout_s)

    def publish(self, subject: str, body: bytes) -> None:
        """See `Requests`."""
        if not self._down:
            self._requests.publish(subject, body)

    async def subscribe(self, pattern: str, on_message: Callable[[str, bytes], None]) -> Callable[[], None]:
        """See `Asking`."""
        self._check()

        def take(subject: str, body: bytes) -> None:
            if not self._down:
                on_message(subject, body)

        return await self._requests.subscribe(pattern, take)

    async def serve(self, subject: str, answer: Any, queue: str = "") -> Serving:
        """See `Requests`."""
        self._check()

        async def linked(body: bytes) -> bytes:
            if self._down:
                raise NoResponders(_CUT)
            answered: bytes = await answer(body)
            return answered

        return await self._requests.serve(subject, linked, queue)

    async def answer(self, pattern: str, handler: Any, **settings: Any) -> Serving:
        """See `Requests`."""
        self._check()

        async def linked(principal: str, body: bytes) -> bytes:
            if self._down:
                raise NoResponders(_CUT)
            answered: bytes = await handler(principal, body)
            return answered

        return await self._requests.answer(pattern, linked, **settings)


class _LinkedFollower:
    def __init__(self, link: Link, follower: Follower) -> None:
        self._link, self._follower = link, follower
        self._on_the_way = asyncio.Event()
        self._on_the_way.set()

    @property
    def position(self) -> int:
        return self._follower.position

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[Record]:
        batch = await anext(self._follower)
        self._on_the_way.clear()
        await self._link._turns()
        await self._link._up.wait()
        self._on_the_way.set()
        return batch

    async def caught_up(self) -> None:
        await self._follower.caught_up()
        await self._on_the_way.wait()

    async def aclose(self) -> None:
        await self._follower.aclose()


class _LinkedLease:
    def __init__(self, link: Link, lease: Lease) -> None:
        self._link, self._lease = link, lease

    async def renew(self, value: bytes) -> bool:
        self._link._check()
        return await self._lease.renew(value)

    async def release(self) -> None:
        self._link._check()
        await self._lease.release()
