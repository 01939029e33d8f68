"""How heavy the dashboard is and how soon it is there, in Chromium on loopback, before as many tasks as you like.

`python -m benchmarks.dashboard --tasks 100000`. The tasks are submitted for a time to come, so that none of them runs.
"""

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Page, expect, sync_playwright

from clawactors import Client
from clawactors.runtime.client.submitting import TaskRequest
from clawactors.systems.tasks.submission import spec_of

PAGES = ("/", "/tasks", "/approvals", "/workflows", "/schedules", "/memory", "/nodes", "/doctor")
BATCH = 5000
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"
BYTES = """performance.getEntriesByType("resource").concat(performance.getEntriesByType("navigation"))
  .filter((each) => !each.name.includes("/api/")).reduce((sum, each) => sum + each.decodedBodySize, 0)"""
READY = "main:not([aria-busy])"


def claw(data: Path, *arguments: str) -> Any:
    command = [sys.executable, "-m", "clawactors.app.cli.main", "--data", str(data), "--json", *arguments]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


async def fill(data: Path, tasks: int) -> None:
    async with Client.connect(data=str(data)) as client:
        later = time.time_ns() + 30 * 86_400 * 10**9
        for first in range(0, tasks, BATCH):
            numbers = range(first, min(first + BATCH, tasks))
            spec = [spec_of("echo", {"text": str(each)}, name=f"Task {each}", not_before_ns=later) for each in numbers]
            await client.submit_many([TaskRequest(f"b-{each}", one) for each, one in zip(numbers, spec, strict=True)])


def measured(page: Page, url: str, rounds: int) -> dict[str, dict[str, float]]:
    found = {}
    for address in PAGES:
        paints, ready, size = [], [], 0
        for _ in range(rounds):
            began = time.perf_counter()
            page.goto(url + address)
            page.wait_for_selector(READY)
            ready.append((time.perf_counter() - began) * 1e3)
            paints.append(page.evaluate(PAINT))
            size = page.evaluate(BYTES)
        found[address] = {"paint_ms": median(paints), "complete_ms": median(ready), "bytes": size}
    return found


def scrolled(page: Page, url: str) -> dict[str, float]:
    """How long frames take while the list is scrolled by 10,000 rows, and how long a filter takes to show."""
    page.goto(url + "/tasks")
    page.wait_for_selector(".vbody .vrow")
    frames = page.evaluate("""async () => {
      const list = document.querySelector(".vlist"), times = [];
      let last = performance.now();
      for (let step = 0; step < 300; step++) {
        list.scrollTop += 37 * 33;
        await new Promise(requestAnimationFrame);
        times.push(performance.now() - last);
        last = performance.now();
      }
      return times.sort((a, b) => a - b);
    }""")
    began = time.perf_counter()
    page.get_by_label("Search", exact=True).fill("777")
    expect(page.locator(".vbody .vrow")).to_have_count(1)
    return {"frame_p95_ms": frames[int(len(frames) * 0.95)], "filter_ms": (time.perf_counter() - began) * 1e3}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        ready = claw(data, "up", "--web", "--detach", "--nodes", "1")
        try:
            asyncio.run(fill(data, options.tasks))
            with sync_playwright() as playwright:
                arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
                browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=arguments)
                page = browser.new_page()
                page.goto(ready.get("login") or ready["http"])
                report = {"tasks": options.tasks, "pages": measured(page, ready["http"], options.rounds)}
                report |= scrolled(page, ready["http"])
                browser.close()
            print(json.dumps(report, indent=1))
        finally:
            claw(data, "down")


if __name__ == "__main__":
    main()
