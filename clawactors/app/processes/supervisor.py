"""Starts the processes of a cluster, restarts those that die, stops all gracefully."""

import asyncio
import contextlib
import logging
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from clawactors.app.logpipe import LogPipe
from clawactors.app.processes.readyline import ReadyMessage
from clawactors.app.processes.start import Start
from clawactors.eventlog import EventLogError, Misconfigured, Unavailable
from clawactors.kernel.errors import Refused
from clawactors.runtime.node.descendants import NODE, end_all, marked

__all__ = ["Child"]

_READY_S = 300.0
"""A control process reads a million open tasks in half a minute, and nodes wait for it."""
_STOP_S = 15.0
_RETRY_S = (0.0, 0.2, 1.0, 5.0)
_UNFIT = (4, 5)
"""Exit codes of a child that says itself that it can't work."""
_FAULTS = {-signal.SIGSEGV: "SIGSEGV", -signal.SIGBUS: "SIGBUS", -signal.SIGABRT: "SIGABRT", -signal.SIGFPE: "SIGFPE"}
"""Exit codes of a child that damaged files may have ended: the next one is told, and does not trust them."""

_log = logging.getLogger(__name__)


class Child:
    """One child process, kept running. `changed` is called whenever its pid changes."""

    def __init__(
        self,
        module: str,
        start: Start,
        log: Path,
        changed: Callable[[], None],
        *,
        runs_skills: bool = False,
        inherits: tuple[int, ...] = (),
    ) -> None:
        """What a child that `runs_skills` has started ends with it, however far that has detached itself.

        `inherits` are the descriptors of this process that each life of the child has too.
        """
        self.module, self.start_message, self.log_path, self._changed = module, start, log, changed
        self._inherits = inherits
        self._mark = f"{os.getpid()}/{start.name}" if runs_skills else ""
        self._process: Process | None = None
        self._stopping = False

    @property
    def name(self) -> str:
        """Its name in logs and messages."""
        return self.start_message.name

    @property
    def pid(self) -> int:
        """The process id, 0 while it does not run."""
        return self._process.pid if self._process and self._process.returncode is None else 0

    async def start(self) -> None:
        """Returns when the child is ready; one that dies of a fault before that is started again, but one time only.

        Raises: `Refused`, `Misconfigured`, `Unavailable` with what the child says of itself.
        """
        try:
            await self._start()
        except Unavailable:
            if not (died_of := self._died_of) or self._is_stopping():
                raise
            _log.warning("%s was ended by %s; starting it again", self.name, died_of)
            await self._start()

    @property
    def _died_of(self) -> str:
        return _FAULTS.get(self._process.returncode or 0, "") if self._process else ""

    async def _start(self) -> None:
        log = LogPipe(self.log_path)
        try:
            self._process = await self._spawn(log.writes)
        finally:
            log.close_writes()
        self._changed()
        if self._is_stopping():  # it was told to stop while the process was being made
            await self._end(self._process)
        try:
            async with asyncio.timeout(_READY_S):
                line = await self._first_line(self._process)
        except TimeoutError:
            await self.stop()
            raise Unavailable(f"{self.name} was not ready within {_READY_S:g} s; see {self.log_path}") from None
        match line:
            case ReadyMessage(ready=True):
                return
            case ReadyMessage(code="refused", message=message):
                raise Refused(message)
            case ReadyMessage(code="misconfigured", message=message):
                raise Misconfigured(message)
            case ReadyMessage(message=message):
                raise Unavailable(message)
            case None:
                await asyncio.to_thread(log.drain)
                raise Unavailable(f"{self.name} ended before it was ready: {_last_line(self.log_path)}")

    async def _spawn(self, errors: int) -> Process:
        command, died_of = [sys.executable, "-P", "-m", self.module], self._died_of
        # A session of its own: Ctrl-C reaches the supervisor alone, which lets nodes hand back their work.
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=PIPE,
            stdout=PIPE,
            stderr=errors,
            start_new_session=True,
            pass_fds=self._inherits,
            env=os.environ | ({NODE: self._mark} if self._mark else {}),
        )
        stdin: Any = process.stdin
        start = msgspec.structs.replace(self.start_message, parent=os.getpid(), died_of=died_of)
        with contextlib.suppress(ConnectionError):
            stdin.write(msgspec.json.encode(start) + b"\n")
            await stdin.drain()
        stdin.close()
        return process

    async def _first_line(self, process: Process) -> ReadyMessage | None:
        stdout: Any = process.stdout
        line = await stdout.readline()
        if not line:
            await process.wait()
            return None
        try:
            return msgspec.json.decode(line, type=ReadyMessage)
        except msgspec.MsgspecError:
            return ReadyMessage(False, "unavailable", f"{self.name} said {line[:200]!r} instead of being ready")

    async def supervise(self, *, restart: bool) -> None:
        """Waits for its end and starts it again, until `stop`; without `restart` it stays dead."""
        failures, ready = 0, True
        while self._process is not None:
            code = await self._process.wait()
            self._changed()
            await self._end_what_it_started()
            if self._is_stopping() or not restart:
                return
            _log.warning("%s has ended (%d); starting it again", self.name, code)
            failures = failures + 1 if code in _UNFIT or not ready else 0
            await asyncio.sleep(_RETRY_S[min(failures, len(_RETRY_S) - 1)])
            if self._is_stopping():  # told so meanwhile
                return
            try:
                ready = False
                await self.start()
                ready = True
            except (Refused, EventLogError, OSError) as error:
                _log.error("%s failed to start: %s", self.name, error)

    def _is_stopping(self) -> bool:
        return self._stopping

    async def stop(self) -> None:
        """Asks it to stop, kills it when it does not in time. Again is harmless."""
        self._stopping = True
        process = self._process
        if process is None or process.returncode is not None:
            return
        try:
            await self._end(process)
        finally:
            await self._end_what_it_started()

    async def _end_what_it_started(self) -> None:
        if self._mark and self._process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await asyncio.to_thread(end_all, partial(marked, NODE, self._mark))

    async def _end(self, process: Process) -> None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(_STOP_S):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def _last_line(path: Path) -> str:
    lines = path.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
