"""`claw up`: runs a whole cluster on this machine, in the foreground or, with `--detach`, in the background.

It holds the data folder before it imports anything heavy: a `claw down` right after it finds it.
"""

import os
from typing import Any

from clawactors.app.folderlock import hold, record
from clawactors.app.problem import Problem
from clawactors.app.settings import data_folder

__all__ = ["run"]


def run(options: Any) -> int:
    """Runs the cluster until a signal stops it; with `--detach` returns when it is ready."""
    if options.context and options.nats:
        raise Problem("usage", "--nats and --context both name a server", "keep one of them")
    foreign = "--nats" if options.nats else "--context" if options.context else ""
    if foreign and options.listen:
        raise Problem("usage", "--listen is for the server that claw up starts", f"remove {foreign}")
    if foreign and (options.mirror or options.standby):
        raise Problem("usage", "--mirror and --standby are for the server that claw up starts", f"remove {foreign}")
    if options.standby and (options.mirror or options.take_over):
        raise Problem("usage", "--standby only mirrors another cluster", "remove --mirror and --take-over")
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
