"""`claw submit`: one task, or with `--batch` many."""

import asyncio
import math
from typing import Any

import msgspec

from clawactors.app.cli.output import emit, note
from clawactors.app.cli.parsing import GLOBALS, Parser, count, duration, moment, pair, words
from clawactors.app.cli.problem import EXITS, Problem
from clawactors.app.cli.request import wish_of_options
from clawactors.app.cli.rows import task_card
from clawactors.app.cli.session import with_client
from clawactors.app.client import Client
from clawactors.eventlog import Unavailable
from clawactors.kernel.errors import Refused
from clawactors.runtime.client.rows import TaskRow
from clawactors.systems.tasks.submission import ON_DEAD, PRIORITIES

__all__ = ["arguments", "run"]


def arguments(parser: Parser) -> None:
    """What it takes."""
    parser.add_argument("skill", nargs="?", help="the skill to run")
    parser.add_argument("params", nargs="?", metavar="JSON|@FILE|-", help="its parameters, a JSON object")
    parser.add_argument("--id", help="the task's id; the same id and content again makes no second task")
    parser.add_argument("--key", help="an idempotency key that the id is made from")
    parser.add_argument("--name", default="", help="for people")
    parser.add_argument("--description", default="", help="for people")
    parser.add_argument("--user", default="", help="whose task it is")
    parser.add_argument("--priority", choices=list(PRIORITIES), default="normal")
    parser.add_argument("--requires", type=words, default=[], metavar="A,B", help="further skills its node must have")
    parser.add_argument("--prefers", type=words, default=[], metavar="C", help="skills its node should have")
    parser.add_argument("--affinity", type=pair, action="append", default=[], metavar="K=V", help="where it may run")
    parser.add_argument("--tag", action="append", default=[], metavar="LABEL")
    parser.add_argument("--metadata", metavar="JSON", help="a JSON object of your own")
    parser.add_argument("--after", type=words, default=[], metavar="ID,…", help="start when these have completed")
    parser.add_argument(
        "--on-dead",
        choices=ON_DEAD,
        default="block",
        help="when one of those fails: wait for a person, fail too, or run anyway",
    )
    start = parser.add_mutually_exclusive_group()
    start.add_argument("--delay", type=duration, metavar="D", help="start after this time, as in 10m")
    start.add_argument("--at", type=moment, metavar="T", help="start then: 2026-05-01T09:00:00Z; the past is now")
    parser.add_argument("--deadline", type=moment, metavar="T", help="fail it if it has not completed by then")
    parser.add_argument("--timeout", type=duration, metavar="D", help="limit of one attempt, as in 30s or 5m")
    parser.add_argument("--retries", type=count, metavar="N", help="tries after the first one (default 3)")
    parser.add_argument(
        "--wait",
        type=lambda text: math.inf if text == "" else duration(text),
        metavar="D",
        help="wait for completion, at most D (default: no limit)",
    )
    parser.add_argument("--batch", metavar="FILE", help="one JSON object a line, named as these options; - is stdin")


def run(options: Any) -> int:
    """Submits."""
    if options.batch is not None:
        return _submit_batch(options)
    if not options.skill:
        raise Problem("usage", "which skill?", "claw submit SKILL [JSON], or claw submit --batch FILE")
    wish = wish_of_options(options)

    async def submit(client: Client) -> int:
        for rejected in (await client.submit_many([wish])).refused:
            raise Refused(rejected.message)
        ended = options.wait is None or await _ended(client, wish.id, options.wait)
        row = await client.task(wish.id)
        if not ended:
            raise Problem(
                "timeout",
                f"timed out after {options.wait:g} s: the task is {row.status}: {await _reason(client, wish.id)}",
                f"claw task {wish.id} shows it, claw submit … --id {wish.id} --wait waits again",
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
        raise Problem("usage", f"--batch takes the skill and all options from its lines, not {given[0]!r}")
    return batch.run(options)


async def _ended(client: Client, id: str, wait_s: float) -> bool:
    """True once the task has ended, False when that takes too long."""
    try:
        async with asyncio.timeout(None if math.isinf(wait_s) else wait_s):
            async for _ in client.ended([id]):
                pass
    except TimeoutError:
        return False
    return True


async def _reason(client: Client, id: str) -> str:
    try:
        return (await client.why(id)).reasons[0]
    except Unavailable:
        return f"claw why {id} says more"


def _failure(row: TaskRow) -> str:
    return f"task {row.id} is {row.status}" + (f": {row.error.kind}: {row.error.message}" if row.error else "")
