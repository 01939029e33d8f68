"""One frame of `claw top`, as lines that fit the terminal. Pure: a view and a size in, text out."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from rich.cells import cell_len, set_cell_size
from rich.text import Text

from clawactors.app.cli.output import plain
from clawactors.runtime.client.overview import Overview
from clawactors.runtime.client.rows import NodeRow, TaskRow
from clawactors.runtime.client.summary import Took

__all__ = ["Glance", "TopView", "frame", "selected"]

_BARS: Final = " ▁▂▃▄▅▆▇█"
_SPARK: Final = 40
_KEYS: Final = "q quit  p pause  s sort  / filter"
_WORRIES: Final = {"dead": "red", "failed": "red", "blocked": "yellow", "offline": "red"}
_NODES_SHARE: Final = 3


class Glance(msgspec.Struct, frozen=True):
    """What is shown: as `claw top --json` prints it."""

    overview: Overview
    nodes: list[NodeRow]
    running: list[TaskRow]


class TopView(msgspec.Struct):
    """How it is shown; `typing` while the filter is being typed, `trouble` where the last question was not answered."""

    server: str
    sort: str = "age"
    filter: str = ""
    paused: bool = False
    typing: bool = False
    trouble: str = ""


def frame(glance: Glance, view: TopView, width: int, height: int) -> list[Text]:
    """At most `height` lines of at most `width` cells."""
    head = [*_head(glance.overview, view, width)]
    room = max(0, height - len(head) - 1)
    nodes = _nodes(glance.nodes, max(2, room // _NODES_SHARE))
    tasks = _running(selected(glance.running, view), glance.overview, max(0, room - len(nodes)))
    foot = Text(f"filter: {view.filter}_" if view.typing else f"{_KEYS}  (by {view.sort})", style="dim")
    if view.filter and not view.typing:
        foot.append(f"  filter: {plain(view.filter)}")
    lines = [*head, *nodes, *tasks][: max(0, height - 1)]
    shown = [*lines, foot]
    for line in shown:
        line.truncate(width, overflow="ellipsis")
        line.no_wrap = True
    return shown[:height]


def selected(running: Sequence[TaskRow], view: TopView) -> list[TaskRow]:
    """The running tasks that the filter lets through, in the order of the view."""
    wanted = view.filter.lower()
    rows = [row for row in running if wanted in f"{row.id} {row.skill} {row.node or ''} {row.name or ''}".lower()]
    keys: dict[str, Any] = {
        "age": lambda row: row.started_at or "~",
        "progress": lambda row: -row.progress,
        "skill": lambda row: (row.skill, row.started_at or "~"),
        "node": lambda row: (row.node or "", row.started_at or "~"),
        "id": lambda row: row.id,
    }
    return sorted(rows, key=keys[view.sort])


def _head(now: Overview, view: TopView, width: int) -> Iterator[Text]:
    state = "  PAUSED" if view.paused else ""
    yield Text(f"claw top  {view.server}  {now.at[11:19]}Z{state}", style="bold")
    if view.trouble or now.trouble:
        yield Text(plain(view.trouble or now.trouble), style="red")
    yield _counts("tasks", now.tasks)
    rates = now.rates
    line = Text(
        f"rates   {rates.submitted:.1f} submitted/s, {rates.completed:.1f} completed/s, {rates.failed:.1f} failed/s  "
    )
    if now.series is not None:
        line.append(_spark(now.series.completed[-min(_SPARK, max(8, width - cell_len(line.plain))) :]), style="cyan")
    yield line
    queue = now.queue
    yield Text(
        f"queue   {queue.pending} pending, longest {_time(queue.longest_s)}; {queue.given} given, {queue.slots} slots; "
        f"wait {_took(now.wait)}"
    )
    errors = ", ".join(f"{plain(kind)} {count}" for kind, count in list(now.errors.items())[:4])
    yield Text(f"runs    {_took(now.took)}; errors {errors or 'none'}")
    log = now.log
    yield Text(f"log     {log.last_seq} commits, {rates.commits:.1f}/s; views {now.projection.lag} behind; "
               f"leader {now.leader or 'none'}; faults {now.faults}")  # fmt: skip
    sizes = now.sizes
    disk = f"disk    log {_size(sizes.log)}, views {_size(sizes.views)}, values {_size(sizes.blobs)}"
    if sizes.memory is not None:
        disk += f", memory {_size(sizes.memory)}"
    if (full := now.fullest_disk) is not None:
        disk += f"; {full.node} {full.percent:.0f} % full"
    yield Text(disk, style="red" if full is not None and full.percent >= 90 else "")


def _counts(name: str, counts: dict[str, int]) -> Text:
    line = Text(f"{name:<8}")
    known = [(status, count) for status, count in counts.items() if count]
    for number, (status, count) in enumerate(known):
        line.append(", " if number else "")
        line.append(f"{count} {status}", style=_WORRIES.get(status, ""))
    return line if known else line.append("none")


def _nodes(rows: Sequence[NodeRow], room: int) -> list[Text]:
    lines = [_row(("NODE", "STATUS", "RUN", "SLOTS", "CPU", "MEM", "DISK", "DONE", "FAILED"), _NODE, style="reverse")]
    for row in sorted(rows, key=lambda row: (-row.running, row.id))[: room - 1]:
        columns = (
            *(row.id, row.status, row.running, row.slots),
            *(_percent(row.cpu), _percent(row.memory), _percent(row.disk), row.succeeded, row.failed),
        )
        lines.append(_row(columns, _NODE, style=_WORRIES.get(row.status, "")))
    if len(rows) > room - 1:
        lines[-1] = Text(f"… {len(rows) - (room - 2)} more nodes: claw nodes")
    return lines


_NODE: Final = (16, 10, 5, 6, 6, 6, 6, 9, 8)
_TASK: Final = (26, 18, 12, 4, 6, 9, 30)


def _running(rows: Sequence[TaskRow], now: Overview, room: int) -> list[Text]:
    if room < 1:
        return []
    lines = [_row(("RUNNING", "SKILL", "NODE", "TRY", "DONE", "FOR", "NAME"), _TASK, style="reverse")]
    for row in rows[: room - 1]:
        name, progress, age = row.name or "", f"{row.progress:.0f} %", _age(row, now)
        columns = row.id, row.skill, row.node or "", row.attempt, progress, age, name
        lines.append(_row(columns, _TASK))
    total = now.tasks.get("running", 0)
    if (left := max(len(rows), total) - (room - 1)) > 0 and len(lines) > 1:
        lines[-1] = Text(f"… {left + 1} more: claw tasks --status running")
    return lines


def _row(columns: Sequence[Any], widths: Sequence[int], style: str = "") -> Text:
    cells = (set_cell_size(plain(str(each)), width - 1) for each, width in zip(columns, widths, strict=True))
    return Text(" ".join(cells), style=style)


def _age(row: TaskRow, now: Overview) -> str:
    if not row.started_at:
        return ""
    return _time((datetime.fromisoformat(now.at) - datetime.fromisoformat(row.started_at)).total_seconds())


def _took(took: Took) -> str:
    return f"p50 {_time(took.p50_s)}, p95 {_time(took.p95_s)}" if took.runs else "no runs"


def _time(seconds: float) -> str:
    seconds = max(0.0, seconds)
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 100:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} m {rest:02} s" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02} m"


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size < 1e9 else f"{size / 1e9:.1f} GB"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.0f} %"


def _spark(counts: Sequence[int]) -> str:
    most = max(counts, default=0) or 1
    return "".join(_BARS[min(8, -(-8 * count // most))] for count in counts)
