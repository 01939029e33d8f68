"""`claw up`: runs a whole cluster on this machine, in the foreground or, with `--detach`, in the background.

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
    """Declares the arguments."""
    parser.add_argument("--nodes", type=count, default=2, metavar="N", help="node processes (default 2)")
    parser.add_argument(
        "--slots", type=count, default=5, metavar="N", help="tasks that a node runs at once (default 5)"
    )
    parser.add_argument("--skills", nargs="+", action="extend", default=[], metavar="MODULE|FILE", help="your skills")
    parser.add_argument(
        "--allow",
        nargs="+",
        action="extend",
        default=[],
        metavar="MODULE:FUNCTION",
        help="functions that the skill `python` may call",
    )
    parser.add_argument("--secrets", metavar="FILE", help="file with NAME=VALUE lines, for skills that request secrets")
    parser.add_argument(
        "--lease", type=lease, metavar="D", help="declare a node dead after D without a heartbeat (default 1.5s)"
    )
    parser.add_argument("--port", type=port, metavar="P", help="TCP port of the server")
    parser.add_argument("--no-restart", dest="restart", action="store_false", help="don't restart crashed processes")
    parser.add_argument(
        "--detach", action="store_true", help="run in the background: return when it is ready; `claw down` stops it"
    )
    parser.add_argument("--detached", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--lock", type=int, help=argparse.SUPPRESS)


def run(options: Any) -> int:
    """Runs the cluster until a signal stops it; with `--detach` returns when it is ready."""
    if options.context:
        raise Problem("usage", "up does not support --context", "name your server with --nats URL")
    path = data_folder(options.data)
    lock = hold(path) if options.lock is None else _handed_over(options.lock)
    if options.detach:
        from clawactors.app.cli.detach import detach

        return detach(options, path, lock)
    from clawactors.app.cli.supervising import supervise

    return supervise(options, path, lock)


def _handed_over(lock: int) -> int:
    """The lock that the parent process took for this one."""
    os.set_inheritable(lock, False)
    record(lock, os.getpid())
    return lock
