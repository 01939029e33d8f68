"""What the log must show of timers: none early, none lost; and of schedules: each time once, with its task."""

from datetime import UTC, datetime
from typing import Any

from clawactors.eventlog import EventLog
from clawactors.kinds import DECODER
from clawactors.systems.schedules import task_id
from clawactors.systems.schedules.events import ScheduleFired
from clawactors.systems.tasks import OPEN, TASK, Task
from clawactors.systems.tasks import events as te

PATTERNS = ("claw.task.>", "claw.schedule.>")


class Timely:
    """The findings of one reading of a log: `problems`, and by how much timers were late."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.late: list[tuple[float, str]] = []
        """By how many milliseconds each timer was late, and which it was."""
        self.fired: dict[str, list[int]] = {}
        self._tasks: dict[str, Task] = {}
        self._made: dict[str, int] = {}
        self._opened: dict[str, int] = {}
        self._waits: dict[str, int] = {}
        """Since when each task is open again, and waits: what is wanted after its time is over at once, not late."""
        self._held: set[str] = set()
        """Tasks that were paused while they waited: that their timers come late says nothing."""

    async def read(self, log: EventLog) -> "Timely":
        """Reads all of it."""
        async for batch in log.read(PATTERNS):
            for record in batch:
                commit = DECODER.decode(record)
                if commit.kind == "schedule":
                    self._take_schedule(commit.id, commit.events, record.at_ns)
                elif commit.kind == "task":
                    # No timer: parked code, or somebody's cancel or resume, asked for it.
                    woken = ".from." in record.subject or bool(record.answers)
                    for place, event in enumerate(commit.events):
                        if woken and isinstance(event, te.Readied):
                            self._tasks[commit.id] = TASK.evolve(self._tasks[commit.id], event, record.at_ns)
                            continue
                        self._take_task(commit.id, event, commit.events[:place], record.at_ns)
        for name, times in self.fired.items():
            for at_ns in times:
                made_ns = self._made.get(task_id(name, at_ns))
                if made_ns is None:
                    self.problems.append(f"schedule {name}: its time {at_ns} has no task")
                elif made_ns < at_ns:
                    self.problems.append(f"schedule {name}: the task of {at_ns} came early")
        return self

    def _take_schedule(self, name: str, events: tuple[Any, ...], at_ns: int) -> None:
        for event in events:
            if isinstance(event, ScheduleFired):
                before = self.fired.setdefault(name, [])
                for time_ns in event.times:
                    if before and time_ns <= before[-1]:
                        self.problems.append(f"schedule {name}: {time_ns} came again")
                    if time_ns > at_ns:
                        self.problems.append(f"schedule {name}: {time_ns} came early")
                    before.append(time_ns)

    def _take_task(self, id: str, event: te.TaskEvent, beside: tuple[te.TaskEvent, ...], at_ns: int) -> None:
        before = self._tasks.get(id, Task())
        after = self._tasks[id] = TASK.evolve(before, event, at_ns)
        if after is before:
            return
        if before.life.status not in OPEN and after.life.status in OPEN:
            self._opened[id] = at_ns
        match event:
            case te.Submitted():
                self._made[id] = at_ns
            case te.Paused() if before.life.status == "waiting":
                self._held.add(id)
            case te.Readied() if before.life.waiting_for in ("timer", "retry"):
                self._went_off(id, "wait", before.life.until_ns, at_ns, self._waits.get(id, 0))
            case te.Readied() if before.life.waiting_for == "signal":
                if not any(isinstance(each, te.Signalled) for each in beside):
                    self._went_off(id, "patience", before.life.until_ns, at_ns, self._waits.get(id, 0))
            case te.Expired() if before.spec is not None and event.error.kind == "timeout":
                self._went_off(id, "deadline", before.spec.deadline_ns, at_ns, self._opened.get(id, 0))
            case _:
                pass
        if after.life.waiting_for is not None and after.life.until_ns != before.life.until_ns:
            self._waits[id] = at_ns

    def _went_off(self, id: str, what: str, until_ns: int, at_ns: int, wanted_ns: int) -> None:
        if not 0 < until_ns <= at_ns:
            self.problems.append(f"task {id}: its {what} until {until_ns} went off at {at_ns}")
        elif id not in self._held:
            due_ns = max(until_ns, wanted_ns)
            due = datetime.fromtimestamp(due_ns / 1e9, UTC)
            self.late.append(((at_ns - due_ns) / 1e6, f"{what} of {id}, due at {due:%T}"))
        self._held.discard(id)

    def __str__(self) -> str:
        late = sorted(self.late) or [(0.0, "")]
        worst = ", ".join(f"{ms:.0f} ({which})" for ms, which in late[:-6:-1])
        return f"{len(self.late)} timers, late by ms: p50 {late[len(late) // 2][0]:.0f}, most {worst}"
