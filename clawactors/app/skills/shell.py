"""`shell`: runs a program as a task."""

import codecs
import mmap
import os
from contextlib import ExitStack
from typing import Any, Final

import msgspec

from clawactors.app.skills.command import Captured, ProgramOutcome, run_command
from clawactors.runtime.node.context import TaskContext
from clawactors.systems.skills import skill
from clawactors.systems.tasks.payload import INLINE_MAX_BYTES

__all__ = ["shell"]

_OURS: Final = ("CLAW_", "NATS_")  # the cluster's own credentials are no business of what it runs
_BRACKETS_BYTES: Final = 600  # of the result beside the two texts


@skill("shell")
async def shell(
    task: TaskContext,
    argv: list[str],
    cwd: str | None = None,
    env: dict[str, str] | None = None,
    input: str | None = None,
) -> dict[str, Any]:
    """Runs a program and returns its exit code (negative for a signal) and what it printed.

    An exit code other than 0 is a result, not an error. Text beyond 256 KB in all is cut; `stored` then names the
    complete text, up to 64 MB (`claw blob NAME`). Output also goes to `claw logs` as it is printed, within the limit
    of an attempt. `env` adds to the node's environment.
    Processes that the program leaves running are ended with it.
    Order: at least once; it runs again if the node dies while it runs.
    """
    if not argv or not argv[0]:
        raise ValueError("argv must hold a program and its arguments")
    with ExitStack() as spools:
        running = run_command(
            argv,
            cwd=cwd,
            env={name: value for name, value in os.environ.items() if not name.startswith(_OURS)} | (env or {}),
            input=None if input is None else input.encode(),
            limit_bytes=INLINE_MAX_BYTES,
            spools=spools,
        )
        outcome = await running
        result = fitted(outcome, INLINE_MAX_BYTES)
        if result["cut"]:
            texts = {"stdout": outcome.stdout, "stderr": outcome.stderr}
            cut = {name: captured for name, captured in texts.items() if result[name] != _whole_text(captured)}
            result["stored"] = {name: await _stored(task, captured) for name, captured in cut.items()}
        return result


async def _stored(task: TaskContext, captured: Captured) -> dict[str, Any]:
    if captured.spool is None:
        return await task.store(captured.head)
    captured.spool.flush()
    return await task.store(mmap.mmap(captured.spool.fileno(), 0, access=mmap.ACCESS_READ))


def _whole_text(captured: Captured) -> str | None:
    """All that was printed, None where that is not at hand."""
    return _text(captured) if len(captured.head) == captured.size_bytes else None


def fitted(outcome: ProgramOutcome, limit_bytes: int) -> dict[str, Any]:
    """The outcome as a result of at most that many bytes of JSON; what one text leaves over, the other may use."""
    room = limit_bytes - _BRACKETS_BYTES
    all_out, all_err = _text(outcome.stdout), _text(outcome.stderr)
    stdout = _prefix(all_out, room - _size(_prefix(all_err, room // 2)))
    stderr = _prefix(all_err, room - _size(stdout))
    kept = len(outcome.stdout.head) + len(outcome.stderr.head)
    return {
        "exit": outcome.exit,
        "stdout": stdout,
        "stderr": stderr,
        "stdout_bytes": outcome.stdout.size_bytes,
        "stderr_bytes": outcome.stderr.size_bytes,
        "cut": (stdout, stderr) != (all_out, all_err) or kept < outcome.stdout.size_bytes + outcome.stderr.size_bytes,
    }


def _text(captured: Captured) -> str:
    """What is no UTF-8 shows as U+FFFD; a character that the cut went through is left out."""
    whole = len(captured.head) == captured.size_bytes
    return codecs.getincrementaldecoder("utf-8")("replace").decode(captured.head, final=whole)


def _size(text: str) -> int:
    return len(msgspec.json.encode(text))


def _prefix(text: str, room_bytes: int) -> str:
    """The longest beginning that takes at most that many bytes of JSON."""
    low, high = 0, min(len(text), room_bytes)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _size(text[:middle]) <= room_bytes else (low, middle - 1)
    return text[:low]
