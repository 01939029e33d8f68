"""The attempt of a replay: it resumes from a record as after the loss of its node, and calls no function of a step."""

import asyncio
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, Final, override

from msgspec.structs import replace as with_changes

from clawactors.eventlog import InProcessLog, aggregate_pattern
from clawactors.eventlog.blobs import InProcessBlobs
from clawactors.eventlog.leases import InProcessLeases
from clawactors.eventlog.outputs import InProcessOutputs
from clawactors.eventlog.record import subject_of
from clawactors.eventlog.requests import InProcessRequests
from clawactors.kernel.fold import Snapshot
from clawactors.kernel.kind import Kind
from clawactors.runtime.asking import Outcome
from clawactors.runtime.context import ActorContext
from clawactors.runtime.dispatcher import Dispatcher
from clawactors.runtime.node.attempt.assigned import Assignment
from clawactors.runtime.node.attempt.attempt import Attempt
from clawactors.runtime.node.attempt.journal import AttemptJournal
from clawactors.runtime.node.node import NodeActor, NodeSettings
from clawactors.runtime.node.secrets import Secrets
from clawactors.runtime.node.steps import Steps
from clawactors.runtime.node.steptime import GIVEN_UP
from clawactors.runtime.node.submitter import Submitter
from clawactors.runtime.node.supplies import Supplies
from clawactors.runtime.node.threads import DaemonThreads
from clawactors.runtime.snapshots import Known
from clawactors.systems.skills import Skill
from clawactors.systems.tasks import Journal, Task
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.journal import Entry
from clawactors.systems.tasks.kind import TASKS
from clawactors.systems.tasks.task import TaskStatus
from clawactors.testing.record import TaskRecord

__all__ = ["NondeterministicCode", "RecordedSteps", "ReplayedAttempt", "end_of", "resumed"]

_NODE: Final = "replay"
_TURNS: Final = 50
_WAIT_S: Final = 0.001


class NondeterministicCode(Exception):
    """The code does not fit the record. `step` is the name of the step that differs, "" where none has a name."""

    def __init__(self, message: str, step: str = "") -> None:
        super().__init__(message)
        self.step = step


class _RecordClock:
    """Time stands where the record ends."""

    def __init__(self, at_ns: int) -> None:
        self._at_ns = at_ns

    def now_ns(self) -> int:
        return self._at_ns

    def monotonic_s(self) -> float:
        return self._at_ns / 1e9

    def elapsed_ns(self) -> int:
        return self._at_ns

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
    async def check(self, spec: e.Spec) -> None:
        pass

    @override
    async def submit(self, id: str, spec: e.Spec) -> Outcome:
        return Outcome(0)

    @override
    async def cancel(self, id: str) -> Outcome:
        return Outcome(0)


class _BeyondRecord(BaseException):
    """Unwinds code that has gone beyond the record."""


class RecordedSteps(Steps):
    """Steps from the record; one that is not there holds the code that takes it."""

    def __init__(self, attempt: Attempt) -> None:
        super().__init__(attempt)
        self.used: dict[str, None] = {}
        self.beyond: dict[str, None] = {}
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
            raise TimeoutError(entry.error) if entry.error == GIVEN_UP else RuntimeError(entry.error)
        await self.over.wait()
        raise _BeyondRecord


class _ReadEntries:
    """A journal that remembers the names whose state was asked for."""

    def __init__(self, journal: Journal, read: dict[str, None]) -> None:
        self._journal, self._read = journal, read

    def last(self, name: str) -> Entry | None:
        self._read[name] = None
        return self._journal.last(name)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._journal)

    def __len__(self) -> int:
        return len(self._journal)


class _ReadJournal(AttemptJournal):
    def __init__(self, context: ActorContext, assignment: Assignment) -> None:
        super().__init__(context, assignment)
        self.read: dict[str, None] = {}

    @property
    @override
    def entries(self) -> Any:
        return _ReadEntries(super().entries, self.read)


class ReplayedAttempt(Attempt):
    """An attempt with such steps."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.journal: _ReadJournal = _ReadJournal(self.context, self.assignment)
        self.on_park: Callable[[str], None] | None = _nothing
        """Given, it records that the code does nothing but wait."""

    @cached_property
    def steps(self) -> RecordedSteps:
        """The steps that its code takes."""
        return RecordedSteps(self)


def _nothing(id: str) -> None:
    """There is no node whose slot could be free."""


def resumed(log: InProcessLog, record: TaskRecord, skill: Skill, id: str, secrets: Secrets) -> ReplayedAttempt:
    """An attempt that goes on where the record ends, as after the loss of its node."""
    task, clock = record.task, _RecordClock(record.at_ns)
    life = TaskStatus(
        status="scheduled",
        node=_NODE,
        incarnation=_NODE,
        attempt=task.life.attempt + 1,
        failures=task.life.failures,
        run=task.life.run,
        waited=task.life.waited,
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
    # A node that never starts: it prepares the event loop for the code of attempts as every node does.
    NodeActor(context, InProcessLeases(), InProcessRequests(), NodeSettings(id=_NODE), [skill], supplies)
    supplies.submitter = _NoSubmitter()
    return ReplayedAttempt(
        context, Assignment(id, version, event, record.at_ns), skill, DaemonThreads("replay"), supplies
    )


async def end_of(log: InProcessLog, attempt: ReplayedAttempt, run: "asyncio.Future[None]") -> e.TaskEvent | None:
    """How the run ended: the event that it appended; None where it reached a step that is not on record."""
    steps = attempt.steps
    while True:
        before = log.last_seq, len(steps.used), len(steps.beyond)
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        if before != (log.last_seq, len(steps.used), len(steps.beyond)):
            continue
        async for batch in log.read([aggregate_pattern(TASKS.name, attempt.id)], after=1):
            for event in (event for each in batch for event in e.CODEC.decode(each.body)):
                if isinstance(event, e.Waiting | e.Blocked | e.Completed | e.Continued | e.AttemptFailed):
                    return event
        if run.done():
            run.result()
            raise NondeterministicCode("the code was stopped before it came to the end of the record")
        if steps.beyond:
            return None
        await asyncio.sleep(_WAIT_S)
