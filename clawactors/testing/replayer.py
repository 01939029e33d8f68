"""Replays the recorded history of a task against the code of today: would it go on where the record ends?

1. The code runs in a real attempt that resumes from the record. No function of a step is called, and no time passes.
2. A step that the record has completed returns its result; one that it has as failed raises what is on record.
3. The replay ends where the code goes beyond the record. What it used until then is compared with what is there.
"""

import asyncio
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import msgspec

from clawactors.eventlog import InProcessLog
from clawactors.runtime.node.secrets import Secrets
from clawactors.systems.skills import Skill, checked_skills
from clawactors.systems.tasks import events as e
from clawactors.testing.record import History, TaskRecord, recorded
from clawactors.testing.rerun import NondeterministicCode, ReplayedAttempt, end_of, resumed

__all__ = ["CodeReplay", "NondeterministicCode", "replay"]

_PATIENCE_S: Final = 10.0
_STEP: Final = re.compile(r"step '([^']+)'")


class CodeReplay(msgspec.Struct, frozen=True):
    """What the code did: `result` where it `returned`, the steps it `used` from the record, those `beyond` it.

    `continued`: the parameters with which it began another run, None where it did not.
    """

    returned: bool
    result: Any
    used: tuple[str, ...]
    beyond: tuple[str, ...]
    continued: dict[str, Any] | None = None


def replay(
    history: History,
    skill: Skill,
    *,
    id: str = "replayed",
    run: int | None = None,
    secrets: Mapping[str, str] | None = None,
) -> CodeReplay:
    """Runs the code of the skill against the record; returns what it did where all of it fits.

    `id` is the task's, for code that uses it. `run`: of a task that has continued, by default the last one.
    It may be called in a test that is async, and in one that is not.
    Raises: `NondeterministicCode`, `ValueError` for what is no history, `TimeoutError`.
    """
    (skill,) = checked_skills([skill])
    work = _replay(recorded(history, run), skill, id, Secrets(secrets))
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1, "replay") as thread:
        return thread.submit(asyncio.run, work).result()


async def _replay(record: TaskRecord, skill: Skill, id: str, secrets: Secrets) -> CodeReplay:
    log = InProcessLog(lambda: record.at_ns)
    attempt = resumed(log, record, skill, id, secrets)
    run = asyncio.ensure_future(attempt.run())
    try:
        async with asyncio.timeout(_PATIENCE_S):
            end = await end_of(log, attempt, run)
        return _compared(record, attempt, end)
    except TimeoutError:
        raise TimeoutError(f"the code did not come to the end of the record within {_PATIENCE_S:g} s") from None
    finally:
        attempt.steps.over.set()
        run.cancel()
        await asyncio.wait([run])
        await log.aclose()


def _compared(record: TaskRecord, attempt: ReplayedAttempt, end: e.TaskEvent | None) -> CodeReplay:
    """What the code did. Raises: `NondeterministicCode`."""
    steps, slept = attempt.steps, sum(name in attempt.journal.read for name in record.sleeps)
    beyond, unused = next(iter(steps.beyond), ""), next((name for name in record.steps if name not in steps.used), "")
    there = f"step {unused!r} is on record" if unused else "the recorded run has completed" if record.completed else ""
    match end:
        case e.Blocked(reason):
            found = _STEP.search(reason)
            raise NondeterministicCode(reason, found[1] if found else "")
        case None if there:
            raise NondeterministicCode(f"the code takes step {beyond!r}, where {there}", beyond)
        case e.Waiting() if there:
            raise NondeterministicCode(f"the code waits ({end.reason}), where {there}", unused)
        case e.AttemptFailed() if there:
            raise NondeterministicCode(f"the code raises {end.error.kind}: {end.error.message}, where {there}", unused)
        case e.Completed() | e.Continued() if unused:
            ends = "returns" if isinstance(end, e.Completed) else "continues"
            raise NondeterministicCode(f"the code {ends} without step {unused!r}, which is on record", unused)
        case e.Completed() | e.Continued() if slept < len(record.sleeps):
            raise NondeterministicCode(f"the code sleeps {slept} times, where {len(record.sleeps)} are on record")
    returned = isinstance(end, e.Completed)
    result = end.result if isinstance(end, e.Completed) else None
    continued = end.params if isinstance(end, e.Continued) else None
    return CodeReplay(returned, result, tuple(steps.used), tuple(steps.beyond), continued)
