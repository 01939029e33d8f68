"""The HTTP API beside the Python client on one cluster: submissions, and the state of a task.

`python benchmarks/http_api.py` starts a cluster of its own; `wrk` measures states where it is there. `event_streams.py`
measures events. Promised: submit p50 at most twice that of the client; 2,000 requests/s for a state with 64
connections on 2 cores. Measure on a machine that does nothing else.
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

SUBMISSIONS = 400
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


async def measure(data: str, port: int) -> None:
    token = WebLogin(Path(data)).token
    async with Client.connect(data=data) as claw:
        await submit_by_client(claw)
        direct, over_http = await submit_by_client(claw), await asyncio.to_thread(submit_by_http, port, token)
        print(f"submit p50: client {1e3 * direct:.2f} ms, HTTP {1e3 * over_http:.2f} ms: {over_http / direct:.2f} x")
        ref = await claw.submit(SKILL)
        rate = await asyncio.to_thread(states, port, token, ref.id)
        print("state of a task, 64 connections: " + ("no wrk here" if rate is None else f"{rate:,.0f}/s"))


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder, listen_at(None) as web:
        async with ClusterSupervisor(Path(folder), ClusterPlan(nodes=1, web=web)):
            await measure(folder, port_of(web))


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    asyncio.run(main())
