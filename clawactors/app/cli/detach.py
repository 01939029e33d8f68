"""Starts `claw up` in a session of its own and hands on what it says when it is ready or can't be."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec

from clawactors.app.cli.commands.up import shown
from clawactors.app.cli.output import emit
from clawactors.app.cli.problem import Problem
from clawactors.app.secretfile import path_of

__all__ = ["detach"]


def detach(options: Any, path: Path) -> int:
    """Returns when the cluster is ready or has failed, with the exit code of `up`."""
    # Its standard error is ours until it is ready, so that what goes wrong is seen.
    child = subprocess.Popen(
        _command(options, path), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True
    )
    stdout: Any = child.stdout
    try:
        with stdout:
            line = stdout.readline()
    except BaseException:
        child.terminate()
        child.wait()
        raise
    try:
        said = msgspec.json.decode(line, type=dict[str, Any])
    except msgspec.MsgspecError:
        raise Problem("unavailable", f"claw up ended with {child.wait()} and said nothing") from None
    if said.get("ready"):
        emit(options, said, lambda: shown(said))
        return 0
    if options.json:
        sys.stdout.write(line.decode())
        sys.stdout.flush()
    return child.wait()


def _command(options: Any, path: Path) -> list[str]:
    command = [sys.executable, "-P", "-m", "clawactors.app.cli.main", "up", "--json", "--detached", "--data", str(path)]
    command += ["--nodes", str(options.nodes), "--slots", str(options.slots)]
    command += ["--lease", f"{options.lease:g}s"]
    command += ["--port", str(options.port)] if options.port is not None else []
    command += ["--nats", options.nats] if options.nats else []
    command += ["--skills", *options.skills] if options.skills else []
    command += ["--allow", *options.allow] if options.allow else []
    command += ["--secrets", path_of(options.secrets)] if options.secrets else []
    command += [] if options.restart else ["--no-restart"]
    return command + (["--debug"] if options.debug else [])
