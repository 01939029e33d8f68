"""Prints memories: search hits, single memories, jobs, facts, events."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from clawactors.app.cli.output import Facts, Part, Table, counted, plain, short, when
from clawactors.runtime.client.rows import TaskRow
from clawactors.systems.chats.events import EXTRACT_ATTEMPTS

__all__ = [
    "about_table",
    "audit_table",
    "context_line",
    "hit_list",
    "job_row",
    "job_table",
    "memory_cards",
    "memory_table",
    "recent_table",
    "text_lines",
    "version_table",
]

type Row = dict[str, Any]

_STATES: Final = {
    "running": "processing",
    "completed": "success",
    "dead": "dead",
    "failed": "dead",
    "cancelled": "dead",
}
"""A job's state by its task's status; a task that waits to be tried again has `failed`, all others are `pending`."""


def hit_list(rows: Iterable[Row]) -> Iterator[Part]:
    """Each hit with its score and source; hits below the threshold and outdated ones are marked."""
    for row in rows:
        weak = " (weak)" if row["weak"] else ""
        sources = ", ".join(map(str, row["sources"][:10])) + (" …" if len(row["sources"]) > 10 else "")
        yield f"{row['score']:.2f}{weak}  {plain(row['excerpt'])}"
        said = f"{row['speaker']}, " if row["speaker"] else ""
        yield f"      {row['kind']}, {plain(said)}{when(row['at'])}, events {sources}, {row['id']}"
        if later := row.get("superseded_by"):
            yield f"      outdated by {later}"
        if parts := row.get("parts"):
            told = ", ".join(f"{name} {value:+.2f}" for name, value in parts.items())
            yield f"      {told}"


def memory_cards(rows: Iterable[Row]) -> Iterator[Part]:
    """All fields of each memory."""
    for row in rows:
        yield Facts([(name.replace("_", " "), value) for name, value in row.items() if name != "excerpt"])


def memory_table(rows: Iterable[Row]) -> Iterator[Part]:
    """One line per memory."""
    heads = ("ID", "KIND", "OWNER", "AT", "TAGS", "TEXT")
    cells = ((row["id"], row["kind"], row["owner"], when(row["at"]), row["tags"], row["text"]) for row in rows)
    yield Table(heads, cells)


def context_line(answer: Row) -> str:
    """The sizes of a packed context before and after, and what was left out."""
    if answer["items"]:
        left = f", {answer['omitted']} left out" if answer["omitted"] else ""
        before = f"{answer['tokens_before']} before"
        return f"{counted(len(answer['items']), 'item')}{left}: {answer['tokens']} tokens, {before}"
    if answer["found"]:
        return f"nothing fits into {answer['budget']} tokens; the first entry fits into {answer['needed']}"
    return "memory holds nothing about it; --threshold 0 shows what comes closest"


def job_row(task: TaskRow) -> Row:
    """A job of extraction, from its task's row. `next_at`: when a failed one is tried again.

    The error of an attempt is shown until the next one begins, and for good where that was the last.
    """
    params, error = task.params or {}, task.error
    waits = task.status == "waiting" and task.attempt > 0
    status = "failed" if waits else _STATES.get(task.status, "pending")
    return {
        "id": task.id,
        "type": task.skill,
        "status": status,
        "key": params.get("key"),
        "user": params.get("user"),
        "conversation": params.get("conversation"),
        "message": params.get("message"),
        "seq": params.get("seq"),
        "attempt": task.attempt,
        "max_attempts": EXTRACT_ATTEMPTS,
        "next_at": task.waiting_until if waits else None,
        "error": error.message if error and status in ("failed", "dead") else None,
        "memories": task.result if task.status == "completed" else None,
        "submitted_at": task.submitted_at,
        "updated_at": task.updated_at,
        "completed_at": task.completed_at,
    }


def job_table(rows: Iterable[Row]) -> Iterator[Part]:
    """One line per job."""
    heads = ("ID", "STATUS", "USER", "CONVERSATION", "MESSAGE", "ATTEMPT", "NEXT", "ERROR")
    names = ("id", "status", "user", "conversation", "message")
    yield Table(
        heads,
        (
            (
                *(row[name] for name in names),
                f"{row['attempt']}/{row['max_attempts']}",
                when(row["next_at"]),
                row["error"],
            )
            for row in rows
        ),
    )


def about_table(rows: Iterable[Row]) -> Iterator[Part]:
    """One line per fact."""
    heads = ("SUBJECT", "PREDICATE", "OBJECT", "HOLDS", "CONFIDENCE", "SINCE", "UNTIL", "MEMORY")
    cells = (
        (
            fact["subject"],
            f"not {fact['predicate']}" if fact["negated"] else fact["predicate"],
            fact["object"],
            row["holds"],
            fact["confidence"],
            when(fact["valid_from"]),
            when(fact["valid_until"]),
            row["id"],
        )
        for row, fact in ((row, row["fact"]) for row in rows)
    )
    yield Table(heads, cells)


def version_table(rows: Iterable[Row]) -> Iterator[Part]:
    """One line per version of a memory."""
    cells = ((row["version"], row["current"], when(row["at"]), row["by"], row["text"]) for row in rows)
    yield Table(("VERSION", "CURRENT", "AT", "BY", "TEXT"), cells)


def audit_table(rows: Iterable[Row]) -> Iterator[Part]:
    """One line per change."""
    heads = ("SEQ", "AT", "BY", "WHAT", "WHY", "MEMORY", "BEFORE", "AFTER")
    cells = (
        (
            row["seq"],
            when(row["at"]),
            row["by"],
            row["what"],
            row["why"],
            row["id"],
            short(row["before"], 120),
            short(row["after"], 120),
        )
        for row in rows
    )
    yield Table(heads, cells)


def recent_table(rows: Iterable[Row]) -> Iterator[Part]:
    """One line per event."""
    cells = ((row["seq"], when(row["at"]), row["kind"], row["id"], short(row["event"], 200)) for row in rows)
    yield Table(("SEQ", "AT", "KIND", "ID", "EVENT"), cells)


def text_lines(text: str) -> Iterator[Part]:
    """A text line by line."""
    return (plain(line) for line in text.splitlines())
