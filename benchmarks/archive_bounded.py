"""Runs many short tasks with a small retention, and plots what log, views and server take meanwhile.

`python -m benchmarks.archive_bounded --tasks 50000 --rate 300 --after 10s --out docs/archive.svg`, or a million tasks.
Lines that stay level are the point; what grows is one tombstone a task.
"""

import argparse
import asyncio
import json
import tempfile
import time
from pathlib import Path

import psutil

from clawactors import Client
from clawactors.app.bench.skills import noop
from clawactors.app.cluster import ClusterSupervisor
from clawactors.app.clusterplan import ClusterPlan
from clawactors.app.discovery import discover
from clawactors.runtime.client.submitting import TaskRequest
from clawactors.systems.tasks.submission import spec_of

SKILLS = ("clawactors.app.bench.skills",)
LINES = {"log_mb": "#1b6ca8", "views_mb": "#d1495b", "server_mb": "#3a7d44", "control_mb": "#8f6593"}
WIDTH, HEIGHT, MARGIN = 760, 340, 46


async def measured(folder: Path, tasks: int, rate: float, after: str) -> list[dict[str, float]]:
    (folder / "cluster").mkdir()
    (folder / "cluster" / "archive.toml").write_text(f'archive_after = "{after}"\n')
    points: list[dict[str, float]] = []
    plan = ClusterPlan(nodes=1, slots=500, skills=SKILLS)
    # The settings have to be there before the cluster starts, in a folder that it takes for its own.
    (folder / "cluster" / "archive.toml").rename(folder / "archive.toml")
    async with ClusterSupervisor(folder / "cluster", plan):
        pass
    (folder / "archive.toml").rename(folder / "cluster" / "archive.toml")
    async with (
        ClusterSupervisor(folder / "cluster", plan) as cluster,
        Client.of(discover(nats=cluster.nats_url)) as client,
    ):
        client.skills.add([noop.offer])
        began, submitted = time.perf_counter(), 0
        while True:
            elapsed = time.perf_counter() - began
            due = min(tasks, int(rate * elapsed)) - submitted
            if due > 0:
                numbers = range(submitted, submitted + due)
                await client.submit_many([TaskRequest(f"t-{number}", spec_of(noop.name, {})) for number in numbers])
                submitted += due
            status = await client.status()
            pids = cluster.run.pids
            points.append(
                {
                    "s": round(elapsed, 1),
                    "submitted": submitted,
                    "archived": status.tasks["archived"],
                    "live": sum(status.tasks.values()) - status.tasks["archived"],
                    "log_mb": round(status.log.bytes / 1e6, 2),
                    "views_mb": round(sum(each.stat().st_size for each in views_of(folder)) / 1e6, 2),
                    "server_mb": round(psutil.Process(pids.server).memory_info().rss / 1e6, 1),
                    "control_mb": round(psutil.Process(pids.control).memory_info().rss / 1e6, 1),
                }
            )
            if submitted == tasks and status.tasks["archived"] == tasks:
                return points
            await asyncio.sleep(1.0)


def views_of(folder: Path) -> list[Path]:
    return list((folder / "cluster" / "views").glob("cluster@*/data.mdb"))


def plot(points: list[dict[str, float]], title: str) -> str:
    """An SVG of the lines over time, with the number of live tasks behind them."""
    last_s = max(point["s"] for point in points) or 1
    top = max(point[name] for point in points for name in LINES) * 1.1 or 1
    most_live = max(point["live"] for point in points) or 1
    floor, right = HEIGHT - MARGIN, WIDTH - MARGIN

    def at(point: dict[str, float], value: float, most: float) -> str:
        x = MARGIN + (right - MARGIN) * point["s"] / last_s
        return f"{x:.1f},{floor - (floor - MARGIN) * value / most:.1f}"

    def text(x: float, y: float, words: str, colour: str = "#000") -> str:
        return f'<text x="{x}" y="{y}" fill="{colour}">{words}</text>'

    area = " ".join(at(point, point["live"], most_live) for point in points)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">',
        f'<g font-size="12"><rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<polygon points="{MARGIN},{floor} {area} {right},{floor}" fill="#eeeeee"/>',
        f'<path d="M{MARGIN},{MARGIN} V{floor} H{right}" fill="none" stroke="#888"/>',
        text(MARGIN, 20, title),
        text(4, MARGIN + 4, f"{top:.0f} MB"),
        text(right - 30, floor + 18, f"{last_s:.0f} s"),
        text(MARGIN + 480, HEIGHT - 8, f"grey: live tasks, at most {most_live:,.0f}", "#999"),
    ]
    for place, (name, colour) in enumerate(LINES.items()):
        line = " ".join(at(point, point[name], top) for point in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(text(MARGIN + 120 * place, HEIGHT - 8, name.replace("_mb", ", MB"), colour))
    return "\n".join((*parts, "</g></svg>"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=50_000)
    parser.add_argument("--rate", type=float, default=300.0, help="tasks submitted a second")
    parser.add_argument("--after", default="10s", help="archive_after")
    parser.add_argument("--out", type=Path, help="an SVG; default: figures only")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="claw-archive-") as folder:
        points = asyncio.run(measured(Path(folder), options.tasks, options.rate, options.after))
    for point in points[:: max(1, len(points) // 30)]:
        print(json.dumps(point))
    print(json.dumps(points[-1]))
    if options.out:
        title = f"{options.tasks:,} tasks, {options.rate:g} a second, archived {options.after} after their end"
        options.out.write_text(plot(points, title))


if __name__ == "__main__":
    main()
