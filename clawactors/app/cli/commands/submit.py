"""`claw submit`: submits one task, or many with `--batch`."""

import asyncio
import contextlib
import math
from typing import Any, Final

import msgspec

from clawactors.app.cli.output import emit, note
from clawactors.app.cli.parsing import GLOBALS, Parser, count, duration, moment, pair, words
from clawactors.app.cli.problem import EXITS, Problem
from clawactors.app.cli.request import request_of_options
from clawactors.app.cli.rows import task_card
from clawactors.app.cli.session import with_client
from clawactors.app.client import Client
from clawactors.eventlog import Unavailable
from clawactors.kernel.errors import NotFound, Refused
from clawactors.runtime.client.rows import TaskRow
from clawactors.systems.tasks.submission import ON_DEAD, PRIORITIES

__all__ = ["arguments", "run"]

_PAUSE_S: Final = 1.0
_PAUSE_MAX_S: Final = 8.0
"""A wait asks whether the task is blocked, more and more seldom: most that become so do it soon."""


def arguments(parser: Parser) -> None:
    """Declares the arguments."""
    parser.add_argument("skill", nargs="?", help="the skill to run")
    parser.add_argument("params", nargs="?", metavar="JSON|@FILE|-", help="its parameters, a JSON object")
    parser.add_argument("--id", help="task id; submitting the same id and content again creates no second task")
    parser.add_argument("--key", help="idempotency key; the id is derived from it")
    parser.add_argument("--name", default="", help="display name")
    parser.add_argument("--description", default="", help="free text")
    parser.add_argument("--user", default="", help="user the task belongs to")
    parser.add_argument("--priority", choices=list(PRIORITIES), default="normal", help="higher ones run first")
    parser.add_argument(
        "--requires", type=words, default=[], metavar="A,B", help="additional skills that the node must have"
    )
    parser.add_argument("--prefers", type=words, default=[], metavar="C", help="skills that the node should have")
    parser.add_argument(
        "--affinity", type=pair, action="append", default=[], metavar="K=V", help="labels that the node must have"
    )
    parser.add_argument("--tag", action="append", default=[], metavar="LABEL", help="labels; repeat it for several")
    parser.add_argument("--metadata", metavar="JSON", help="your own data, a JSON object")
    parser.add_argument(
        "--after", type=words, default=[], metavar="ID,…", help="start after these tasks have completed"
    )
    parser.add_argument(
        "--on-dead",
        choices=ON_DEAD,
        default="block",
        help="if one of those fails: block until a person decides, fail too, or run anyway",
    )
    start = parser.add_mutually_exclusive_group()
    start.add_argument("--delay", type=duration, metavar="D", help="start after this delay, such as 10m")
    start.add_argument(
        "--at", type=moment, metavar="T", help="start at this time, such as 2026-05-01T09:00:00Z; a past time means now"
    )
    parser.add_argument("--deadline", type=moment, metavar="T", help="fail the task if it is not completed by then")
    parser.add_argument("--timeout", type=duration, metavar="D", help="time limit per attempt, such as 30s or 5m")
    parser.add_argument("--retries", type=count, metavar="N", help="retries after the first attempt (default 3)")
    parser.add_argument(
        "--wait",
        type=lambda text: math.inf if text == "" else duration(text),
        metavar="D",
        help="wait for completion, at most D (default: no limit)",
    )
    parser.add_argument(
        "--batch",
        metavar="FILE",
        help="file with one JSON object per line, fields named like these options; - is stdin",
    )


def run(options: Any) -> int:
    """Submits and, with `--wait`, waits."""
    if options.batch is not None:
        return _submit_batch(options)
    if not options.skill:
        raise Problem("usage", "which skill?", "claw submit SKILL [JSON], or claw submit --batch FILE")
    request = request_of_options(options)

    async def submit(client: Client) -> int:
        for rejected in (await client.submit_many([request])).refused:
            raise Refused(rejected.message)
        await _warn_of_missing(client, request.spec.skill)
        ended = options.wait is None or await _ended(client, request.id, options.wait)
        row = await client.task(request.id)
        if not ended:
            raise Problem(
                "timeout",
                f"timed out after {options.wait:g} s: the task is {row.status}: {await _reason(client, request.id)}",
                f"claw task {request.id} shows it, claw submit … --id {request.id} --wait waits again",
                extra={"task": msgspec.to_builtins(row)},
            )
        emit(options, row, lambda: task_card(row))
        if options.wait is None or row.status == "completed":
            return 0
        note(_failure(row))
        return EXITS["failed"]

    return with_client(options, submit)


def _submit_batch(options: Any) -> int:
    from clawactors.app.cli.commands import batch

    parser = Parser("claw submit", "")
    arguments(parser)
    defaults = vars(parser.parse_args([]))
    own = {*GLOBALS, "batch"}
    given = [name for name, value in defaults.items() if name not in own and getattr(options, name) != value]
    if given:
        raise Problem("usage", f"--batch reads the skill and all options from the file: remove {given[0]!r}")
    return batch.run(options)


async def _warn_of_missing(client: Client, skill: str) -> None:
    """A task of a skill that nobody offers is legal: a node that offers it may join later."""
    if client.skills.knows(skill):
        return
    import difflib

    with contextlib.suppress(Unavailable):
        near = difflib.get_close_matches(skill, [row.name for row in await client.skills_known(fresh=False)], 1)
        meant = f" (did you mean {near[0]!r}?)" if near else ""
        note(f"no node offers the skill {skill!r}{meant}; the task waits until one does")


async def _tell_blocked(client: Client, id: str) -> None:
    """Says once why the task can't go on by itself, each time that it is blocked anew; runs until it is cancelled."""
    told, pause_s = False, _PAUSE_S
    while True:
        await asyncio.sleep(pause_s)
        pause_s = min(_PAUSE_MAX_S, 2 * pause_s)
        with contextlib.suppress(Unavailable, NotFound):
            blocked = (await client.snapshot(id, brief=True)).state.life.status == "blocked"
            if blocked and not told:
                note(f"task {id} is blocked: {await _reason(client, id)}; still waiting")
            told = blocked


async def _ended(client: Client, id: str, wait_s: float) -> bool:
    """True when the task has ended, False on timeout."""
    telling = asyncio.ensure_future(_tell_blocked(client, id))
    try:
        async with asyncio.timeout(None if math.isinf(wait_s) else wait_s):
            async for _ in client.ended([id]):
                pass
    except TimeoutError:
        return False
    finally:
        telling.cancel()
    return True


async def _reason(client: Client, id: str) -> str:
    try:
        return (await client.why(id)).reasons[0]
    except Unavailable:
        return f"claw why {id} says more"


def _failure(row: TaskRow) -> str:
    return f"task {row.id} is {row.status}" + (f": {row.error.kind}: {row.error.message}" if row.error else "")
