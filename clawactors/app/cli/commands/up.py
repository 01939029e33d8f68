"""`claw up`: a whole cluster on this machine, in the foreground or, with `--detach`, in a session of its own.

It holds the data folder before it imports anything heavy: a `claw down` right after it finds it.
"""

import argparse
import os
from typing import Any

from clawactors.app.cli.parsing import Parser, count, lease, port
from clawactors.app.cli.problem import Problem
from clawactors.app.folderlock import hold, record
from clawactors.app.settings import data_folder

__all__ = ["arguments", "run"]


def arguments(parser: Parser) -> None:
    """What it takes."""
    parser.add_argument("--nodes", type=count, default=2, metavar="N", help="node processes (default 2)")
    parser.add_argument("--slots", type=count, default=5, metavar="N", help="tasks a node runs at a time (default 5)")
    parser.add_argument(
        "--skills", nargs="+", action="extend", default=[], metavar="MODULE|FILE", help="your own skills"
    )
    parser.add_argument(
        "--allow",
        nargs="+",
        action="extend",
        default=[],
        metavar="MODULE:FUNCTION",
        help="what the skill `python` may call",
    )
    parser.add_argument("--secrets", metavar="FILE", help="NAME=VALUE lines, for skills that ask for them")
    parser.add_argument("--lease", type=lease, metavar="D", help="how long a node may be silent (default 1.5s)")
    parser.add_argument("--port", type=port, metavar="P", help="port of the server")
    parser.add_argument("--no-restart", dest="restart", action="store_false", help="don't restart crashed processes")
    parser.add_argument(
        "--detach", action="store_true", help="run in the background: return when it is ready; `claw down` stops it"
    )
    parser.add_argument("--detached", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--lock", type=int, help=argparse.SUPPRESS)


def run(options: Any) -> int:
    """Runs it until it is told to stop, or starts it and returns."""
    if options.context:
        raise Problem("usage", "up takes no context", "name a server of your own with --nats URL")
    path = data_folder(options.data)
    lock = hold(path) if options.lock is None else _handed_over(options.lock)
    if options.detach:
        from clawactors.app.cli.detach import detach

        return detach(options, path, lock)
    from clawactors.app.cli.supervising import supervise

    return supervise(options, path, lock)


def _handed_over(lock: int) -> int:
    """The lock that the parent has taken for this process."""
    os.set_inheritable(lock, False)
    record(lock, os.getpid())
    return lock
