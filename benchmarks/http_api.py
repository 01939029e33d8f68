"""The HTTP API beside the Python client on one cluster: submissions, the state of a task, server-sent events.

`python benchmarks/http_api.py [--listeners 1000]` starts a cluster of its own; `wrk` measures states where it is there.
Promised: submit p50 at most twice that of the client; 2,000 requests/s for a state with 64 connections on 2 cores; an
event reaches 1,000 listeners within 250 ms (p99). Measure on a machine that does nothing else.
"""

import argparse
import asyncio
import http.client
import json
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from clawactors import Client
from clawactors.app.cluster import ClusterSupervisor
from clawactors.app.clusterplan import ClusterPlan
from clawactors.app.weblogin import WebLogin
from clawactors.app.webport import listen_at, port_of

SUBMISSIONS, EVENTS = 400, 20
SKILL = "nobody-has-it"
"""Tasks wait for a node for ever: what is measured is the way to control, not skills."""


async def submit_by_client(claw: Client) -> float:
    took = []
    for _ in range(SUBMISSIONS):
        began = time.perf_counter()
        await claw.submit(SKILL)
        took.append(time.perf_counter() - began)
    return statistics.median(took)


def submit_by_http(port: int, token: str) -> float:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    body, took = json.dumps({"skill": SKILL}), []
    for _ in range(SUBMISSIONS):
        began = time.perf_counter()
        connection.request("POST", "/api/v1/tasks", body, headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 201:
            raise SystemExit(f"a submission was answered with {answer.status}")
        took.append(time.perf_counter() - began)
    return statistics.median(took)


def states(port: int, token: str, id: str) -> float | None:
    """Requests a second for the state of a task, None without wrk."""
    if (wrk := shutil.which("wrk")) is None:
        return None
    url = f"http://127.0.0.1:{port}/api/v1/tasks/{id}"
    told = subprocess.run(
        [wrk, "-t2", "-c64", "-d5", "-H", f"Authorization: Bearer {token}", url],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = re.search(r"Requests/sec:\s+([\d.]+)", told)
    return float(found[1]) if found else None


async def listen(
    port: int, token: str, heard: asyncio.Queue[float], few: asyncio.Semaphore, connected: asyncio.Barrier
) -> None:
    """Notes when each event comes; connects a few at a time, and waits for the others."""
    async with few:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"GET /api/v1/events?type=task.submitted HTTP/1.1\r\n"
            + f"Host: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
        )
        await reader.readuntil(b"from the log of this cluster")
    await connected.wait()
    while True:
        await reader.readuntil(b"event: task.submitted")
        heard.put_nowait(time.perf_counter())


async def events(claw: Client, port: int, token: str, listeners: int) -> tuple[float, float]:
    """From the submission to who hears of it, p50 and p99 in s."""
    heard: asyncio.Queue[float] = asyncio.Queue()
    few, connected, took = asyncio.Semaphore(32), asyncio.Barrier(listeners + 1), list[float]()
    async with asyncio.TaskGroup() as group:
        listening = [group.create_task(listen(port, token, heard, few, connected)) for _ in range(listeners)]
        await connected.wait()
        for _ in range(EVENTS):
            began = time.perf_counter()
            await claw.submit(SKILL)
            took += [await heard.get() - began for _ in range(listeners)]
            await asyncio.sleep(0.2)
        for each in listening:
            each.cancel()
    took.sort()
    return took[len(took) // 2], took[int(0.99 * len(took))]


async def measure(data: str, port: int, listeners: int) -> None:
    token = WebLogin(Path(data)).token
    async with Client.connect(data=data) as claw:
        await submit_by_client(claw)
        direct, over_http = await submit_by_client(claw), await asyncio.to_thread(submit_by_http, port, token)
        print(f"submit p50: client {1e3 * direct:.2f} ms, HTTP {1e3 * over_http:.2f} ms: {over_http / direct:.2f} x")
        ref = await claw.submit(SKILL)
        rate = await asyncio.to_thread(states, port, token, ref.id)
        print("state of a task, 64 connections: " + ("no wrk here" if rate is None else f"{rate:,.0f}/s"))
        p50, p99 = await events(claw, port, token, listeners)
        print(f"event to {listeners} listeners: p50 {1e3 * p50:.0f} ms, p99 {1e3 * p99:.0f} ms")


async def main(listeners: int) -> None:
    with tempfile.TemporaryDirectory() as folder, listen_at(None) as web:
        async with ClusterSupervisor(Path(folder), ClusterPlan(nodes=1, web=web)):
            await measure(folder, port_of(web), listeners)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listeners", type=int, default=1000)
    asyncio.run(main(parser.parse_args().listeners))
