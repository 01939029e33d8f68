"""Which tasks a command changes: those named, or all that a filter finds; many are changed only when that is meant."""

import sys
from collections.abc import Iterable, Sequence
from typing import Any, Final

from clawactors.app.cli.output import emit, note
from clawactors.app.cli.parsing import Parser, count, statuses, through, time
from clawactors.app.cli.problem import Problem
from clawactors.app.cli.rows import task_table
from clawactors.app.client import Client
from clawactors.runtime.client.rows import TaskRow

__all__ = ["confirmed", "filter_arguments", "has_filter", "select", "show_selected"]

_ASKS_BEYOND: Final = 10
"""More tasks than that are changed only after a question, or with --yes."""

_FILTER: Final = ("status", "node", "user", "skill", "tag", "since", "until")


def filter_arguments(parser: Parser) -> None:
    """The options that choose tasks, and those that say how to go about many."""
    parser.add_argument("ids", nargs="*", metavar="ID", help="these tasks; none where options choose them")
    chosen = parser.add_argument_group("instead of ids, all tasks")
    chosen.add_argument("--status", type=statuses, default=[], metavar="A,B", help="in any of these states")
    chosen.add_argument("--node", default="", help="on this node")
    chosen.add_argument("--user", default="", help="of this user")
    chosen.add_argument("--skill", default="", help="of this skill")
    chosen.add_argument("--tag", default="", help="with this tag")
    chosen.add_argument("--since", type=time, metavar="TIME", help="submitted then or later")
    chosen.add_argument("--until", type=through, metavar="TIME", help="submitted then or earlier")
    chosen.add_argument("--limit", type=count, metavar="N", help="at most N of them, newest first")
    parser.add_argument("--yes", action="store_true", help=f"do not ask before more than {_ASKS_BEYOND} are changed")
    parser.add_argument("--dry-run", action="store_true", help="only show which tasks would be changed")


def has_filter(options: Any) -> bool:
    """True where options choose the tasks. Raises: `Problem` for ids beside them, or neither."""
    chosen = any(getattr(options, name) not in ("", None, []) for name in _FILTER)
    word = options.command
    if options.ids and (chosen or options.limit is not None):
        raise Problem("usage", "give ids or choose tasks by options, not both", f"claw {word} --help")
    if not options.ids and not chosen:
        raise Problem("usage", "which tasks?", f"claw {word} ID …, or claw {word} --status A,B --skill S")
    return chosen


async def select(client: Client, options: Any, changeable: Sequence[str]) -> list[TaskRow]:
    """All tasks that the options choose, in one of the changeable states where they name none."""
    rows: list[TaskRow] = []
    if options.limit == 0:
        return rows
    wanted = {name: getattr(options, name) for name in _FILTER}
    wanted["status"] = options.status or changeable
    async for row in client.each_task(**wanted):
        rows.append(row)
        if len(rows) == options.limit:
            break
    return rows


def confirmed(options: Any, number: int) -> bool:
    """True when that many may be changed. Raises: `Problem` where that has to be asked and nobody can answer."""
    if number <= _ASKS_BEYOND or options.yes:
        return True
    question = f"{options.command} {number} tasks"
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise Problem("usage", f"{question}? there is no terminal to ask on", "--yes does it, --dry-run lists them")
    sys.stderr.write(f"claw: {question}? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() in ("y", "yes"):
        return True
    note("nothing was changed")
    return False


def show_selected(options: Any, rows: Iterable[TaskRow]) -> int:
    """The answer of --dry-run."""
    listed = list(rows)
    emit(options, listed, lambda: task_table(listed))
    note(f"{options.command} would change {len(listed)} tasks; nothing was changed")
    return 0
