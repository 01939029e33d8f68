"""`claw dead-letters list|show|redrive|drop`: what came to nothing and is kept for a person."""

from collections.abc import Iterable, Iterator
from typing import Any

from clawactors.app.cli.output import Facts, Part, Table, counted, emit, note, when
from clawactors.app.cli.progress import ProgressBar
from clawactors.app.cli.rows import task_card
from clawactors.app.cli.selection import confirmed
from clawactors.app.cli.session import hinted, with_client
from clawactors.app.client import Client
from clawactors.app.problem import EXITS, Problem
from clawactors.runtime.client.deadletterrows import DeadLetterDetail, DeadLetterReport, DeadLetterRow

__all__ = ["run"]

_LISTED = "claw dead-letters list shows them"


def run(options: Any) -> int:
    """Runs the verb."""
    chosen = bool(options.kind or options.skill or options.error or options.since)
    match options.verb:
        case "list" if not options.ids:
            return with_client(options, lambda client: _list(client, options))
        case "show" if len(options.ids) == 1 and not chosen:
            return with_client(options, lambda client: _show(client, options))
        case "redrive" | "drop" if bool(options.ids) != chosen:
            return with_client(options, lambda client: _change(client, options))
        case "redrive" | "drop":
            raise Problem(
                "usage",
                f"usage: dead-letters {options.verb} ID …, or dead-letters {options.verb} --kind K --skill S --since T",
            )
        case verb:
            raise Problem("usage", f"usage: dead-letters {verb}{' ID' if verb == 'show' else ''}")


def _filter(options: Any) -> dict[str, Any]:
    return {"kind": options.kind or (), "skill": options.skill, "error": options.error, "since": options.since}


async def _list(client: Client, options: Any) -> int:
    page = await client.dead_letters.list(**_filter(options), limit=options.limit or 100, cursor=options.cursor)
    emit(options, page, lambda: _table(page))
    if page.cursor is not None and not options.json:
        note(f"there are more: --cursor '{page.cursor}'")
    return 0


async def _show(client: Client, options: Any) -> int:
    with hinted(_LISTED):
        row = await client.dead_letters.get(options.ids[0])
    emit(options, row, lambda: _card(row))
    return 0


async def _change(client: Client, options: Any) -> int:
    letters, ids = client.dead_letters, options.ids
    if not ids:
        rows = await letters.list(**_filter(options), limit=options.limit)
        if options.dry_run:
            emit(options, rows.rows, lambda: _table(rows))
            note(f"{options.verb} would change {counted(len(rows), 'dead letter')}; nothing was changed")
            return 0
        ids = [row.id for row in rows]
    if not confirmed(options, len(ids), f"{options.verb} {counted(len(ids), 'dead letter')}"):
        return 0
    change = letters.redrive if options.verb == "redrive" else letters.drop
    with ProgressBar(options.verb, len(ids), shown=not options.json and len(ids) > 1) as bar:
        reports = await change(ids, progress=lambda done, _: bar.at(done))
    emit(options, reports, lambda: _reports(reports))
    none_done = len(reports) > 0 and not any(report.done for report in reports)
    return EXITS["refused"] if none_done else 0


def _table(rows: Iterable[DeadLetterRow]) -> Iterator[Part]:
    yield Table(
        ("ID", "KIND", "AT", "OF", "SKILL", "ERROR", "TRIES", "REASON"),
        ((row.id, row.kind, when(row.at), row.of, row.skill, row.error, row.tries or "", row.reason) for row in rows),
        uncut=("ID",),
    )


def _card(row: DeadLetterDetail) -> Iterator[Part]:
    yield Facts(
        [
            ("id", row.id),
            ("kind", row.kind),
            ("at", when(row.at)),
            ("of", row.of),
            ("skill", row.skill),
            ("error", row.error),
            ("reason", row.reason),
            ("tries", row.tries or ""),
            ("event", row.event),
            ("about", row.about),
            ("sequence", row.seq or ""),
            ("bytes", row.bytes or ""),
        ]
    )
    if row.task is not None:
        yield ""
        yield from task_card(row.task)
    if row.body:
        yield ""
        yield row.body


def _reports(reports: Iterable[DeadLetterReport]) -> Iterator[Part]:
    yield Table(
        ("ID", "DONE", "LEFT BECAUSE"),
        ((report.id, "yes" if report.done else "no", report.left) for report in reports),
        uncut=("ID",),
    )
