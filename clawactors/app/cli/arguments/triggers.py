"""What `claw trigger` takes."""

from clawactors.app.cli.arguments.tasks import PRIORITIES
from clawactors.app.cli.parsing import Parser, count, duration

__all__ = ["trigger"]


def trigger(parser: Parser) -> None:
    """What `claw trigger` takes."""
    parser.add_argument("verb", choices=("add", "list", "show", "pause", "resume", "redrive", "remove"))
    parser.add_argument("name", nargs="?", metavar="TRIGGER")
    parser.add_argument("--on", action="append", metavar="EVENT", help="add: event, such as task.completed or node.*")
    parser.add_argument("--where", metavar="CEL", help="add: condition, such as 'task.skill == \"fetch\"'")
    parser.add_argument("--submit", metavar="SKILL", help="add: submit a task of this skill")
    parser.add_argument("--params", metavar="JSON|@FILE", help="add: its parameters; strings may hold ${expressions}")
    parser.add_argument("--webhook", metavar="URL", help="add: send the event to this address")
    parser.add_argument(
        "--secret", metavar="NAME", help="add: sign webhooks with CLAW_SECRET_NAME of control's environment"
    )
    parser.add_argument("--publish", metavar="SUBJECT", help="add: publish the event on this NATS subject")
    parser.add_argument("--rate", type=count, metavar="N", help="add: events per second at most (default 100)")
    parser.add_argument(
        "--allow-loop", action="store_true", default=None, help="add: it may set itself off, up to 8 times in a row"
    )
    parser.add_argument("--user", help="add: user the tasks belong to")
    parser.add_argument("--priority", choices=PRIORITIES, help="add: priority of each task (default normal)")
    parser.add_argument("--tag", action="append", metavar="LABEL", help="add: label of each task")
    parser.add_argument("--timeout", type=duration, metavar="D", help="add: time limit per attempt, such as 30s or 5m")
    parser.add_argument("--retries", type=count, metavar="N", help="add: retries after the first attempt (default 3)")
