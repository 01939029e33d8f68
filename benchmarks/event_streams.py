"""How long an event takes from its append to those who listen over HTTP: `python benchmarks/event_streams.py`.

`--listeners 1000 --events 50 --rate 10` starts a cluster of its own, `--before` is how many events the log has by then.
Who listens has a plain socket in one of `--processes` other processes and stamps each event as it comes; the append is
stamped by the server of the log, by the same clock. Everybody must hear every event, once and in order. Meanwhile
`/livez` is asked fifty times a second, so its answers say how long the loop of the web process was held up; with
`--catch-up` one more reads the log from its start over and over.
Promised: 99 % reach 1,000 listeners within 250 ms. Measure on a machine that does nothing else.
"""

import argparse
import array
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec

from benchmarks import event_listeners
from benchmarks.event_listeners import allow_sockets
from clawactors import Client
from clawactors.app.cluster import ClusterSupervisor
from clawactors.app.clusterplan import ClusterPlan
from clawactors.app.weblogin import WebLogin
from clawactors.app.webport import listen_at, port_of

__all__ = ["Figures", "measure"]

SKILL = "nobody-has-it"
"""Tasks wait for a node for ever: what is measured is the way of events, not skills."""


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What one run has measured; times in ms."""

    listeners: int
    events: int
    p50_ms: float
    p99_ms: float
    most_ms: float
    missed: int
    """Deliveries that did not come, came twice or out of order."""
    loop_p50_ms: float
    loop_p99_ms: float
    loop_most_ms: float
    cpu_s: float
    """Of the web process, while events came."""
    kb_per_listener: float
    mb_after: float
    caught_up: int


def web_process() -> int:
    """The pid of the web process that this one has started."""
    own = os.getpid()
    for each in Path("/proc").iterdir():
        if each.name.isdigit():
            try:
                words, parent = (
                    (each / "cmdline").read_bytes(),
                    int((each / "stat").read_text().rsplit(")")[1].split()[1]),
                )
            except OSError:
                continue
            if b"clawactors.app.processes.web" in words and parent == own:
                return int(each.name)
    raise SystemExit("there is no web process")


def used(pid: int) -> tuple[float, float]:
    """CPU in s, and memory in MB."""
    ticks = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


@asynccontextmanager
async def closing(writer: asyncio.StreamWriter) -> AsyncIterator[None]:
    """Leaves no socket open."""
    try:
        yield
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def watch_loop(port: int, took: list[float]) -> None:
    """Asks whether the process lives, again and again."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    asked = f"GET /livez HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
    async with closing(writer):
        while True:
            began_s = time.perf_counter()
            writer.write(asked)
            await reader.readuntil(b"}")
            took.append(1000 * (time.perf_counter() - began_s))
            await asyncio.sleep(0.02)


async def catch_up(port: int, token: str, until: int, times: list[int]) -> None:
    """Reads the log from its start over and over, each time up to that sequence."""
    while True:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
        writer.write(
            b"GET /api/v1/events?from=0 HTTP/1.1\r\n"
            + f"Host: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
        )
        seq = 0
        async with closing(writer):
            while seq < until:
                line = await reader.readline()
                if not line:
                    raise SystemExit("who catches up was cut")
                if line.startswith(b"id: "):
                    seq = int(line[4:].split(b".")[0])
        times.append(seq)


async def measure(
    data: Path, *, listeners: int, events: int, rate: float, processes: int, before: int, catching_up: bool
) -> Figures:
    """Runs a cluster in that folder, and measures."""
    with listen_at(0) as web:
        port = port_of(web)
        async with ClusterSupervisor(data, ClusterPlan(nodes=1, web=web)):
            token = WebLogin(data).token
            async with Client.connect(data=str(data)) as claw:
                for begin in range(0, before, 500):
                    await asyncio.gather(*(claw.submit(SKILL) for _ in range(min(500, before - begin))))
                return await _measure(claw, port, token, listeners, events, rate, processes, catching_up)


async def _measure(
    claw: Client, port: int, token: str, listeners: int, events: int, rate: float, processes: int, catching_up: bool
) -> Figures:
    pid, shares = web_process(), [listeners // processes + (n < listeners % processes) for n in range(processes)]
    loop: list[float] = []
    caught: list[int] = []
    end = (await claw.status()).log.last_seq
    async with asyncio.TaskGroup() as group:
        looking = group.create_task(watch_loop(port, []))  # its modules are loaded before memory is weighed
        await asyncio.sleep(1)
        looking.cancel()
        mb_before = used(pid)[1]
        children: list[Any] = []
        for share in shares:
            child = await asyncio.create_subprocess_exec(
                *(sys.executable, event_listeners.__file__, str(port), token, str(share), str(events)),
                stdout=subprocess.PIPE,
                limit=1 << 30,
            )
            children.append(child)
            if await child.stdout.readline() != b"ready\n":
                raise SystemExit("a process could not listen")
        cpu_s, mb = used(pid)
        aside = [group.create_task(watch_loop(port, loop))]
        if catching_up:
            aside.append(group.create_task(catch_up(port, token, end, caught)))
        for _ in range(events):
            await asyncio.gather(claw.submit(SKILL), asyncio.sleep(1 / rate))
        told = [json.loads(await child.stdout.readline()) for child in children]
        cpu_s, mb_after = used(pid)[0] - cpu_s, used(pid)[1]
        took = array.array("f")
        for child in children:
            took.frombytes(await child.stdout.read())
            await child.wait()
        for each in aside:
            each.cancel()
    ordered, loop = sorted(took), sorted(loop)
    return Figures(
        listeners=listeners, events=events, p50_ms=statistics.median(ordered), p99_ms=ordered[int(0.99 * len(ordered))],
        most_ms=ordered[-1], missed=sum(each["missed"] for each in told), loop_p50_ms=loop[len(loop) // 2],
        loop_p99_ms=loop[int(0.99 * len(loop))], loop_most_ms=loop[-1], cpu_s=cpu_s,
        kb_per_listener=1024 * (mb - mb_before) / listeners, mb_after=mb_after, caught_up=len(caught),
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listeners", type=int, default=1000)
    parser.add_argument("--events", type=int, default=50)
    parser.add_argument("--rate", type=float, default=10.0, help="events a second")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--before", type=int, default=0)
    parser.add_argument("--catch-up", action="store_true")
    given = parser.parse_args()
    allow_sockets()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(
            measure(
                Path(folder), listeners=given.listeners, events=given.events, rate=given.rate,
                processes=given.processes, before=given.before, catching_up=given.catch_up,
            )
        )  # fmt: skip
    print(f"{os.cpu_count()} cores, load {load:.1f}, Python {sys.version.split()[0]}, {given.rate:g} events/s")
    print(f"{figures.listeners} listeners, {figures.events} events, {figures.missed} missed")
    print(f"append to arrival: p50 {figures.p50_ms:.0f} ms, p99 {figures.p99_ms:.0f} ms, most {figures.most_ms:.0f} ms")
    print(
        f"an answer meanwhile: p50 {figures.loop_p50_ms:.1f} ms, p99 {figures.loop_p99_ms:.0f} ms, "
        f"most {figures.loop_most_ms:.0f} ms"
    )
    print(
        f"web process: {figures.cpu_s:.1f} s of CPU, {figures.kb_per_listener:.0f} KB a listener, "
        f"{figures.mb_after:.0f} MB in the end; caught up {figures.caught_up} times"
    )


if __name__ == "__main__":
    main()
