"""What questions take as tables grow: the curve of docs/performance.md.

`python -m benchmarks.query_curve [TASKS …]` fills views with 10,000, 100,000 and 1,000,000 tasks, measures a question
about one task and a page of 100 by each filter, prints a table, and draws docs/figures/query-curve.svg. Times are CPU
times, so other work on the machine counts little.
"""

import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from math import log10
from pathlib import Path

from clawactors.app.bench.queries import measure_pages

__all__ = ["drawn", "main"]

SIZES = (10_000, 100_000, 1_000_000)
TARGET_MS = 2.0
FIGURE = Path(__file__).parents[1] / "docs" / "figures" / "query-curve.svg"
WIDTH, HEIGHT, LEFT, BOTTOM, TOP_MS = 640, 300, 50, 260, 4.0
SHOWN = ("status", "user", "text", "status, user", "status, skill, node", "time, status")
COLOURS = ("#1b6ca8", "#c0392b", "#1e8449", "#7d3c98", "#b9770e", "#424949")


def drawn(pages: Mapping[int, Mapping[str, float]]) -> str:
    """The curve as SVG: tasks on a logarithmic axis, ms upwards."""
    sizes = sorted(pages)
    first, last = log10(sizes[0]), log10(sizes[-1])

    def x(tasks: int) -> float:
        return LEFT + (WIDTH - LEFT - 170) * (log10(tasks) - first) / ((last - first) or 1)

    def y(ms: float) -> float:
        return BOTTOM - (BOTTOM - 20) * min(ms, TOP_MS) / TOP_MS

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-size="12"',
        ' font-family="sans-serif">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{LEFT}" y="14">ms of a page of 100 tasks, by tasks in the table</text>',
    ]

    def across(ms: float, style: str) -> str:
        return f'<line x1="{LEFT}" x2="{x(sizes[-1])}" y1="{y(ms)}" y2="{y(ms)}" {style}/>'

    for ms in range(int(TOP_MS) + 1):
        parts.append(across(ms, 'stroke="#ddd"'))
        parts.append(f'<text x="{LEFT - 20}" y="{y(ms) + 4}">{ms}</text>')
    parts.append(across(TARGET_MS, 'stroke="red" stroke-dasharray="4"'))
    parts += [f'<text x="{x(size) - 25}" y="{BOTTOM + 18}">{size:,}</text>' for size in sizes]
    for number, (name, colour) in enumerate(zip(SHOWN, COLOURS, strict=True)):
        points = " ".join(f"{x(size):.1f},{y(pages[size][name]):.1f}" for size in sizes)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="{WIDTH - 155}" y="{40 + 18 * number}" fill="{colour}">{name}</text>')
    return "\n".join([*parts, "</svg>", ""])


def main(arguments: Sequence[str]) -> None:
    sizes = [int(each) for each in arguments] or SIZES
    points, pages = dict[int, float](), dict[int, Mapping[str, float]]()
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="claw-curve-") as folder:
            points[size], pages[size] = measure_pages(Path(folder) / "views", size, time.process_time)
    print(f"| ms | {' | '.join(f'{size:,} tasks' for size in sizes)} |")
    print(f"| --- |{' ---: |' * len(sizes)}")
    print(f"| one task | {' | '.join(f'{points[size]:.3f}' for size in sizes)} |")
    for name in pages[sizes[0]]:
        print(f"| {name} | {' | '.join(f'{pages[size][name]:.2f}' for size in sizes)} |")
    FIGURE.parent.mkdir(exist_ok=True)
    FIGURE.write_text(drawn(pages))


if __name__ == "__main__":
    main(sys.argv[1:])
