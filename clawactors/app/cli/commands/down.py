"""`claw down`: stops the cluster of the data folder and returns when all its processes have ended."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from clawactors.app.cli.output import Facts, emit, note
from clawactors.app.folderlock import holder
from clawactors.app.problem import Problem
from clawactors.app.settings import data_folder, default_folder

__all__ = ["run"]

_GOOD_ORDER_S: Final = 40.0
_HURRY_S: Final = 20.0
_LOOK_EVERY_S: Final = 0.02


def run(options: Any) -> int:
    """Stops the cluster. If none runs, it says so and exits 0."""
    path = data_folder(options.data)
    pid = holder(path)
    if pid is not None:
        _stop(path, pid)
    answer = {"stopped": pid is not None, "data": str(path)}
    said = f"stopped the cluster on {path}" if pid is not None else f"no cluster runs on {path}"
    emit(options, answer, lambda: [Facts([("down", said)])])
    if (name := _service_of(path)) is not None:
        note(f"the service {name} starts it again with the machine; `claw service remove` ends that")
    return 0


def _service_of(path: Path) -> str | None:
    """The service that is installed for this folder."""
    from clawactors.app.daemon.installing import manager_here
    from clawactors.app.daemon.plan import service_name

    name = service_name(path, is_default=path == default_folder())
    for is_system in (False, True):
        if manager_here(is_system=is_system, any_text=True).file(name).exists():
            return name
    return None


def _stop(path: Path, pid: int) -> None:
    """Signals the supervisor, signals it again, then gives up. Raises: `Problem`."""
    for wait_s in (_GOOD_ORDER_S, _HURRY_S):
        if pid:  # 0: the supervisor is gone and its server is about to follow
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        if _is_gone(path, pid, wait_s):
            return
    raise Problem(
        "unavailable", f"the cluster on {path} is still stopping (pid {pid})", f"kill -9 {pid} ends all its processes"
    )


def _is_gone(path: Path, pid: int, wait_s: float) -> bool:
    """True if the supervisor ended and released the folder within that time."""
    end_s = time.monotonic() + wait_s
    while time.monotonic() < end_s:
        if holder(path) != pid and not (pid and _is_alive(pid)):
            return True
        time.sleep(_LOOK_EVERY_S)
    return False


def _is_alive(pid: int) -> bool:
    """True if the process has ended, also if it is a zombie."""
    import psutil

    try:
        status: str = psutil.Process(pid).status()
    except psutil.NoSuchProcess:
        return False
    return status != "zombie"
