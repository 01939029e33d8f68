"""`claw memory search|add|import|show|forget|consolidate|export|stats|jobs|say|about|recent|working`."""

from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple, get_args

from clawactors.app.cli import memorynotes
from clawactors.app.cli.memoryrows import (
    about_table,
    hit_list,
    job_row,
    job_table,
    memory_cards,
    memory_table,
    recent_table,
    text_lines,
)
from clawactors.app.cli.output import Facts, emit, note
from clawactors.app.cli.parsing import Parser, VerbHelp, count, share, through, time
from clawactors.app.cli.problem import Problem
from clawactors.app.cli.selection import confirmed
from clawactors.app.cli.session import ask_memory, hinted, with_client
from clawactors.app.client import Client
from clawactors.systems.chats.events import EXTRACT, Role
from clawactors.systems.memories import Kind

__all__ = ["VERBS", "arguments", "run"]

_LONG_S: Final = 600.0
"""Consolidating or forgetting many memories takes a while."""
_STILL_THERE: Final = (
    "no answer, index or view holds them any more; the log still has the commits that they came from, "
    "and copies of the log have them too (docs/memory.md, Forgetting)"
)
_ROLES: Final = get_args(Role.__value__)
_KINDS: Final = get_args(Kind.__value__)


class _MemoryVerb(NamedTuple):
    """What a verb does, how few and how many words it takes, and what its help lists."""

    run: Callable[[Client, Any], Awaitable[int]]
    least: int
    most: int
    help: VerbHelp


def arguments(parser: Parser) -> None:
    """Declares the arguments."""
    parser.add_argument("verb", choices=tuple(VERBS), metavar="VERB", help=", ".join(VERBS))
    parser.add_argument("words", nargs="*", metavar="TEXT|@FILE|ID|NAME", help="argument of the verb")
    parser.add_argument("--limit", type=count, metavar="N", help="at most N (default: 5 hits, 100 events, all jobs)")
    parser.add_argument("--owner", default="", help="owner of the memories")
    parser.add_argument("--kind", choices=_KINDS, help="raw, summary or knowledge")
    parser.add_argument("--tag", action="append", default=[], metavar="LABEL", help="with this tag")
    parser.add_argument("--speaker", default="", help="the speaker")
    parser.add_argument("--session", default="", help="conversation, task or document")
    parser.add_argument("--since", type=time, default=0, metavar="TIME", help="at this time or later")
    parser.add_argument("--until", type=through, default=0, metavar="TIME", help="at this time or earlier")
    parser.add_argument("--threshold", type=share, metavar="0..1", help="minimum relevance (default 0.7)")
    parser.add_argument("--like", default="", metavar="ID", help="similar to this memory")
    parser.add_argument("--explain", action="store_true", help="explain each score")
    parser.add_argument("--role", choices=_ROLES, default="user", help="role of the speaker")
    parser.add_argument("--depth", type=count, default=1, metavar="N", help="at most N steps from the name")
    parser.add_argument("--budget", type=count, default=1000, metavar="N", help="at most N tokens")
    parser.add_argument("--yes", action="store_true", help="don't ask before forgetting many memories of an owner")
    parser.add_argument("--dry-run", action="store_true", help="only list the memories of the owner")
    parser.add_argument("--status", default="", help="pending, processing, failed, success or dead")
    parser.describe_verbs({name: verb.help for name, verb in VERBS.items()})


def run(options: Any) -> int:
    """Runs the verb and prints its result."""
    verb = VERBS[options.verb]
    if not verb.least <= len(options.words) <= verb.most:
        hint = f"claw memory {options.verb} --help"
        raise Problem("usage", f"claw memory {options.verb} does not take {len(options.words)} arguments", hint)

    async def answer(client: Client) -> int:
        with hinted("claw memory search and claw memory recent list memories"):
            return await verb.run(client, options)

    return with_client(options, answer)


async def _search(client: Client, options: Any) -> int:
    question: dict[str, Any] = {
        "text": " ".join(options.words),
        "like": options.like,
        "limit": 5 if options.limit is None else options.limit,
        "owner": options.owner,
        "kind": options.kind,
        "tags": options.tag,
        "speaker": options.speaker,
        "session": options.session,
        "since_ns": options.since,
        "until_ns": options.until,
        "explain": options.explain,
    }
    if options.threshold is not None:
        question["threshold"] = options.threshold
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
    reply = await ask_memory(client, "forget", _LONG_S, id=id, owner=options.owner, by=client.context.by)
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
    tasks = await client.tasks(skill=EXTRACT, limit=options.limit, fresh=True)
    rows = [row for row in map(job_row, tasks) if options.status in ("", row["status"])]
    if options.owner:
        rows = [row for row in rows if row["user"] == options.owner]
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


def _takes(words: str = "", options: str = "") -> VerbHelp:
    return VerbHelp(words, frozenset(options.split()))


_CONTENT: Final = "owner kind tag speaker session"

VERBS: Final[dict[str, _MemoryVerb]] = {
    "search": _MemoryVerb(_search, 0, 1000, _takes("[TEXT]", f"limit {_CONTENT} since until threshold like explain")),
    "add": _MemoryVerb(memorynotes.add, 1, 1000, _takes("TEXT|@FILE|-", _CONTENT)),
    "import": _MemoryVerb(memorynotes.import_files, 1, 1000, _takes("FILE", "owner tag session")),
    "show": _MemoryVerb(_show, 1, 1, _takes("ID")),
    "forget": _MemoryVerb(_forget, 0, 1, _takes("[ID]", "owner yes dry_run")),
    "consolidate": _MemoryVerb(_consolidate, 0, 0, _takes(options="since")),
    "export": _MemoryVerb(_export, 0, 0, _takes(options="owner")),
    "stats": _MemoryVerb(_stats, 0, 0, _takes()),
    "jobs": _MemoryVerb(_jobs, 0, 0, _takes(options="limit owner status")),
    "say": _MemoryVerb(_say, 2, 1000, _takes("CONVERSATION TEXT", "owner role speaker")),
    "about": _MemoryVerb(_about, 1, 1, _takes("NAME", "owner depth")),
    "recent": _MemoryVerb(_recent, 0, 0, _takes(options="limit")),
    "working": _MemoryVerb(_working, 1, 1, _takes("TASK", "budget")),
}
