"""What `claw mcp` takes."""

from clawactors.app.cli.parsing import LIST, Parser, count, duration, port

__all__ = ["mcp"]

_PORT = 8753


def mcp(parser: Parser) -> None:
    """What `claw mcp` takes."""
    parser.add_argument("--http", action="store_true", help="serve HTTP on this machine instead of standard input")
    parser.add_argument("--port", type=port, default=_PORT, metavar="P", help=f"TCP port of --http (default {_PORT})")
    parser.add_argument(
        "--user", default="mcp", metavar="U", help="whom the agent acts for: on record, and in memory (default mcp)"
    )
    groups = "tasks, memory, cluster, schedules, past, care, details, all"
    parser.add_argument(
        "--tools",
        **LIST,
        default=None,
        metavar="A,B",
        help=f"groups of tools: {groups} (default tasks,memory,cluster)",
    )
    parser.add_argument(
        "--export",
        **LIST,
        default=[],
        metavar="SKILL",
        help="offer these skills as tools: names or patterns, as in a,b*",
    )
    parser.add_argument("--read-only", action="store_true", help="offer only what changes nothing")
    parser.add_argument(
        "--allow-destructive", action="store_true", help="ask nobody before calls that destroy something"
    )
    parser.add_argument(
        "--approve-own", action="store_true", help="let the agent answer approvals of tasks that it has submitted"
    )
    parser.add_argument(
        "--leave-running", action="store_true", help="let the task of a skill go on where its call is cancelled"
    )
    parser.add_argument(
        "--wait", type=duration, default=50.0, metavar="D", help="how long a call of a skill waits (default 50s)"
    )
    parser.add_argument(
        "--limit", type=count, default=40_000, metavar="N", help="cut answers to N characters (default 40000)"
    )
