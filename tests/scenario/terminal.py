"""A program on a terminal, driven as a person does it: keys go in, what it shows comes out."""

import os
import pty
import re
import select
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

PATIENCE_S = 30.0
_CONTROLS = re.compile(rb"\x1b\[[0-9;?>=]*[a-zA-Z]|\x1b[()][A-Z0-9]|\x1b[=>]|\x1b\][^\x07]*\x07|[\x07\r]")


class Terminal:
    """The program runs for as long as the block lasts."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str], cwd: Path) -> None:
        self._command, self._env, self._cwd = command, {**env, "TERM": "xterm"}, cwd
        self._shown = b""

    def __enter__(self) -> Self:
        self._pid, self._fd = pty.fork()
        if self._pid == 0:
            os.chdir(self._cwd)
            os.execvpe(self._command[0], self._command, self._env)  # noqa: S606 the shell under test
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._fd)

    def type(self, keys: str) -> None:
        """Presses these keys; what was shown before is forgotten."""
        self._shown = b""
        os.write(self._fd, keys.encode())

    def shows(self, text: str, patience_s: float = PATIENCE_S) -> bool:
        """True once the text was shown since the last keys, False when that takes too long."""
        until = time.monotonic() + patience_s
        while text not in self.text:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self._fd], [], [], left)[0]:
                return False
            self._shown += os.read(self._fd, 65536)
        return True

    @property
    def text(self) -> str:
        """What was shown since the last keys, without colours, bells and movements of the cursor."""
        return _CONTROLS.sub(b"", self._shown).decode(errors="replace")
