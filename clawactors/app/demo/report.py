"""The demo's report: from what was counted to checks that hold or don't. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from clawactors.app.demo.history import Recovery, recovery, task_of, times_recorded
from clawactors.eventlog.decoding import Commit
from clawactors.systems.tasks import Task

__all__ = ["DemoFacts", "Install", "Kill", "TableFigures", "report", "text_of"]

_INSTALL_STEPS = ("check-dependencies", "verify-files", "import-sql", "install", "clear-caches")


class TableFigures(msgspec.Struct, frozen=True):
    """What was counted in one table."""

    rows: int
    checksum: str
    doubled: int


class Kill(msgspec.Struct, frozen=True):
    """Which node was killed, when (ns since 1970), and how many of the batches were on record by then."""

    node: str
    at_ns: int
    batches: int
    of: int


class Install(msgspec.Struct, frozen=True):
    """One installation: its history; for a spoilt package, the file that was spoilt."""

    commits: Sequence[Commit]
    spoilt: str = ""


class DemoFacts(msgspec.Struct, frozen=True, kw_only=True):
    """All that the report rests on: files as counted, histories as logged, what the replay said of itself."""

    unicode: str
    source: TableFigures
    target: TableFigures | None
    commits: Sequence[Commit]
    runs: Mapping[str, int]
    kill: Kill | None
    installs: Sequence[Install]
    replay: Mapping[str, Any]
    seconds: float


def report(facts: DemoFacts) -> dict[str, Any]:
    """`{"ok", "checks": [{"name", "ok", "detail"}], …}` and the figures themselves."""
    task, source, target = task_of(facts.commits), facts.source, facts.target
    recorded, again = times_recorded(facts.commits), {name: n for name, n in facts.runs.items() if n > 1}
    found = recovery(facts.commits, facts.kill.at_ns) if facts.kill else None
    checks = [
        _killed(facts.kill),
        _check("migration completed", task.life.status == "completed", _ended(task)),
        _resumed(found, facts.kill),
        _check("rows copied", target is not None and target.rows == source.rows, _of(target, source)),
        _check(
            "rows doubled", target is not None and target.doubled == 0, f"{target.doubled:,}" if target else "unknown"
        ),
        _check("checksums equal", target is not None and target.checksum == source.checksum, _sums(target, source)),
        _recorded(recorded, facts.runs),
        _check("steps run again", sum(n - 1 for n in again.values()) <= 1, _list(again)),
        *(_installed(install) for install in facts.installs),
        _replayed(facts.replay),
    ]
    return {
        "ok": all(check["ok"] for check in checks),
        "checks": checks,
        "unicode": facts.unicode,
        "rows": source.rows,
        "rows_copied": target.rows if target else None,
        "rows_doubled": target.doubled if target else None,
        "checksum_source": source.checksum,
        "checksum_target": target.checksum if target else None,
        "steps": len(recorded),
        "steps_run_again": sorted(again),
        "killed_node": facts.kill.node if facts.kill else None,
        "resumed_on": found.to_node if found else None,
        "noticed_s": _seconds(found.noticed_ns, facts.kill) if found else None,
        "resumed_s": _seconds(found.resumed_ns, facts.kill) if found else None,
        "migration_s": _span_s(facts.commits),
        "replay": dict(facts.replay),
        "seconds": round(facts.seconds, 2),
    }


def text_of(report: Mapping[str, Any]) -> str:
    """The checks as an aligned table for people."""
    width = max(len(check["name"]) for check in report["checks"])
    lines = [
        f"  {'ok  ' if check['ok'] else 'FAIL'}  {check['name']:<{width}}  {check['detail']}"
        for check in report["checks"]
    ]
    failed = sum(not check["ok"] for check in report["checks"])
    verdict = "all checks hold" if not failed else f"{failed} of {len(lines)} checks do not hold"
    return "\n".join((*lines, "", f"{verdict}, in {report['seconds']:.1f} s"))


def _check(name: str, ok: bool, detail: str) -> dict[str, Any]:
    return {"name": name, "ok": ok, "detail": detail}


def _killed(kill: Kill | None) -> dict[str, Any]:
    if kill is None:
        return _check("node killed midway", False, "the migration ended before the node could be killed")
    middle = 0 < kill.batches < kill.of
    return _check("node killed midway", middle, f"{kill.node}, after {kill.batches:,} of {kill.of:,} batches")


def _ended(task: Task) -> str:
    life = task.life
    return f"{life.status}: {life.error.message}" if life.error else f"{life.status}, {life.attempt} attempts"


def _resumed(found: Recovery | None, kill: Kill | None) -> dict[str, Any]:
    if found is None or kill is None:
        return _check("resumed by itself", False, "the log has no record of it")
    times = f"{_seconds(found.resumed_ns, kill)} s after the kill, noticed after {_seconds(found.noticed_ns, kill)} s"
    return _check("resumed by itself", found.from_node == kill.node, f"on {found.to_node}, {times}")


def _seconds(at_ns: int, kill: Kill | None) -> float | None:
    return round((at_ns - kill.at_ns) / 1e9, 3) if kill else None


def _span_s(commits: Sequence[Commit]) -> float:
    return round((commits[-1].record.at_ns - commits[0].record.at_ns) / 1e9, 3) if commits else 0.0


def _of(target: TableFigures | None, source: TableFigures) -> str:
    return f"{target.rows if target else 0:,} of {source.rows:,}"


def _sums(target: TableFigures | None, source: TableFigures) -> str:
    if target is None:
        return "there is no target"
    return (
        source.checksum[:16]
        if target.checksum == source.checksum
        else f"{source.checksum[:16]}, {target.checksum[:16]}"
    )


def _recorded(recorded: Counter[str], runs: Mapping[str, int]) -> dict[str, Any]:
    """Whatever ran is on record, once; nothing is on record that never ran."""
    wrong = sorted(name for name in recorded.keys() | runs.keys() if recorded[name] != 1 or not runs.get(name))
    detail = f"{len(recorded):,} steps" if not wrong else f"not {', '.join(wrong[:3])}"
    return _check("each step recorded once", bool(recorded) and not wrong, detail)


def _list(again: Mapping[str, int]) -> str:
    return f"{len(again)}: {', '.join(sorted(again)[:3])}" if again else "none"


def _installed(install: Install) -> dict[str, Any]:
    task = task_of(install.commits)
    error = task.life.error.message if task.life.error else ""
    done = [name for name in _INSTALL_STEPS if task.journal.completed(name)]
    if not install.spoilt:
        ok = task.life.status == "completed" and len(done) == len(_INSTALL_STEPS)
        return _check("package installed", ok, error or f"{len(done)} of {len(_INSTALL_STEPS)} steps")
    name = Path(install.spoilt).name
    ok = task.life.status == "failed" and install.spoilt in error and "install" not in done
    return _check("corrupt package refused", ok, error or f"{task.life.status}, though {name} is corrupt")


def _replayed(replay: Mapping[str, Any]) -> dict[str, Any]:
    if replay.get("equal") is True:
        return _check(
            "replay equal", True, f"{replay.get('events', 0):,} events, digest {str(replay.get('digest'))[:16]}"
        )
    return _check("replay equal", False, str(replay.get("error") or "the rebuilt views differ from the live ones"))
