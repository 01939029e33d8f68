"""What a task's history leaves behind: what it was, how it ended, and every failure on the way with its reason."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from clawactors.memories import Content, memory_id
from clawactors.memories.commands import Record
from clawactors.tasks import events as t
from eventlog.decoding import Commit
from memory.consolidation.order import Order
from memory.consolidation.pattern import FAILURE
from memory.text.normal import clean

__all__ = ["ERROR_LIMIT", "task_memories"]

ERROR_LIMIT: Final = 2000
_SHOWN: Final = 300
_STEPS_SHOWN: Final = 8


class _Course(msgspec.Struct):
    """Where the telling stands."""

    spec: t.Submitted
    node: str = ""
    attempt: int = 0
    step: str = ""
    failures: int = 0
    told: int = 0


def task_memories(id: str, commits: Iterable[Commit]) -> list[Order]:
    """Orders for the memories of one task, from all of its commits in order. The same history gives the same orders."""
    return list(_told(id, commits))


def _told(id: str, commits: Iterable[Commit]) -> Iterator[Order]:
    course: _Course | None = None
    sources: list[int] = []
    steps: list[str] = []
    failed: tuple[str, str, int] | None = None
    for commit in commits:
        seq, at_ns = commit.record.seq, commit.record.at_ns
        for event in commit.events:
            if isinstance(event, t.Submitted):
                course = course or _Course(event)
            if course is None:
                continue
            match event:
                case t.Submitted():
                    sources.append(seq)
                case t.Scheduled():
                    course.node, course.attempt = event.node, event.attempt
                case t.StepCompleted():
                    steps.append(event.step)
                case t.StepFailed():
                    failed = (event.step, event.error, seq)
                case t.AttemptFailed():
                    step, why, at = failed or ("", event.error.message, seq)
                    yield _failure(id, course, event.error, step, why, sorted({at, seq}), at_ns)
                    course.failures += 1
                    sources.append(seq)
                    failed = None
                case t.Interrupted():
                    yield _interruption(id, course, event, steps, seq, at_ns)
                    sources.append(seq)
                case t.Completed() | t.Cancelled():
                    yield _end(id, course, event, steps, (*sources, seq), at_ns)
                case _:
                    pass


def _failure(
    id: str, course: _Course, error: t.TaskError, step: str, why: str, sources: list[int], at_ns: int
) -> Order:
    at = f" at step {step}" if step else ""
    text = f"{_named(id, course)} failed{at} on node {course.node}: {error.kind}: {clean(why)[:ERROR_LIMIT]}"
    tags = [FAILURE, f"skill:{course.spec.skill}", f"error:{error.kind}", f"node:{course.node}"]
    tags += [f"step:{step}"] if step else []
    return _order(id, course, f"failure/{course.attempt}", text, tags, sources, at_ns, importance=0.8, tone=-0.6)


def _interruption(id: str, course: _Course, event: t.Interrupted, steps: list[str], seq: int, at_ns: int) -> Order:
    after = f" after step {steps[-1]}" if steps else ""
    text = f"{_named(id, course)} was interrupted on node {course.node}{after}: {clean(event.reason)[:ERROR_LIMIT]}"
    tags = ["interrupted", f"skill:{course.spec.skill}", f"node:{course.node}"]
    key = f"interruption/{course.attempt}"
    return _order(id, course, key, text, tags, [seq], at_ns, importance=0.6, tone=-0.3)


def _end(
    id: str, course: _Course, event: t.Completed | t.Cancelled, steps: list[str], sources: tuple[int, ...], at_ns: int
) -> Order:
    ended = "completed" if isinstance(event, t.Completed) else "was cancelled"
    text = f"{_named(id, course)} {ended} on node {course.node}" if course.node else f"{_named(id, course)} {ended}"
    if course.attempt > 1:
        text += f" at attempt {course.attempt}"
    if course.failures:
        text += f" after {course.failures} failure{'s' if course.failures > 1 else ''}"
    if steps:
        shown = steps if len(steps) <= _STEPS_SHOWN else [*steps[: _STEPS_SHOWN - 1], f"… {steps[-1]}"]
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
    return Order(memory_id(spec.user, f"task/{id}/{key}"), Record(content))


def _short(value: Any) -> str:
    """A value as people would write it, on one line."""
    if isinstance(value, dict):
        text = ", ".join(f"{name}={_short(one)}" for name, one in value.items())
    elif isinstance(value, str):
        text = value
    else:
        text = json.dumps(value, ensure_ascii=False, default=str)
    text = " ".join(clean(text).split())
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
