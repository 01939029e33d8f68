"""Starts a command under a keeper (see `keeper`), ends it, and hears how it has ended."""

import asyncio
import contextlib
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from typing import Self

from clawactors.runtime.node import keeper

__all__ = ["KeeperProcess"]


class KeeperProcess:
    """A keeper and the command that it runs; `process` has the streams of the command."""

    def __init__(self, process: Process, life: int, status: int) -> None:
        self.process, self._life, self._status = process, life, status

    @classmethod
    async def begin(
        cls, argv: Sequence[str], *, stdin: int = PIPE, cwd: str | None = None, env: Mapping[str, str]
    ) -> Self:
        """Runs it. Raises: `OSError` where no process can be started."""
        life_read, life = os.pipe()
        status, status_write = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", keeper.__file__, str(life_read), str(status_write), *argv),
                stdin=stdin,
                stdout=PIPE,
                stderr=PIPE,
                cwd=cwd,
                env=env,
                pass_fds=(life_read, status_write),
                start_new_session=True,
            )
        except BaseException:
            os.close(life)
            os.close(status)
            raise
        finally:
            os.close(life_read)
            os.close(status_write)
        os.set_blocking(status, False)
        return cls(process, life, status)

    def ask_to_end(self) -> None:
        """Sends SIGTERM to its group."""
        with contextlib.suppress(BrokenPipeError):
            os.write(self._life, b"t")

    def end_now(self) -> None:
        """Kills it, and all that it has started. Order: idempotent."""
        if self._life >= 0:
            os.close(self._life)
            self._life = -1

    def outcome(self) -> int | OSError | None:
        """Its exit code, negative for a signal; why it can't be run; None where its keeper was killed.

        Raises: `BlockingIOError` while it runs.
        """
        match os.read(self._status, 100).split():
            case [b"exit", code]:
                return int(code)
            case [b"error", number, *_]:
                return OSError(int(number), os.strerror(int(number)))
            case _:
                return None

    def close(self) -> None:
        """Hears of it no longer. Order: idempotent."""
        if self._status >= 0:
            os.close(self._status)
            self._status = -1
