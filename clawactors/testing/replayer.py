"""Replays the recorded history of a task against the code of today: would it go on where the record ends?

1. The code runs in a real attempt that resumes from the record. No function of a step is called, and no time passes.
2. A step that the record has completed returns its result; one that it has as failed raises what is on record.
3. The replay ends where the code goes beyond the record. What it used until then is compared with what is there.
"""

import asyncio
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any, Final, override

import msgspec
from msgspec.structs import replace as with_changes

from clawactors.eventlog import InProcessLog, aggregate_pattern
from clawactors.eventlog.blobs import InProcessBlobs
from clawactors.eventlog.outputs import InProcessOutputs
from clawactors.eventlog.record import subject_of
from clawactors.kernel.fold import Snapshot
from clawactors.kernel.kind import Kind
from clawactors.runtime.asking import Outcome
from clawactors.runtime.context import ActorContext
from clawactors.runtime.dispatcher import Dispatcher
from clawactors.runtime.node import Supplies
from clawactors.runtime.node.attempt import Assignment, Attempt
from clawactors.runtime.node.secrets import Secrets
from clawactors.runtime.node.steps import Steps
from clawactors.runtime.node.submitter import Submitter
from clawactors.runtime.node.threads import DaemonThreads
from clawactors.runtime.snapshots import Known
from clawactors.systems.skills import Skill
from clawactors.systems.tasks import Task
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.kind import TASKS
from clawactors.systems.tasks.task import TaskStatus
from clawactors.testing.record import History, TaskRecord, recorded

__all__ = ["CodeReplay", "NondeterministicCode", "replay"]

_NODE: Final = "replay"
_TURNS: Final = 50
_WAIT_S: Final = 0.001
_PATIENCE_S: Final = 30.0
_STEP: Final = re.compile(r"step '([^']+)'")


class NondeterministicCode(Exception):
    """The code does not fit the record. `step` is the name of the step that differs, "" where none has a name."""

    def __init__(self, message: str, step: str = "") -> None:
        super().__init__(message)
        self.step = step


class CodeReplay(msgspec.Struct, frozen=True):
    """What the code did: `result` where it `returned`, the steps it `used` from the record, those `beyond` it."""

    returned: bool
    result: Any
    used: tuple[str, ...]
    beyond: tuple[str, ...]


def replay(
    history: History, skill: Skill, *, id: str = "replayed", secrets: Mapping[str, str] | None = None
) -> CodeReplay:
    """Runs the code of the skill against the record; returns what it did where all of it fits.

    `id` is the task's, for code that uses it. It may be called in a test that is async, and in one that is not.
    Raises: `NondeterministicCode`, `ValueError` for what is no history, `TimeoutError`.
    """
    work = _replay(recorded(history), skill, id, Secrets(secrets))
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1, "replay") as thread:
        return thread.submit(asyncio.run, work).result()


# The run


class _RecordClock:
    """Time stands where the record ends."""

    def __init__(self, at_ns: int) -> None:
        self._at_ns = at_ns

    def now_ns(self) -> int:
        return self._at_ns

    def monotonic_s(self) -> float:
        return self._at_ns / 1e9

    def roll(self) -> float:
        return 0.5


class _RecordSnapshots:
    """The one task that there is."""

    def __init__(self, id: str, known: Snapshot[Task]) -> None:
        self._id, self._known = id, known

    async def load(self, kind: Kind[Any, Any, Any], id: str, *, at_least: int = 0, brief: bool = False) -> Known:
        return Known(self._known if kind is TASKS and id == self._id else Snapshot(kind.decider.initial))


class _NoSubmitter(Submitter):
    """Children were submitted when the record was made; those that it does not know are never heard of."""

    def __init__(self) -> None:
        """It asks nobody."""

    @override
    async def submit(self, id: str, spec: e.Spec) -> Outcome:
        return Outcome(0)

    @override
    async def cancel(self, id: str) -> Outcome:
        return Outcome(0)


class _BeyondRecord(BaseException):
    """Unwinds code that has gone beyond the record."""


class _RecordedSteps(Steps):
    """Steps from the record; one that is not there holds the code that takes it."""

    def __init__(self, attempt: Attempt) -> None:
        super().__init__(attempt)
        self.used: dict[str, None] = {}
        self.beyond: dict[str, None] = {}
        self.slept = 0
        self.over = asyncio.Event()

    @override
    async def begin(self, name: Any, call: str) -> tuple[bool, Any]:
        done, result = await super().begin(name, call)
        entry = self._attempt.journal.entries.last(name)
        has_failed = not done and entry is not None and entry.status == "failed"
        (self.used if done or has_failed else self.beyond)[name] = None
        if done:
            return True, result
        if has_failed and entry is not None:
            self._called.pop(name, None)
            raise RuntimeError(entry.error)
        await self.over.wait()
        raise _BeyondRecord

    @override
    async def sleep(self, wish: object) -> None:
        self.slept += 1
        await super().sleep(wish)


class _ReplayedAttempt(Attempt):
    @cached_property
    def steps(self) -> _RecordedSteps:
        return _RecordedSteps(self)


async def _replay(record: TaskRecord, skill: Skill, id: str, secrets: Secrets) -> CodeReplay:
    log = InProcessLog(lambda: record.at_ns)
    attempt = _resumed(log, record, skill, id, secrets)
    run = asyncio.ensure_future(attempt.run())
    try:
        async with asyncio.timeout(_PATIENCE_S):
            end = await _end(log, attempt, run)
        return _compared(record, attempt.steps, end)
    except TimeoutError:
        raise TimeoutError(f"the code did not come to the end of the record within {_PATIENCE_S:g} s") from None
    finally:
        attempt.steps.over.set()
        run.cancel()
        await asyncio.wait([run])
        await log.aclose()


def _resumed(log: InProcessLog, record: TaskRecord, skill: Skill, id: str, secrets: Secrets) -> _ReplayedAttempt:
    """An attempt that goes on where the record ends, as after the loss of its node."""
    task, clock = record.task, _RecordClock(record.at_ns)
    life = TaskStatus(
        status="scheduled", node=_NODE, incarnation=_NODE, attempt=task.life.attempt + 1, failures=task.life.failures
    )
    spec = task.spec or e.Spec(skill=skill.name)
    event = e.Scheduled(
        node=_NODE, incarnation=_NODE, attempt=life.attempt, skill=skill.name, params=spec.params, timeout_s=None
    )
    version = log.publish(subject_of(TASKS.name, id, _NODE), e.CODEC.encode((event,)))
    context = ActorContext(log, clock, f"node/{_NODE}", _NODE)
    known = Snapshot(with_changes(task, life=life), version)
    context.dispatcher = Dispatcher(context, _RecordSnapshots(id, known))
    supplies = Supplies(InProcessBlobs(), InProcessOutputs(), secrets)
    supplies.submitter = _NoSubmitter()
    return _ReplayedAttempt(
        context, Assignment(id, version, event, record.at_ns), skill, DaemonThreads("replay"), supplies
    )


async def _end(log: InProcessLog, attempt: _ReplayedAttempt, run: "asyncio.Future[None]") -> e.TaskEvent | None:
    """How the run ended, as it was appended; None where it went on to a step that is not on record."""
    steps = attempt.steps
    while True:
        before = log.last_seq, len(steps.used), len(steps.beyond)
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        if before != (log.last_seq, len(steps.used), len(steps.beyond)):
            continue
        async for batch in log.read([aggregate_pattern(TASKS.name, attempt.id)], after=1):
            for event in (event for each in batch for event in e.CODEC.decode(each.body)):
                if isinstance(event, e.Waiting | e.Blocked | e.Completed | e.AttemptFailed):
                    return event
        if run.done():
            run.result()
            raise NondeterministicCode("the code was stopped before it came to the end of the record")
        if steps.beyond:
            return None
        await asyncio.sleep(_WAIT_S)


def _compared(record: TaskRecord, steps: _RecordedSteps, end: e.TaskEvent | None) -> CodeReplay:
    """What the code did. Raises: `NondeterministicCode`."""
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
        case e.Completed() if unused:
            raise NondeterministicCode(f"the code returns without step {unused!r}, which is on record", unused)
        case e.Completed() if steps.slept < record.sleeps:
            raise NondeterministicCode(f"the code sleeps {steps.slept} times, where {record.sleeps} are on record")
    returned = isinstance(end, e.Completed)
    result = end.result if isinstance(end, e.Completed) else None
    return CodeReplay(returned, result, tuple(steps.used), tuple(steps.beyond))
