"""Presence and live records within one process: the ports of the runtime without a server, for tests."""

import asyncio
import hashlib
import itertools
import time
from collections.abc import AsyncGenerator, AsyncIterator, Buffer, Callable, Iterable

from msgspec.structs import replace

from clawactors.eventlog import Corrupt, Follower, Missing, PermissionDenied, Record
from clawactors.eventlog.blob import Blob
from clawactors.eventlog.inprocess import InProcessLog
from clawactors.eventlog.timers import TimerMark
from clawactors.runtime.clock import Clock

__all__ = [
    "InProcessBlobs",
    "InProcessCommands",
    "InProcessDeadLetters",
    "InProcessLeases",
    "InProcessLive",
    "InProcessOutputs",
    "InProcessTimers",
]


class InProcessLeases:
    """Keys that expire by the given clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._held: dict[str, tuple[bytes, float, _Lease]] = {}
        self._watchers: list[tuple[str, asyncio.Queue[tuple[str, bytes | None]]]] = []

    async def acquire(self, key: str, value: bytes, ttl_s: float) -> "_Lease | None":
        """The lease, None while somebody holds the key."""
        held = self._held.get(key)
        if held is not None and held[1] > self._clock.monotonic_s():
            return None
        lease = _Lease(self, key, ttl_s)
        self._put(lease, value)
        return lease

    async def watch(self, prefix: str) -> AsyncIterator[tuple[str, bytes | None]]:
        """Present and future values of the keys below the prefix."""
        changes: asyncio.Queue[tuple[str, bytes | None]] = asyncio.Queue()
        for key, (value, _, _) in self._held.items():
            if key.startswith(prefix):
                changes.put_nowait((key, value))
        self._watchers.append((prefix, changes))
        while True:
            yield await changes.get()

    def _put(self, lease: "_Lease", value: bytes) -> None:
        self._held[lease.key] = (value, self._clock.monotonic_s() + lease.ttl_s, lease)
        self._tell(lease.key, value)

    def _tell(self, key: str, value: bytes | None) -> None:
        for prefix, changes in self._watchers:
            if key.startswith(prefix):
                changes.put_nowait((key, value))


class _Lease:
    def __init__(self, leases: InProcessLeases, key: str, ttl_s: float) -> None:
        self._leases, self.key, self.ttl_s = leases, key, ttl_s

    async def renew(self, value: bytes) -> bool:
        """Holds it for another term; False when it is lost."""
        held = self._leases._held.get(self.key)
        if held is None or held[2] is not self or held[1] <= self._leases._clock.monotonic_s():
            return False
        self._leases._put(self, value)
        return True

    async def release(self) -> None:
        """Gives it up at once."""
        if self._leases._held.get(self.key, (b"", 0.0, None))[2] is self:
            del self._leases._held[self.key]
            self._leases._tell(self.key, None)


class InProcessLive:
    """Tails an in-process log; it never has gaps."""

    def __init__(self, log: InProcessLog) -> None:
        self._log = log

    def tail(
        self,
        pattern: str,
        on_record: Callable[[Record], None],
        on_gap: Callable[[], None],
        on_denied: Callable[[PermissionDenied], None],
    ) -> Callable[[], None]:
        """Calls `on_record` for each matching record from now on. Returns what ends it."""

        after = self._log.last_seq

        async def follow() -> None:
            follower = await self._log.follow([pattern], after=after)
            try:
                async for batch in follower:
                    for record in batch:
                        on_record(record)
            finally:
                await follower.aclose()

        task = asyncio.create_task(follow())

        def stop() -> None:
            task.cancel()

        return stop


class InProcessTimers:
    """Timers that go off by the given clock, which is looked at often: it may be set by hand."""

    _LOOK_S = 0.005

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._marks: list[TimerMark] = []
        self._open: dict[tuple[str, str], TimerMark] = {}

    async def set(self, kind: str, id: str, at_ns: int, version: int) -> None:
        """Sets the timer, in place of one with this name."""
        mark = TimerMark(kind, id, at_ns, version, place=len(self._marks) + 1)
        self._marks.append(mark)
        self._open[kind, id] = mark

    async def cancel(self, kind: str, id: str, place: int) -> None:
        """Takes the timer back, unless it was set again behind that place."""
        if (mark := self._open.get((kind, id))) is not None and mark.place <= place:
            del self._open[kind, id]

    async def watch(self) -> AsyncGenerator[list[TimerMark]]:
        """First all that are set or have gone off, then each as it comes."""
        seen = len(self._marks)
        yield [mark for mark in self._marks if mark.fired or self._open.get((mark.kind, mark.id)) is mark]
        while True:
            self._go_off()
            if len(self._marks) > seen:
                fresh = self._marks[seen:]
                seen += len(fresh)
                yield fresh
            await asyncio.sleep(self._LOOK_S)

    def _go_off(self) -> None:
        now_ns = self._clock.now_ns()
        for name, mark in list(self._open.items()):
            if mark.at_ns <= now_ns:
                del self._open[name]
                self._marks.append(replace(mark, fired=True, place=len(self._marks) + 1))


class InProcessBlobs:
    """Payloads by name: `kept` holds their bytes."""

    def __init__(self, now_ns: Callable[[], int] = time.time_ns) -> None:
        self.kept: dict[str, bytes] = {}
        self._now_ns = now_ns
        self._put: dict[str, tuple[int, int]] = {}
        self._versions = itertools.count(1)

    async def put(self, body: Buffer) -> str:
        """Keeps it and returns its name."""
        name = hashlib.sha256(body).hexdigest()
        self.kept.setdefault(name, bytes(body))
        self._put[name] = self._now_ns(), next(self._versions)
        return name

    async def get(self, name: str) -> bytes:
        """The payload. Raises: `Missing`, `Corrupt`."""
        body = self.kept.get(name)
        if body is None:
            raise Missing(f"the object store has no payload {name}")
        if hashlib.sha256(body).hexdigest() != name:
            raise Corrupt(f"the payload {name} in the object store is damaged: it is not what was put there")
        return body

    async def stored(self) -> list[Blob]:
        """All that is there."""
        return [Blob(name, len(self.kept[name]), *put) for name, put in self._put.items()]

    async def remove(self, blob: Blob) -> bool:
        """Takes it away, False where it was put again since it was listed."""
        if self._put.get(blob.name) != (blob.put_ns, blob.version):
            return False
        del self.kept[blob.name], self._put[blob.name]
        return True

    async def clear(self) -> None:
        """Nothing is left half way here."""

    async def unfinished(self, before_ns: int) -> list[str]:
        """None: a put is done at one stroke here."""
        return []

    async def drop(self, unfinished: str) -> None:
        """Nothing to take away."""


class InProcessOutputs:
    """Streams by task and name."""

    def __init__(self) -> None:
        self._log = InProcessLog()
        self._names: set[str] = set()

    async def publish(self, id: str, stream: str, body: bytes, name: str) -> None:
        """Keeps it behind what is there, once under its name."""
        if name not in self._names:
            self._names.add(name)
            self._log.publish(f"claw.output.{id}.{stream}", body)

    def read(self) -> AsyncIterator[list[Record]]:
        """All that is kept, of all tasks."""
        return self._log.read(["claw.output.>"])

    async def follow(self, id: str, stream: str, after: int = 0) -> Follower:
        """The records of a stream behind that place, and each as it comes."""
        return await self._log.follow([f"claw.output.{id}.{stream}"], after=after)


class InProcessDeadLetters:
    """Bad records by sequence: `letters` holds `(record, reason)`."""

    def __init__(self) -> None:
        self.letters: dict[int, tuple[Record, str]] = {}

    async def copy(self, record: Record, reason: str) -> None:
        """Keeps the record once."""
        self.letters.setdefault(record.seq, (record, reason))


class InProcessCommands:
    """A queue of commands; `publish` fills it, `again` gives out once more what is not done. `letters` are buried."""

    identity = "inprocess"

    def __init__(self) -> None:
        self._waiting: list[Record] = []
        self._taken: dict[int, Record] = {}
        self._numbers = itertools.count(1)
        self._more = asyncio.Event()
        self.letters: dict[int, tuple[Record, str]] = {}

    @property
    def open_count(self) -> int:
        """How many are not done."""
        return len(self._waiting) + len(self._taken)

    def publish(self, subject: str, body: bytes) -> None:
        """Puts one in."""
        self._waiting.append(Record(next(self._numbers), 0, subject, body))
        self._more.set()

    def again(self) -> None:
        """What was taken and not done waits again."""
        self._waiting = [*self._taken.values(), *self._waiting]
        self._taken.clear()
        self._more.set()

    async def take(self, wait_s: float) -> list[Record]:
        """What waits now, or comes first within the time."""
        if not self._waiting:
            self._more.clear()
            try:
                async with asyncio.timeout(wait_s):
                    await self._more.wait()
            except TimeoutError:
                return []
        took, self._waiting = self._waiting, []
        self._taken.update((record.seq, record) for record in took)
        return took

    async def bury(self, record: Record, reason: str) -> None:
        """Keeps it once."""
        self.letters.setdefault(record.seq, (record, reason))

    def done(self, seqs: Iterable[int]) -> None:
        """These are dealt with."""
        for seq in seqs:
            self._taken.pop(seq, None)
