"""`claw-replay`, also `bin/replay`: rebuilds views from the log and compares them with the live ones."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from clawactors.app.cli.parsing import Parser, options_of, place
from clawactors.app.cli.shell import execute
from clawactors.app.problem import EXITS, Problem

if TYPE_CHECKING:
    from pathlib import Path

    from clawactors.app.cli.output import Part
    from clawactors.app.cli.source import Source
    from clawactors.projections.engine.replay import Replayed
    from clawactors.projections.engine.view import Projection

__all__ = ["main"]

_RANGES_SHOWN = 20

type _Tell = Callable[[int, int], None]
type _Parts = list[tuple[Projection, tuple[str, ...]]]


def main(argv: Sequence[str] | None = None) -> int:
    """Runs `claw-replay` with these arguments; returns the exit code."""
    return execute(_program, argv)


def _program(argv: Sequence[str]) -> int:
    import asyncio

    parser = Parser("claw-replay", "build views from the log alone")
    parser.add_argument("--view", action="append", default=[], metavar="NAME", help="only this view in the digest")
    parser.add_argument("--verify", action="store_true", help="compare with the live views; exit 1 if they differ")
    parser.add_argument(
        "--at",
        "--until",
        dest="until",
        type=place,
        metavar="SEQ|TIME",
        help="stop there: a sequence, a time, or a time ago (-2h)",
    )
    parser.add_argument("--into", metavar="DIR", help="keep the views in this new folder")
    parser.add_argument(
        "--check",
        metavar="DIR",
        help="fold recorded histories with this release; exit 1 if any differs",
    )
    options = options_of(parser, argv)
    if options.check:
        if options.verify or options.until or options.into or options.view:
            raise Problem("usage", "--check reads recorded histories and no log", "give it alone")
        return asyncio.run(_check(options))
    if options.verify and (options.until or options.into):
        raise Problem("usage", "--verify compares with the current live views", "remove --until and --into")
    return asyncio.run(_replay(options, _parts(options.view)))


async def _check(options: Any) -> int:
    from pathlib import Path

    from clawactors.app.cli.output import Facts, Table, emit
    from clawactors.app.cli.progress import ProgressBar
    from clawactors.app.upkeep.checking import CheckReport, check_histories

    report = CheckReport()
    with ProgressBar("checking", shown=not options.json) as bar:
        async for report in check_histories(Path(options.check)):
            bar.at(report.files)
    row = {"ok": report.ok, "files": report.files, "histories": report.histories, "records": report.records}
    problems = [(each.file, each.aggregate, each.seq or None, each.problem) for each in report.problems]
    heads = ("FILE", "AGGREGATE", "SEQ", "PROBLEM")
    emit(
        options,
        row | {"problems": report.problems},
        lambda: [*([Table(heads, problems, ("PROBLEM",))] if problems else []), Facts(row.items())],
    )
    return 0 if report.ok else EXITS["failed"]


def _parts(wanted: Sequence[str]) -> "_Parts":
    """The projections that have the wanted views, each with those of them that are its own; none wanted means all."""
    from clawactors.app.projections import CLUSTER
    from clawactors.memory.index.view import memory_projection

    memory, known = memory_projection(), [view.name for view in CLUSTER.views()]
    if unknown := [name for name in wanted if name not in (*known, memory.name)]:
        raise Problem("usage", f"there is no view {unknown[0]!r}", f"use {', '.join((*known, memory.name))}")
    if not wanted:
        return [(CLUSTER, ()), (memory, ())]
    parts: _Parts = [(CLUSTER, views)] if (views := tuple(name for name in wanted if name in known)) else []
    return [*parts, (memory, ())] if memory.name in wanted else parts


async def _replay(options: Any, parts: "_Parts") -> int:
    from clawactors.app.cli.output import emit
    from clawactors.app.cli.source import opened

    async with opened(options) as source:
        with _progress(options) as tell:
            work = _verify(source, parts, tell) if options.verify else _build(source, options, parts, tell)
            report = _together(await work)
            report |= await _lacking(source)
    emit(options, report, lambda: _shown(report))
    return EXITS["failed"] if report["equal"] is False or "missing" in report else 0


async def _lacking(source: "Source") -> dict[str, Any]:
    """What no replay can read: commits whose key was erased, and sequences that somebody has taken out of the log."""
    from clawactors.eventlog.gaps import find_gaps

    erased, gaps = source.log.sealer.erased, await find_gaps(source.log)
    shown = [[gap.first, gap.last] for gap in gaps.ranges[:_RANGES_SHOWN]]
    return {"erased": erased} | ({"missing": gaps.records, "missing_ranges": shown} if gaps.records else {})


@contextmanager
def _progress(options: Any) -> Iterator[_Tell]:
    from clawactors.app.cli.progress import ProgressBar

    with ProgressBar("replaying", shown=not options.json) as bar:
        yield partial(bar.step, bar.label)


async def _verify(source: "Source", parts: "_Parts", tell: _Tell) -> dict[str, dict[str, Any]]:
    from clawactors.app.cli.output import note
    from clawactors.projections.engine.replay import verify
    from clawactors.projections.engine.store import Damaged

    reports: dict[str, dict[str, Any]] = {}
    for projection, views in parts:
        if len(parts) > 1 and projection.name in source.lacks:
            note(f"there is no live {projection.name} view to compare with; the next start builds it")
            continue
        try:
            live = await source.live(projection, views)
        except Damaged as error:
            raise Problem(
                "failed",
                f"the live {projection.name} views are not those that the log makes: {error}",
                "a running cluster makes them again by itself, a stopped one at its next start",
            ) from None
        verified = await verify(source.log, live, projection, views=views, progress=tell)
        # What this release can't read is not proved.
        equal = verified.equal and not verified.replayed.incomplete
        reports[projection.name] = _report(verified.replayed, equal) | {"live_digest": live.digest}
    return reports


async def _build(source: "Source", options: Any, parts: "_Parts", tell: _Tell) -> dict[str, dict[str, Any]]:
    import tempfile
    from pathlib import Path

    from clawactors.projections.engine.replay import replay
    from clawactors.projections.moment import moment_at

    unit, until = options.until or ("", 0)
    if unit == "ago":
        until = (await source.log.head()).at_ns - until
    moment = await moment_at(source.log, until if unit == "seq" else 0, until) if unit else None
    bounds: dict[str, Any] = {"until": moment.seq} if moment else {}
    reports: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory(prefix="replay-") as scratch:
        into = _new_folder(options.into) if options.into else Path(scratch)
        for projection, views in parts:
            folder = into if projection is parts[0][0] else into / projection.name
            replayed = await replay(source.log, folder, projection, views=views, progress=tell, **bounds)
            reports[projection.name] = _report(replayed, None)
    return reports


def _together(reports: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """One report over all projections, with theirs in it where there are several."""
    if len(reports) == 1:
        return next(iter(reports.values()))
    import hashlib

    def joined(name: str) -> str:
        return hashlib.blake2b("".join(each[name] for each in reports.values()).encode(), digest_size=16).hexdigest()

    each = list(reports.values())
    events, seconds = sum(one["events"] for one in each), round(sum(one["seconds"] for one in each), 3)
    verdicts = [one["equal"] for one in each]
    whole = {
        "events": events,
        "seconds": seconds,
        "per_s": round(events / seconds) if seconds else 0,
        "digest": joined("digest"),
        "equal": None if None in verdicts else all(verdicts),
        "position": max(one["position"] for one in each),
        "incomplete": sum(one["incomplete"] for one in each),
    }
    if "live_digest" in each[0]:
        whole["live_digest"] = joined("live_digest")
    return whole | {"projections": reports}


def _shown(report: dict[str, Any]) -> "list[Part]":
    """The projections first, the verdict last; no line is longer than a terminal is wide."""
    from clawactors.app.cli.output import Facts

    def facts_of(one: dict[str, Any], **first: str) -> Facts:
        figures = {name.replace("_", " "): value for name, value in one.items() if name != "equal"}
        return Facts((first | figures | {"equal": one["equal"]}).items())

    whole = dict(report)
    parts = whole.pop("projections", {})
    return [*(facts_of(part, projection=name) for name, part in parts.items()), facts_of(whole)]


def _new_folder(name: str) -> "Path":
    from pathlib import Path

    path = Path(name).expanduser()
    if path.exists() and any(path.iterdir()):
        raise Problem("refused", f"{path} is not empty", "name a new folder with --into")
    return path


def _report(replayed: "Replayed", equal: bool | None) -> dict[str, Any]:
    return {
        "events": replayed.events,
        "seconds": round(replayed.seconds, 3),
        "per_s": round(replayed.per_s),
        "digest": replayed.digest,
        "equal": equal,
        "position": replayed.position,
        "incomplete": replayed.incomplete,
    }


if __name__ == "__main__":
    sys.exit(main())
