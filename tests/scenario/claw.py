"""Runs `claw` as people do: a process of its own, its exit code, what it said on either stream."""

import io
import os
import signal
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec

from clawactors.app.cli.main import main

ROOT = str(Path(__file__).parents[2])
PATIENCE_S = 60.0


class Outcome(msgspec.Struct, frozen=True):
    """How it ended."""

    code: int
    out: str
    err: str

    @property
    def answer(self) -> Any:
        """The one JSON document on standard output."""
        return msgspec.json.decode(self.out)


class Claw:
    """The commands of one data folder, with nothing of the caller's environment."""

    def __init__(self, data: Path) -> None:
        self.data = data
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("CLAW_", "NATS_", "XDG_"))}
        self.env = kept | {"PYTHONPATH": ROOT, "CLAW_DATA": str(data)}

    def command(self, *arguments: str, module: str = "main") -> list[str]:
        """The command line."""
        return [sys.executable, "-P", "-m", f"clawactors.app.cli.{module}", *arguments]

    def __call__(
        self, *arguments: str, stdin: str = "", module: str = "main", env: dict[str, str] | None = None
    ) -> Outcome:
        """Runs it to its end."""
        done = subprocess.run(
            self.command(*arguments, module=module),
            env=self.env | (env or {}),
            cwd=self.data.parent,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    def quick(self, *arguments: str) -> Outcome:
        """The same within this process, for what needs no further proof that it works in one of its own."""
        out, err = io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True), io.StringIO()
        with patch.dict(os.environ, self.env, clear=True), redirect_stdout(out), redirect_stderr(err):
            code = main(arguments)
        out.seek(0)
        return Outcome(code, out.read(), err.getvalue())

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Runs it and goes on; its first line is on `stdout`."""
        return subprocess.Popen(
            self.command(*arguments),
            env=self.env,
            cwd=self.data.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=_heed_signals,  # noqa: PLW1509
        )


def _heed_signals() -> None:
    """Under nohup, or in the background of a script, a process ignores signals, and so would those that it starts."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
