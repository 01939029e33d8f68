"""`SyncClient` beside `Client` on one cluster: one call at a time, and 64 threads beside 64 coroutines.

`python benchmarks/sync_client.py [--data FOLDER]` starts a cluster of its own, or uses the one of that folder.
Promised: one at a time, p50 at most 1.5 times that of the async client; with 64 threads at least half its throughput.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from clawactors import Client, SyncClient
from clawactors.app.cluster import ClusterSupervisor
from clawactors.app.clusterplan import ClusterPlan

ONE_BY_ONE, EACH, AT_ONCE = 400, 40, 64
ROUNDS = 3
SKILL = "nobody-has-it"
"""Tasks wait for a node for ever: what is measured is the client, not skills."""


async def one_by_one(claw: Client) -> float:
    took = []
    for _ in range(ONE_BY_ONE):
        began = time.perf_counter()
        await claw.submit(SKILL)
        took.append(time.perf_counter() - began)
    return statistics.median(took)


async def gathered(claw: Client) -> float:
    async def some() -> None:
        for _ in range(EACH):
            await claw.submit(SKILL)

    began = time.perf_counter()
    await asyncio.gather(*(some() for _ in range(AT_ONCE)))
    return AT_ONCE * EACH / (time.perf_counter() - began)


def one_by_one_sync(claw: SyncClient) -> float:
    took = []
    for _ in range(ONE_BY_ONE):
        began = time.perf_counter()
        claw.submit(SKILL)
        took.append(time.perf_counter() - began)
    return statistics.median(took)


def threads(claw: SyncClient) -> float:
    def some(_: int) -> None:
        for _ in range(EACH):
            claw.submit(SKILL)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        began = time.perf_counter()
        list(pool.map(some, range(AT_ONCE)))
        return AT_ONCE * EACH / (time.perf_counter() - began)


async def measure_async(data: str) -> tuple[float, float]:
    async with Client.connect(data=data) as claw:
        await one_by_one(claw)
        return await one_by_one(claw), await gathered(claw)


def measure(data: str) -> None:
    ratios, shares = [], []
    for number in range(ROUNDS):
        p50, rate = asyncio.run(measure_async(data))
        with SyncClient.connect(data=data) as claw:
            one_by_one_sync(claw)
            sync_p50, sync_rate = one_by_one_sync(claw), threads(claw)
        ratios.append(sync_p50 / p50)
        shares.append(sync_rate / rate)
        print(
            f"round {number + 1}: submit p50 async {1e3 * p50:.3f} ms, sync {1e3 * sync_p50:.3f} ms "
            f"({ratios[-1]:.2f} x)\n"
            f"  {AT_ONCE} at once async {rate:,.0f}/s, threads {sync_rate:,.0f}/s ({shares[-1]:.2f} x)"
        )
    print(f"one at a time: {statistics.median(ratios):.2f} x (promised: 1.5 at most)")
    print(f"{AT_ONCE} threads: {statistics.median(shares):.2f} x (promised: 0.5 at least)")


async def on_own_cluster() -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with ClusterSupervisor(Path(folder), ClusterPlan(nodes=1)):
            await asyncio.to_thread(measure, folder)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data")
    given = parser.parse_args().data
    measure(given) if given else asyncio.run(on_own_cluster())
