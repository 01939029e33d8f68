"""Selects the tasks that a command changes, by id or filter, and confirms large changes."""

import sys
from collections.abc import Iterable, Sequence
from typing import Any, Final

from clawactors.app.cli.arguments.tasks import ASKS_BEYOND
from clawactors.app.cli.output import counted, emit, note
from clawactors.app.cli.rows import task_table
from clawactors.app.client import Client
from clawactors.app.problem import Problem
from clawactors.runtime.client.rows import TaskRow

__all__ = ["confirmed", "filter_of", "has_filter", "select", "show_selected"]


_FILTER: Final = (
    *("status", "node", "user", "skill", "tag", "parent"),
    *("error", "interrupted", "text", "silent_s", "since", "until"),
)
"""The options that select tasks, as `Client.tasks` names them."""


def has_filter(options: Any) -> bool:
    """True if options select the tasks. Raises: `Problem` if both or neither of ids and options are given."""
    chosen = any(getattr(options, name) not in ("", None, [], False) for name in _FILTER)
    word = options.command
    if options.ids and (chosen or options.limit is not None):
        raise Problem("usage", "give ids or choose tasks by options, not both", f"claw {word} --help")
    if not options.ids and not chosen:
        raise Problem("usage", "which tasks?", f"claw {word} ID …, or claw {word} --status A,B --skill S")
    return chosen


def filter_of(options: Any) -> dict[str, Any]:
    """The filter of the options, for `Client.tasks`."""
    return {name: getattr(options, name) for name in _FILTER}


async def select(client: Client, options: Any, changeable: Sequence[str]) -> list[TaskRow]:
    """All tasks that the options select; without --status, those in a changeable state."""
    rows: list[TaskRow] = []
    if options.limit == 0:
        return rows
    wanted = filter_of(options)
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
    if number <= ASKS_BEYOND or options.yes:
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
