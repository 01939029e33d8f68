"""What `claw workflow` takes."""

import math
from typing import Final

from clawactors.app.cli.arguments.tasks import PRIORITIES
from clawactors.app.cli.parsing import Parser, VerbHelp, count, duration

__all__ = ["workflow"]

_RUN: Final = frozenset({"version", "wait", "id", "key", "user", "priority", "tag"})

_VERBS: Final = {
    "add": VerbHelp("FILE", frozenset()),
    "check": VerbHelp("FILE", frozenset()),
    "list": VerbHelp("", frozenset()),
    "show": VerbHelp("NAME", frozenset({"version", "diagram", "task"})),
    "run": VerbHelp("NAME [JSON|@FILE|-]", _RUN),
    "remove": VerbHelp("NAME", frozenset()),
    "schema": VerbHelp("", frozenset()),
}


def workflow(parser: Parser) -> None:
    """What `claw workflow` takes."""
    parser.add_argument("verb", choices=tuple(_VERBS))
    parser.add_argument("name", nargs="?", metavar="WORKFLOW")
    parser.add_argument("params", nargs="?", metavar="JSON|@FILE|-")
    parser.add_argument("--version", type=count, metavar="N", help="an older version")
    parser.add_argument("--diagram", choices=("mermaid", "svg"), help="print its diagram")
    parser.add_argument("--task", metavar="ID", help="color the diagram by the states of this instance")
    parser.add_argument(
        "--wait",
        type=lambda text: duration(text) if text else math.inf,
        metavar="[D]",
        help="wait for completion, at most D (default: no limit)",
    )
    parser.add_argument("--id", help="task id; the same id and content again creates no second task")
    parser.add_argument("--key", help="idempotency key; the id is derived from it")
    parser.add_argument("--user", help="user the tasks belong to")
    parser.add_argument("--priority", choices=PRIORITIES, help="priority of its tasks (default normal)")
    parser.add_argument("--tag", action="append", metavar="LABEL", help="label of the task; repeat it for several")
    parser.describe_verbs(_VERBS)
