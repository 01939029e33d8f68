"""Processes that do one long piece of work beside the cluster and yield to it: backups, views of past moments.

The one who needs the work starts it with `beside`; the main of the process begins with `begin`.
"""

import asyncio
import contextlib
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final, Protocol

import msgspec

from clawactors.app.lifeline import die_with_parent

__all__ = ["WorkStart", "begin", "beside"]

_NICE: Final = 10


class WorkStart(Protocol):
    """What such a process is told, as one line of JSON on its input."""

    @property
    def parent(self) -> int:
        """The process that it ends with."""
        ...


@contextlib.asynccontextmanager
async def beside(module: str) -> AsyncIterator[Process]:
    """The process that runs the module, with pipes to its input and output. It is killed at the end of the block."""
    command = (sys.executable, "-P", "-m", module)
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, start_new_session=True)
    try:
        yield process
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def begin[T: WorkStart](kind: type[T]) -> T:
    """Reads the start of this process, ties it to its parent, and gives way to all others."""
    start = msgspec.json.decode(sys.stdin.buffer.readline(), type=kind)
    die_with_parent(start.parent)
    with contextlib.suppress(OSError):
        os.nice(_NICE)
    with contextlib.suppress(OSError):  # a session of its own would get a full share again
        Path("/proc/self/autogroup").write_text(str(_NICE))
    return start
