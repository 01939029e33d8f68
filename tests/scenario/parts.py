"""One process of the product on a machine of the test, without a supervisor: the test starts it, and ends it."""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace

from clawactors.app.processes.readyline import ReadyMessage
from clawactors.app.processes.start import ControlStart, NodeStart, Start
from tests.scenario.claw import ROOT

__all__ = ["Part"]

_MODULES = {ControlStart: "control", NodeStart: "node"}
_READY_S = 60.0


class Part:
    """A control process or a node. `within` is what its command begins with, `root` the checkout that it runs."""

    def __init__(self, start: Start, logs: Path, within: Sequence[str] = (), root: str = ROOT) -> None:
        self.start_message, self.within, self.root = start, within, root
        self.log = logs / f"{start.name}.log"
        self._process: Process | None = None
        self._frozen = False

    @property
    def name(self) -> str:
        """Its name in the record."""
        return self.start_message.name

    @property
    def pid(self) -> int:
        """The process id, 0 while it does not run."""
        return self._process.pid if self._process is not None and self._process.returncode is None else 0

    async def start(self) -> bool:
        """Returns when it is ready, or has ended because it could not be: then False."""
        module = f"clawactors.app.processes.{_MODULES[type(self.start_message)]}"
        with self.log.open("ab") as errors:
            process = self._process = await asyncio.create_subprocess_exec(
                *self.within,
                sys.executable,
                "-P",
                "-m",
                module,
                stdin=PIPE,
                stdout=PIPE,
                stderr=errors,
                start_new_session=True,
                env={**os.environ, "PYTHONPATH": self.root},
            )
        assert process.stdin is not None
        assert process.stdout is not None
        start = msgspec.to_builtins(replace(self.start_message, parent=os.getpid()))
        start["nats_url"] = self.start_message.address.text  # for earlier releases, which take nothing else
        process.stdin.write(msgspec.json.encode(start) + b"\n")
        process.stdin.close()
        async with asyncio.timeout(_READY_S):
            line = await process.stdout.readline()
        return bool(line) and msgspec.json.decode(line, type=ReadyMessage).ready

    async def kill(self) -> None:
        """Ends it at once, as a crash does."""
        self._signal(signal.SIGKILL)
        await self._ended()

    async def stop(self) -> None:
        """Ends it in good order: a node hands back what it has."""
        self.thaw()
        self._signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(20):
                await self._ended()
        except TimeoutError:
            await self.kill()

    def freeze(self) -> None:
        """Stops it until `thaw`."""
        self._frozen = True
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Lets it go on."""
        if self._frozen:
            self._frozen = False
            self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    async def _ended(self) -> None:
        if self._process is not None:
            await self._process.wait()
