"""Lines that invite, and nodes that have joined by them."""

import json
import signal
import subprocess
from typing import Any

from tests.scenario.claw import Claw


def invited(host: Claw, role: str, name: str, *options: str) -> list[str]:
    """The line, as a shell takes it apart."""
    made = host.quick("invite", role, name, *options, "--json")
    assert made.code == 0, made
    line: str = made.answer["line"]
    assert line.startswith("claw join claw1-")
    assert len(line) < 1000
    return line.split()[1:]


def joined(claw: Claw, *line: str) -> tuple[subprocess.Popen[str], Any]:
    """A node that has joined, and its ready line."""
    process = claw.start(*line, "--json")
    assert process.stdout is not None
    first = process.stdout.readline()
    assert first, process.communicate()
    return process, json.loads(first)


def ended(process: subprocess.Popen[str]) -> str:
    """What the node said on its way out."""
    process.send_signal(signal.SIGTERM)
    return process.communicate(timeout=30)[1]
