"""Starts `claw up` in the background and passes on its ready line or its error."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from clawactors.app.cli.output import emit, note
from clawactors.app.folderlock import record
from clawactors.app.problem import INTERRUPTED, Problem

__all__ = ["detach"]

_STOPS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_STOPPED: Final = (*(-number for number in _STOPS), INTERRUPTED)


def detach(options: Any, path: Path, lock: int | None) -> int:
    """Returns when the cluster is ready or has failed, with the exit code of `up`. Takes over the lock."""
    child = _start(_command(options, path), lock)
    stdout: Any = child.stdout
    try:
        with stdout:
            line = stdout.readline()
    except BaseException:
        child.terminate()
        child.wait()
        raise
    try:
        said: dict[str, Any] = json.loads(line)
    except ValueError:
        code = child.wait()
        if code in _STOPPED:
            note(f"the cluster on {path} was stopped before it was ready")
            return INTERRUPTED
        raise Problem("unavailable", f"claw up exited with code {code} and no message") from None
    if said.get("ready"):
        from clawactors.app.cli.supervising import ready_facts

        emit(options, said, lambda: ready_facts(said))
        child.returncode = 0  # it goes on without us: Python must not warn that nobody has waited for it
        return 0
    if options.json:
        sys.stdout.write(line.decode())
        sys.stdout.flush()
    return child.wait()


def _start(command: list[str], lock: int | None) -> subprocess.Popen[bytes]:
    """The supervisor process; it takes over the lock from this one.

    A signal that comes meanwhile, as from `claw down`, is for it: there is no moment at which it would get lost.
    """
    came: list[int] = []
    handlers = {number: signal.signal(number, lambda number, _: came.append(number)) for number in _STOPS}
    try:
        # Its standard error is ours until it is ready, so that what goes wrong is seen.
        child = subprocess.Popen(
            command if lock is None else [*command, "--lock", str(lock)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            start_new_session=True,
            pass_fds=() if lock is None else (lock,),
        )
        if lock is not None:
            record(lock, child.pid)
            os.close(lock)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    if came:
        child.terminate()
    return child


def _command(options: Any, path: Path) -> list[str]:
    """The command `claw up` with every option that was given; the folder is the one that is locked."""
    given = [word for word in options.given if word != "--detach"]
    command = [sys.executable, "-P", "-m", "clawactors.app.cli.main", "up", *given]
    return [*command, "--json", "--detached", "--data", str(path)]
