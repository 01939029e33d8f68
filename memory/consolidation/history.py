"""What a task's history leaves behind: what it was, how it ended, and every failure on the way with its reason."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from clawactors.eventlog.decoding import Commit
from clawactors.memory.consolidation.order import Order
from clawactors.memory.consolidation.pattern import FAILURE
from clawactors.memory.text.normal import clean
from clawactors.systems.memories import Content, memory_id
from clawactors.systems.memories.commands import RecordMemory
from clawactors.systems.tasks import events as t
from clawactors.systems.tasks.payload import is_reference, offload_payload

__all__ = ["ERROR_LIMIT", "HistoryExtractor", "task_memories"]

ERROR_LIMIT: Final = 2000
_SHOWN: Final = 300
_STEPS_SHOWN: Final = 8


class _Course(msgspec.Struct):
    """Where the telling stands."""

    spec: t.Spec
    node: str = ""
    attempt: int = 0
    failures: int = 0
    told: int = 0
    steps: list[str] = []
    step_count: int = 0
    sources: list[int] = []
    failed: tuple[str, str, int] | None = None


class HistoryExtractor:
    """One task's history as it comes; `fold` gives the orders that a commit leads to."""

    def __init__(self, id: str) -> None:
        self.id = id
        self._course: _Course | None = None

    @property
    def begun(self) -> bool:
        """True once it knows what the task is about."""
        return self._course is not None

    @property
    def skill(self) -> str:
        """What the task runs, '' while that is not known."""
        return self._course.spec.skill if self._course else ""

    @property
    def is_plain(self) -> bool:
        """True while the task is one of very many: nobody named it, and nothing has failed."""
        course = self._course
        if course is None:
            return True
        spec = course.spec
        return not (spec.name or spec.description or spec.user or spec.tags or course.failures)

    def fold(self, commit: Commit) -> list[Order]:
        """The orders, in the order of the events. Give it all of the task's commits in their order."""
        return [order for event in commit.events for order in self._told(event, commit.record.seq, commit.record.at_ns)]

    def _told(self, event: t.TaskEvent, seq: int, at_ns: int) -> Iterator[Order]:
        if isinstance(event, t.Submitted | t.Edited):
            if self._course is None:
                self._course = _Course(event, sources=[seq])
            else:
                self._course.spec = event
            return
        course = self._course
        if course is None:
            return
        match event:
            case t.Scheduled():
                course.node, course.attempt = event.node, event.attempt
            case t.StepCompleted():
                course.step_count += 1
                # The first and the last few are told; a migration has thousands of them.
                if len(course.steps) == _STEPS_SHOWN:
                    course.steps[-1] = event.step
                else:
                    course.steps.append(event.step)
            case t.StepFailed():
                course.failed = (event.step, event.error, seq)
            case t.AttemptFailed() | t.Expired():
                step, why, at = course.failed or ("", event.error.message, seq)
                yield _failure(self.id, course, event, step, why, sorted({at, seq}), at_ns)
                course.failures += 1
                course.sources.append(seq)
                course.failed = None
            case t.Interrupted():
                yield _interruption(self.id, course, event, seq, at_ns)
                course.sources.append(seq)
            case t.Completed() | t.Cancelled():
                yield _end(self.id, course, event, (*course.sources, seq), at_ns)
            case _:
                pass


def task_memories(id: str, commits: Iterable[Commit]) -> list[Order]:
    """Orders for the memories of one task, from all of its commits in order. The same history gives the same orders."""
    telling = HistoryExtractor(id)
    return [order for commit in commits for order in telling.fold(commit)]


def _failure(
    id: str,
    course: _Course,
    failed: t.AttemptFailed | t.Expired,
    step: str,
    why: str,
    sources: list[int],
    at_ns: int,
) -> Order:
    error = failed.error
    at = f" at step {step}" if step else ""
    on = f" on node {course.node}" if course.node else ""
    text = f"{_named(id, course)} failed{at}{on}: {error.kind}: {clean(why)[:ERROR_LIMIT]}"
    tags = [FAILURE, f"skill:{course.spec.skill}", f"error:{error.kind}"]
    tags += [f"node:{course.node}"] if course.node else []
    tags += [f"step:{step}"] if step else []
    key = f"failure/{course.attempt}" if isinstance(failed, t.AttemptFailed) else "expired"
    return _order(id, course, key, text, tags, sources, at_ns, importance=0.8, tone=-0.6)


def _interruption(id: str, course: _Course, event: t.Interrupted, seq: int, at_ns: int) -> Order:
    after = f" after step {course.steps[-1]}" if course.steps else ""
    text = f"{_named(id, course)} was interrupted on node {course.node}{after}: {clean(event.reason)[:ERROR_LIMIT]}"
    tags = ["interrupted", f"skill:{course.spec.skill}", f"node:{course.node}"]
    key = f"interruption/{course.attempt}"
    return _order(id, course, key, text, tags, [seq], at_ns, importance=0.6, tone=-0.3)


def _end(id: str, course: _Course, event: t.Completed | t.Cancelled, sources: tuple[int, ...], at_ns: int) -> Order:
    ended = "completed" if isinstance(event, t.Completed) else "was cancelled"
    text = f"{_named(id, course)} {ended} on node {course.node}" if course.node else f"{_named(id, course)} {ended}"
    if course.attempt > 1:
        text += f" at attempt {course.attempt}"
    if course.failures:
        text += f" after {course.failures} failure{'s' if course.failures > 1 else ''}"
    if course.steps:
        steps = course.steps
        shown = steps if course.step_count <= _STEPS_SHOWN else [*steps[:-1], f"… {steps[-1]}"]
        text += f"; steps: {', '.join(shown)}"
    if isinstance(event, t.Completed) and event.result is not None:
        text += f"; result: {_short(event.result)}"
    tags = [ended.rsplit(maxsplit=1)[-1], f"skill:{course.spec.skill}"]
    weight = 0.6 if course.failures or course.attempt > 1 else 0.35
    return _order(id, course, "end", text, tags, list(sources), at_ns, importance=weight, tone=0.2)


def _named(id: str, course: _Course) -> str:
    spec = course.spec
    name = f" ({clean(spec.name)[:_SHOWN]})" if spec.name else ""
    about = f" {_short(spec.params)}" if spec.params else ""
    return f"{spec.skill} {id}{name}{about}"


def _order(
    id: str,
    course: _Course,
    key: str,
    text: str,
    tags: list[str],
    sources: list[int],
    at_ns: int,
    *,
    importance: float,
    tone: float,
) -> Order:
    spec = course.spec
    course.told += 1
    content = Content(
        text=clean(text),
        owner=spec.user,
        speaker=spec.skill,
        session=id,
        position=course.told,
        tags=tuple(dict.fromkeys((*tags, *spec.tags))),
        happened_ns=at_ns,
        sources=tuple(sources),
        importance=importance,
        tone=tone,
        origin="task",
    )
    return Order(memory_id(spec.user, f"task/{id}/{key}"), RecordMemory(content))


def _short(value: Any) -> str:
    """A value as people would write it, on one line."""
    if is_reference(value):
        return offload_payload(value)
    if isinstance(value, dict):
        text = ", ".join(f"{name}={_short(one)}" for name, one in value.items())
    elif isinstance(value, str):
        text = value
    else:
        text = json.dumps(value, ensure_ascii=False, default=str)
    text = " ".join(clean(text).split())
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
