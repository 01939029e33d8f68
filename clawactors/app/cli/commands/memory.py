"""`claw memory VERB`: search, context, add, import, update, forget …, and what owners want."""

import sys
from argparse import ArgumentTypeError
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

import msgspec

from clawactors.app.cli import memorychanges, memorynotes
from clawactors.app.cli.arguments.memory import VERBS as HELP
from clawactors.app.cli.compressing import compressed
from clawactors.app.cli.memorydates import said_at
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
from clawactors.app.cli.output import Facts, counted, emit, note
from clawactors.app.cli.parsing import place
from clawactors.app.cli.session import ask_memory, hinted, with_client
from clawactors.app.client import Client
from clawactors.app.problem import Problem
from clawactors.runtime.client.recording import LONG_S
from clawactors.systems.chats.events import EXTRACT

__all__ = ["VERBS", "run"]

type _Verb = Callable[[Client, Any], Awaitable[int]]


def _arity(verb: str, given: int) -> str:
    takes = HELP[verb].words or "no arguments"
    return f"claw memory {verb} takes {takes}, and was given {counted(given, 'argument') if given else 'none'}"


def run(options: Any) -> int:
    """Runs the verb and prints its result."""
    verb, least, most = VERBS[options.verb]
    if not least <= len(options.words) <= most:
        raise Problem("usage", _arity(options.verb, len(options.words)), f"claw memory {options.verb} --help")

    if verb is None:
        return compressed(options)

    async def answer(client: Client) -> int:
        with hinted("claw memory search and claw memory recent list memories"):
            return await verb(client, options)

    return with_client(options, answer, user=options.as_user)


def _wanted(options: Any) -> dict[str, Any]:
    """What a search and a context are asked for alike."""
    question: dict[str, Any] = {
        "text": " ".join(options.words),
        "owner": options.owner,
        "shared": options.shared,
        "kind": options.kind,
        "tags": options.tag,
        "speaker": options.speaker,
        "session": options.session,
        "agent": options.agent,
        "zone": options.zone or "",
        "locale": options.locale,
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
    rows = (await ask_memory(client, "search", **question, **await _moment(client, options)))["rows"]
    emit(options, rows, lambda: hit_list(rows))
    return 0


async def _show(client: Client, options: Any) -> int:
    moment = await _moment(client, options)
    rows = [(await ask_memory(client, "show", id=options.words[0], **moment))["row"]]
    emit(options, rows, lambda: memory_cards(rows))
    return 0


async def _consolidate(client: Client, options: Any) -> int:
    report = await ask_memory(client, "consolidate", LONG_S, since_ns=options.since)
    emit(options, report, lambda: [Facts(report.items())])
    return 0


async def _export(client: Client, options: Any) -> int:
    scope = {"session": options.session, "agent": options.agent, "status": options.status or None}
    moment = await _moment(client, options)
    found = _exported(client, options, scope | moment) if moment else client.memories.export(options.owner, **scope)
    if options.lines:
        async for row in found:
            sys.stdout.buffer.write(msgspec.json.encode(row) + b"\n")
        return 0
    rows = [row async for row in found]
    emit(options, rows, lambda: memory_table(rows))
    return 0


async def _moment(client: Client, options: Any) -> dict[str, int]:
    """What a question says of the past that is asked about, nothing for now."""
    if not options.at:
        return {}
    try:
        unit, at = place(options.at)
    except ArgumentTypeError as error:
        raise Problem("usage", f"--at {error}", "claw status shows where the log ends") from None
    if unit == "seq":
        return {"at_seq": at}
    return {"at_time_ns": await client.now_ns() - at if unit == "ago" else at}


async def _exported(client: Client, options: Any, wanted: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
    after: int | None = -1
    while after is not None:
        reply = await ask_memory(client, "export", owner=options.owner, after=after, **wanted)
        for row in reply["rows"]:
            yield row
        after = reply["after"]


async def _stats(client: Client, options: Any) -> int:
    report = await ask_memory(client, "stats", **await _moment(client, options))
    emit(options, report, lambda: [Facts(report.items())])
    return 0


async def _jobs(client: Client, options: Any) -> int:
    owner = options.owner or options.as_user
    chosen = options.status or owner
    tasks = await client.tasks(skill=EXTRACT, limit=None if chosen else options.limit, fresh=True)
    rows = [row for row in map(job_row, tasks) if options.status in ("", row["status"])]
    rows = [row for row in rows if owner in ("", row["user"])][: options.limit]
    emit(options, rows, lambda: job_table(rows))
    return 0


async def _say(client: Client, options: Any) -> int:
    conversation, *words = options.words
    message = await client.say(
        conversation,
        " ".join(words),
        role=options.role,
        user=options.owner,
        speaker=options.speaker,
        agent=options.agent,
        happened_ns=await said_at(client, options),
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
    "update": (memorychanges.update, 2, 1000),
    "history": (memorychanges.history, 1, 1),
    "import": (memorynotes.import_files, 1, 1000),
    "show": (_show, 1, 1),
    "forget": (memorychanges.forget, 0, 1000),
    "archive": (memorychanges.archive, 1, 1),
    "restore": (memorychanges.archive, 1, 1),
    "consolidate": (_consolidate, 0, 0),
    "export": (_export, 0, 0),
    "settings": (memorychanges.settings, 0, 0),
    "audit": (memorychanges.audit, 0, 1),
    "stats": (_stats, 0, 0),
    "jobs": (_jobs, 0, 0),
    "say": (_say, 2, 1000),
    "about": (_about, 1, 1),
    "recent": (_recent, 0, 0),
    "working": (_working, 1, 1),
}
"""What each verb does, and how few and how many words it takes; None needs no cluster."""
