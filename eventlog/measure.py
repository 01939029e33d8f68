"""Measures a log: sequential appends, concurrent appends, reading. Works with every adapter."""

import asyncio
import itertools
import time
from collections.abc import Sequence

import msgspec

from clawactors.eventlog.log import EventLog
from clawactors.eventlog.record import Draft

__all__ = ["BODY", "LogFigures", "measure_appends", "measure_read", "measure_single_appends"]

BODY = b'{"v":1,"events":[{"type":"task.submitted","skill":"echo","params":{"x":1},"priority":2}]}'

_runs = itertools.count()


class LogFigures(msgspec.Struct, frozen=True):
    """What a measurement found; `p50_ms` and `p99_ms` are None if single latencies were not measured."""

    n: int
    seconds: float
    p50_ms: float | None = None
    p99_ms: float | None = None

    @property
    def per_s(self) -> float:
        """Rate over the whole run."""
        return self.n / self.seconds


async def measure_single_appends(log: EventLog, n: int = 1000, body: bytes = BODY) -> LogFigures:
    """Sequential appends, each to a new aggregate."""
    run, took = _run(), []
    begin = time.perf_counter()
    for number in range(n):
        start = time.perf_counter()
        await log.append(Draft("task", f"{run}-{number}", body, f"{run}-{number}"), 0)
        took.append(time.perf_counter() - start)
    return _figures(n, time.perf_counter() - begin, took)


async def measure_appends(log: EventLog, n: int = 50_000, at_once: int = 2000, body: bytes = BODY) -> LogFigures:
    """`n` appends to new aggregates by `at_once` concurrent writers."""
    run, numbers, took = _run(), iter(range(n)), []

    async def write() -> None:
        for number in numbers:
            start = time.perf_counter()
            await log.append(Draft("task", f"{run}-{number}", body, f"{run}-{number}"), 0)
            took.append(time.perf_counter() - start)

    begin = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(write())
    return _figures(n, time.perf_counter() - begin, took)


async def measure_read(log: EventLog, patterns: Sequence[str] = ("claw.>",)) -> LogFigures:
    """Reads all matching records."""
    n, begin = 0, time.perf_counter()
    async for batch in log.read(patterns):
        n += len(batch)
    return LogFigures(n, time.perf_counter() - begin)


def _run() -> str:
    """A prefix of ids that no earlier run used."""
    return f"bench-{time.time_ns():x}-{next(_runs)}"


def _figures(n: int, seconds: float, took: list[float]) -> LogFigures:
    took.sort()
    return LogFigures(n, seconds, 1e3 * took[len(took) // 2], 1e3 * took[len(took) * 99 // 100])
