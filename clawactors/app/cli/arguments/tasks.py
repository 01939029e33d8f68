"""What the commands for tasks and schedules take."""

import argparse
import math
from typing import Final

from clawactors.app.cli.arguments.watch import past_arguments, watch_argument
from clawactors.app.cli.parsing import (
    LIST,
    Parser,
    count,
    duration,
    moment,
    pair,
    rate,
    statuses,
    through,
    time,
)

__all__ = [
    "ASKS_BEYOND",
    "LOG",
    "ON_DEAD",
    "PRIORITIES",
    "approvals",
    "approve",
    "blob",
    "change",
    "edit",
    "files",
    "fork",
    "logs",
    "pending",
    "redrive",
    "signal",
    "submit",
    "tasks",
    "why",
]

PRIORITIES: Final = ("low", "normal", "high", "urgent")
ON_DEAD: Final = ("block", "fail", "run")
LOG: Final = "log"
ASKS_BEYOND: Final = 10
"""So many tasks are changed without a question."""


def _filters(parser: argparse._ActionsContainer) -> None:
    """Declares the options that select tasks: all of them must hold."""
    parser.add_argument("--status", type=statuses, default=[], metavar="A,B", help="in any of these states")
    parser.add_argument("--node", default="", help="on this node")
    parser.add_argument("--user", default="", help="of this user")
    parser.add_argument("--skill", default="", help="of this skill")
    parser.add_argument("--tag", default="", help="with this tag")
    parser.add_argument("--parent", default="", metavar="ID", help="children of this task")
    parser.add_argument("--error", default="", metavar="CLASS", help="whose last error is of this class, as in timeout")
    parser.add_argument("--interrupted", action="store_true", help="whose last attempts were cut short")
    text = "with these words in name or last error; conn* begins a word"
    parser.add_argument("--text", default="", metavar="WORDS", help=text)
    silent = "running, and not heard of for this long, as in 5m"
    parser.add_argument("--silent", dest="silent_s", type=duration, metavar="D", help=silent)
    parser.add_argument("--since", type=time, metavar="TIME", help="submitted at this time or later")
    parser.add_argument("--until", type=through, metavar="TIME", help="submitted at this time or earlier")


def _page(parser: Parser) -> None:
    """Declares what all lists in pages take."""
    parser.add_argument("--limit", type=count, default=100, metavar="N", help="at most N rows (default 100)")
    cursor = "the next page: the cursor in the last row of --json, or in the note after a table"
    parser.add_argument("--cursor", default="", help=cursor)
    parser.add_argument("--fresh", action="store_true", help="wait until the views are up to date with the log")
    past_arguments(parser)
    watch_argument(parser)


def submit(parser: Parser) -> None:
    """What `claw submit` takes."""
    parser.add_argument("skill", nargs="?", help="the skill to run")
    parser.add_argument("params", nargs="?", metavar="JSON|@FILE|-", help="its parameters, a JSON object")
    parser.add_argument("--id", help="task id; submitting the same id and content again creates no second task")
    parser.add_argument("--key", help="idempotency key; the id is derived from it")
    parser.add_argument("--name", default="", help="display name")
    parser.add_argument("--description", default="", help="free text")
    parser.add_argument("--user", default="", help="user the task belongs to")
    parser.add_argument("--priority", choices=PRIORITIES, default="normal", help="higher ones run first")
    parser.add_argument(
        "--requires", **LIST, default=[], metavar="A,B", help="additional skills that the node must have"
    )
    parser.add_argument("--prefers", **LIST, default=[], metavar="C", help="skills that the node should have")
    parser.add_argument(
        "--affinity", type=pair, action="append", default=[], metavar="K=V", help="labels that the node must have"
    )
    parser.add_argument("--tag", action="append", default=[], metavar="LABEL", help="labels; repeat it for several")
    parser.add_argument("--metadata", metavar="JSON", help="your own data, a JSON object")
    file = "a file for the task, as its parameter NAME; - is standard input; repeat it for several"
    parser.add_argument("--file", type=pair, action="append", default=[], metavar="NAME=PATH", help=file)
    parser.add_argument("--after", **LIST, default=[], metavar="ID,…", help="start after these tasks have completed")
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


def tasks(parser: Parser) -> None:
    """What `claw tasks` takes."""
    _filters(parser)
    parser.add_argument("--count", action="store_true", help="only how many there are")
    parser.add_argument("--archived", action="store_true", help="those in the archive; --status is how they had ended")
    _page(parser)


def pending(parser: Parser) -> None:
    """What `claw pending` takes."""
    _page(parser)


def change(parser: Parser) -> None:
    """What `claw cancel`, `pause`, `resume`, `retry` and `delete` take."""
    parser.add_argument("ids", nargs="*", metavar="ID", help="ids of the tasks")
    chosen = parser.add_argument_group("instead of ids, select all tasks")
    _filters(chosen)
    chosen.add_argument("--limit", type=count, metavar="N", help="at most N tasks, newest first")
    parser.add_argument("--yes", action="store_true", help=f"change more than {ASKS_BEYOND} tasks without asking")
    parser.add_argument("--dry-run", action="store_true", help="only list the tasks that would be changed")
    if parser.prog == "claw cancel":
        parser.add_argument(
            "--undo", action="store_true", help="undo the steps that are done first, the last one first"
        )
        parser.add_argument("--now", action="store_true", help="don't let the code clean up first")
    if parser.prog == "claw retry":
        parser.add_argument("--deadline", type=moment, metavar="T", help="new deadline, if the old one has passed")


def redrive(parser: Parser) -> None:
    """What `claw redrive` takes."""
    parser.add_argument(
        "ids", nargs="*", metavar="ID", help="tasks to retry (default: all dead tasks that match the options)"
    )
    parser.add_argument("--skill", default="", help="only tasks of this skill")
    parser.add_argument(
        "--error", default="", metavar="CLASS", help="only tasks with this error class, such as timeout"
    )
    parser.add_argument("--limit", type=count, metavar="N", help="at most N tasks, newest first")
    parser.add_argument("--rate", type=rate, metavar="N/s", help="rate limit, such as 100/s or 30/m")
    parser.add_argument("--yes", action="store_true", help="retry more than 10 tasks without asking")
    parser.add_argument("--dry-run", action="store_true", help="only list the tasks that would be retried")


def signal(parser: Parser) -> None:
    """What `claw signal` takes."""
    parser.add_argument("id", metavar="ID")
    parser.add_argument("name", metavar="NAME", help="name of the signal, as in the code's task.signal(NAME)")
    parser.add_argument("payload", nargs="?", metavar="JSON|@FILE|-", help="payload (default null)")


def approvals(parser: Parser) -> None:
    """What `claw approvals` takes."""
    parser.add_argument("--mine", action="store_true", help="only what you may answer")
    watch_argument(parser)


def approve(parser: Parser) -> None:
    """What `claw approve` and `claw deny` take."""
    parser.add_argument("id", metavar="ID", help="the task, as `claw approvals` lists it")
    parser.add_argument("name", nargs="?", default="", metavar="NAME", help="which one, if the task asks for several")
    parser.add_argument("--comment", default="", metavar="TEXT", help="why; it is on record with your name")


def fork(parser: Parser) -> None:
    """What `claw fork` takes."""
    parser.add_argument("id", metavar="ID")
    parser.add_argument("--from", dest="step", required=True, metavar="STEP", help="the first step to run again")
    parser.add_argument(
        "--id", dest="new_id", metavar="NEW", help="id of the new task; the same fork twice creates it once"
    )


def edit(parser: Parser) -> None:
    """What `claw edit` takes."""
    parser.add_argument("id", metavar="ID")
    parser.add_argument("--params", metavar="JSON|@FILE|-", help="its parameters, a JSON object")
    parser.add_argument("--name", help="display name")
    parser.add_argument("--description", help="free text")
    parser.add_argument("--user", help="user the task belongs to")
    parser.add_argument("--priority", choices=PRIORITIES, help="higher ones run first")
    parser.add_argument("--requires", **LIST, metavar="A,B", help="additional skills that the node must have")
    parser.add_argument("--prefers", **LIST, metavar="C", help="skills that the node should have")
    parser.add_argument("--affinity", type=pair, action="append", metavar="K=V", help="labels that the node must have")
    parser.add_argument("--tag", action="append", metavar="LABEL", help="replaces the labels")
    parser.add_argument("--metadata", metavar="JSON", help="your own data, a JSON object")
    parser.add_argument(
        "--at", type=moment, metavar="T", help="start at this time, such as 2026-05-01T09:00:00Z; a past time means now"
    )
    parser.add_argument("--deadline", type=moment, metavar="T", help="fail the task if it is not completed by then")
    parser.add_argument("--timeout", type=duration, metavar="D", help="time limit per attempt, such as 30s or 5m")
    parser.add_argument("--retries", type=count, metavar="N", help="retries after the first attempt")


def why(parser: Parser) -> None:
    """What `claw why` takes."""
    parser.add_argument("id", metavar="ID")


def logs(parser: Parser) -> None:
    """What `claw logs` takes."""
    parser.add_argument("id", metavar="ID")
    parser.add_argument("-f", "--follow", action="store_true", help="follow the output until the task ends")
    parser.add_argument("--stream", default=LOG, metavar="NAME", help="a stream that the task emits to, such as `out`")
    parser.add_argument("--attempt", type=count, metavar="N", help="only this attempt")
    parser.add_argument(
        "--after", type=count, default=0, metavar="POSITION", help="start after this position (--json prints positions)"
    )


def files(parser: Parser) -> None:
    """What `claw files` takes."""
    parser.add_argument("id", metavar="ID")
    parser.add_argument("name", nargs="?", metavar="FILE", help="one file, by its name or parameter: fetches it")
    out = "where to write it, a file or a folder (default: standard output)"
    parser.add_argument("-o", "--out", metavar="PATH", help=out)


def blob(parser: Parser) -> None:
    """What `claw blob` takes."""
    parser.add_argument("name", metavar="NAME", help="the SHA-256 that a result or row shows")
    parser.add_argument("--out", metavar="FILE", help="where to write it (default: standard output)")
