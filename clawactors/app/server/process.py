"""One run of a program that must not outlive us: started, ended, and its last words read from its log."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, Final

from clawactors.app import lifeline

__all__ = ["end", "last_words", "spawn"]

_STOP_S: Final = 10.0


async def spawn(command: Sequence[str], *, errors: IO[bytes], hold: int) -> Process:
    """Starts a program that is killed when this process ends; it holds the open file `hold` as long as it runs.

    It gets a session of its own: Ctrl-C in a terminal reaches all of a session, and a server must outlast those who
    drain.
    """
    options: dict[str, Any] = {"stdin": DEVNULL, "stdout": DEVNULL, "start_new_session": True}
    tied = [sys.executable, "-I", "-S", lifeline.__file__]
    if sys.platform == "linux":
        command = [*tied, "exec", str(os.getpid()), *command]
    child = await asyncio.create_subprocess_exec(*command, stderr=errors, pass_fds=(hold,), **options)
    if sys.platform != "linux":
        watch = [*tied, "watch", str(os.getpid()), str(child.pid)]
        await asyncio.create_subprocess_exec(*watch, stderr=DEVNULL, **options)
    return child


async def end(process: Process) -> None:
    """Asks it to stop, kills it when it does not in time, returns when it is gone."""
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(_STOP_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def last_words(log: Path, begins: int) -> str:
    """The fatal line, else the last one, of what a server wrote to its log from this position on."""
    with log.open("rb") as file:
        file.seek(begins)
        lines = [line.strip() for line in file.read().decode(errors="replace").splitlines() if line.strip()]
    fatal = [line.partition("[FTL] ")[2] for line in lines if "[FTL] " in line]
    return (fatal or lines or [""])[-1]
