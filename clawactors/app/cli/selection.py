"""Selects the tasks that a command changes, by id or filter, and confirms large changes."""

import sys
from collections.abc import Iterable, Sequence
from typing import Any, Final

from clawactors.app.cli.output import counted, emit, note
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
    """Declares the options that select tasks, and --limit, --yes and --dry-run."""
    parser.add_argument("ids", nargs="*", metavar="ID", help="ids of the tasks")
    chosen = parser.add_argument_group("instead of ids, select all tasks")
    chosen.add_argument("--status", type=statuses, default=[], metavar="A,B", help="in any of these states")
    chosen.add_argument("--node", default="", help="on this node")
    chosen.add_argument("--user", default="", help="of this user")
    chosen.add_argument("--skill", default="", help="of this skill")
    chosen.add_argument("--tag", default="", help="with this tag")
    chosen.add_argument("--since", type=time, metavar="TIME", help="submitted at this time or later")
    chosen.add_argument("--until", type=through, metavar="TIME", help="submitted at this time or earlier")
    chosen.add_argument("--limit", type=count, metavar="N", help="at most N tasks, newest first")
    parser.add_argument("--yes", action="store_true", help=f"change more than {_ASKS_BEYOND} tasks without asking")
    parser.add_argument("--dry-run", action="store_true", help="only list the tasks that would be changed")


def has_filter(options: Any) -> bool:
    """True if options select the tasks. Raises: `Problem` if both or neither of ids and options are given."""
    chosen = any(getattr(options, name) not in ("", None, []) for name in _FILTER)
    word = options.command
    if options.ids and (chosen or options.limit is not None):
        raise Problem("usage", "give ids or choose tasks by options, not both", f"claw {word} --help")
    if not options.ids and not chosen:
        raise Problem("usage", "which tasks?", f"claw {word} ID …, or claw {word} --status A,B --skill S")
    return chosen


async def select(client: Client, options: Any, changeable: Sequence[str]) -> list[TaskRow]:
    """All tasks that the options select; without --status, those in a changeable state."""
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


def confirmed(options: Any, number: int, change: str = "") -> bool:
    """True if the change may proceed; asks before a large one. Raises: `Problem` if there is no terminal to ask on.

    `change` says what is done, as in `forget 12 memories`; the default is the command and the tasks.
    """
    if number <= _ASKS_BEYOND or options.yes:
        return True
    question = change or f"{options.command} {counted(number, 'task')}"
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise Problem("usage", f"{question}? there is no terminal to ask on", "--yes does it, --dry-run lists them")
    sys.stderr.write(f"claw: {question}? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() in ("y", "yes"):
        return True
    note("nothing was changed")
    return False


def show_selected(options: Any, rows: Iterable[TaskRow]) -> int:
    """Prints the result of --dry-run."""
    listed = list(rows)
    emit(options, listed, lambda: task_table(listed))
    note(f"{options.command} would change {counted(len(listed), 'task')}; nothing was changed")
    return 0
