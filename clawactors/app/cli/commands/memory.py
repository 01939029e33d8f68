"""`claw memory VERB`: search, context, add, import, show, forget, consolidate, export, jobs, say, about …"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from clawactors.app.cli import memorynotes
from clawactors.app.cli.compressing import compressed
from clawactors.app.cli.memoryrows import (
    about_table,
    context_line,
    hit_list,
    job_row,
    job_table,
    memory_cards,
    memory_table,
    recent_table,
    text_lines,
)
from clawactors.app.cli.output import Facts, emit, note
from clawactors.app.cli.problem import Problem
from clawactors.app.cli.selection import confirmed
from clawactors.app.cli.session import ask_memory, hinted, with_client
from clawactors.app.client import Client
from clawactors.systems.chats.events import EXTRACT

__all__ = ["VERBS", "run"]

_LONG_S: Final = 600.0
"""Consolidating or forgetting many memories takes a while."""
_STILL_THERE: Final = (
    "no answer, index or view holds them any more; the log still has the commits that they came from, "
    "and copies of the log have them too (docs/memory.md, Forgetting)"
)

type _Verb = Callable[[Client, Any], Awaitable[int]]


def run(options: Any) -> int:
    """Runs the verb and prints its result."""
    verb, least, most = VERBS[options.verb]
    if not least <= len(options.words) <= most:
        hint = f"claw memory {options.verb} --help"
        raise Problem("usage", f"claw memory {options.verb} does not take {len(options.words)} arguments", hint)

    if verb is None:
        return compressed(options)

    async def answer(client: Client) -> int:
        with hinted("claw memory search and claw memory recent list memories"):
            return await verb(client, options)

    return with_client(options, answer)


def _wanted(options: Any) -> dict[str, Any]:
    """What a search and a context are asked for alike."""
    question: dict[str, Any] = {
        "text": " ".join(options.words),
        "owner": options.owner,
        "kind": options.kind,
        "tags": options.tag,
        "speaker": options.speaker,
        "session": options.session,
        "since_ns": options.since,
        "until_ns": options.until,
    }
    return question if options.threshold is None else question | {"threshold": options.threshold}


async def _context(client: Client, options: Any) -> int:
    answer = await ask_memory(client, "context", tokens=options.tokens, **_wanted(options))
    emit(options, answer, lambda: text_lines(answer["text"]))
    note(context_line(answer))
    return 0


async def _search(client: Client, options: Any) -> int:
    limit = 5 if options.limit is None else options.limit
    question = _wanted(options) | {"like": options.like, "limit": limit, "explain": options.explain}
    rows = (await ask_memory(client, "search", **question))["rows"]
    emit(options, rows, lambda: hit_list(rows))
    return 0


async def _show(client: Client, options: Any) -> int:
    rows = [(await ask_memory(client, "show", id=options.words[0]))["row"]]
    emit(options, rows, lambda: memory_cards(rows))
    return 0


async def _forget(client: Client, options: Any) -> int:
    if bool(options.words) == bool(options.owner):
        raise Problem("usage", "forget takes an ID or --owner", "claw memory forget ID, claw memory forget --owner U")
    if options.dry_run and not options.owner:
        raise Problem("usage", "--dry-run belongs to --owner", "claw memory show ID shows the memory")
    id = options.words[0] if options.words else ""
    if options.owner:
        found = await _exported(client, options.owner)
        if options.dry_run:
            emit(options, found, lambda: memory_table(found))
            note(f"forget would delete {len(found)} memories of {options.owner}; nothing was changed")
            return 0
        if not confirmed(options, len(found), f"forget {len(found)} memories of {options.owner}"):
            return 0
    reply = await ask_memory(client, "forget", _LONG_S, id=id, owner=options.owner, by=client.process.by)
    rows = [{"id": each} for each in reply["ids"]]
    emit(options, rows, lambda: [Facts([("forgotten", len(rows))])])
    note(_STILL_THERE)
    return 0


async def _consolidate(client: Client, options: Any) -> int:
    report = await ask_memory(client, "consolidate", _LONG_S, since_ns=options.since)
    emit(options, report, lambda: [Facts(report.items())])
    return 0


async def _export(client: Client, options: Any) -> int:
    rows = await _exported(client, options.owner)
    emit(options, rows, lambda: memory_table(rows))
    return 0


async def _exported(client: Client, owner: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    after: int | None = -1
    while after is not None:
        reply = await ask_memory(client, "export", owner=owner, after=after, fresh=after < 0)
        rows += reply["rows"]
        after = reply["after"]
    return rows


async def _stats(client: Client, options: Any) -> int:
    report = await ask_memory(client, "stats")
    emit(options, report, lambda: [Facts(report.items())])
    return 0


async def _jobs(client: Client, options: Any) -> int:
    chosen = options.status or options.owner
    tasks = await client.tasks(skill=EXTRACT, limit=None if chosen else options.limit, fresh=True)
    rows = [row for row in map(job_row, tasks) if options.status in ("", row["status"])]
    rows = [row for row in rows if options.owner in ("", row["user"])][: options.limit]
    emit(options, rows, lambda: job_table(rows))
    return 0


async def _say(client: Client, options: Any) -> int:
    conversation, *words = options.words
    message = await client.say(
        conversation, " ".join(words), role=options.role, user=options.owner, speaker=options.speaker
    )
    told = {"conversation": conversation, "message": message, "role": options.role, "user": options.owner}
    emit(options, told, lambda: [Facts(told.items())])
    return 0


async def _about(client: Client, options: Any) -> int:
    rows = (await ask_memory(client, "about", name=options.words[0], owner=options.owner, depth=options.depth))["rows"]
    emit(options, rows, lambda: about_table(rows))
    return 0


async def _recent(client: Client, options: Any) -> int:
    limit = 100 if options.limit is None else options.limit
    rows = (await ask_memory(client, "recent", limit=limit))["rows"]
    emit(options, rows, lambda: recent_table(rows))
    return 0


async def _working(client: Client, options: Any) -> int:
    answer = await ask_memory(client, "working", task=options.words[0], budget=options.budget)
    emit(options, answer, lambda: text_lines(answer["text"]))
    return 0


VERBS: Final[dict[str, tuple[_Verb | None, int, int]]] = {
    "search": (_search, 0, 1000),
    "context": (_context, 1, 1000),
    "compress": (None, 1, 1),
    "add": (memorynotes.add, 1, 1000),
    "import": (memorynotes.import_files, 1, 1000),
    "show": (_show, 1, 1),
    "forget": (_forget, 0, 1),
    "consolidate": (_consolidate, 0, 0),
    "export": (_export, 0, 0),
    "stats": (_stats, 0, 0),
    "jobs": (_jobs, 0, 0),
    "say": (_say, 2, 1000),
    "about": (_about, 1, 1),
    "recent": (_recent, 0, 0),
    "working": (_working, 1, 1),
}
"""What each verb does, and how few and how many words it takes; None needs no cluster."""
