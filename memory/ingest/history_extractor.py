"""The memories of a task's history: how it ended, and each failure and interruption with its reason."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from clawactors.eventlog.decoding import Commit
from clawactors.memory.item import ItemCommand
from clawactors.memory.text.normal import clean
from clawactors.systems.memories import Content, memory_id
from clawactors.systems.memories.commands import RecordMemory
from clawactors.systems.tasks import events as t
from clawactors.systems.tasks.payload import is_reference, offload_payload

__all__ = ["ERROR_LIMIT", "FAILURE", "HistoryExtractor", "task_memories"]

FAILURE: Final = "failure"
"""The tag of a failure's memory; the tags `skill:…`, `step:…`, `error:…` and `node:…` classify it."""
ERROR_LIMIT: Final = 2000
_SHOWN: Final = 300
_DESCRIPTION_SHOWN: Final = 1000
_STEPS_SHOWN: Final = 8


class _Progress(msgspec.Struct):
    """The state of a task after the events applied so far; `memories` counts those extracted so far."""

    spec: t.Spec
    node: str = ""
    attempt: int = 0
    failures: int = 0
    memories: int = 0
    steps: list[str] = []
    step_count: int = 0
    sources: list[int] = []
    failed: tuple[str, str, int] | None = None
    recalled: list[str] = []


class HistoryExtractor:
    """Extracts the memories of one task: call `apply` with all of its commits, in order."""

    def __init__(self, id: str) -> None:
        self.id = id
        self._progress: _Progress | None = None

    @property
    def has_begun(self) -> bool:
        """True once the task's specification is known."""
        return self._progress is not None

    @property
    def skill(self) -> str:
        """The skill of the task, '' if it is not known yet."""
        return self._progress.spec.skill if self._progress else ""

    @property
    def is_plain(self) -> bool:
        """True for one of many tasks: it has no name, and nothing failed."""
        progress = self._progress
        if progress is None:
            return True
        spec = progress.spec
        return not (spec.name or spec.description or spec.user or spec.tags or progress.failures)

    def apply(self, commit: Commit) -> list[ItemCommand]:
        """The commands that a commit leads to, in the order of its events."""
        seq, at_ns = commit.record.seq, commit.record.at_ns
        return [command for event in commit.events for command in self._apply(event, seq, at_ns)]

    def _apply(self, event: t.TaskEvent, seq: int, at_ns: int) -> Iterator[ItemCommand]:
        if isinstance(event, t.Submitted | t.Edited):
            if self._progress is None:
                self._progress = _Progress(event, sources=[seq], recalled=list(event.recalled))
            else:
                self._progress.spec = event
            return
        progress = self._progress
        if progress is None:
            return
        match event:
            case t.Scheduled():
                progress.node, progress.attempt = event.node, event.attempt
            case t.StepCompleted():
                progress.step_count += 1
                # Only the first steps and the last one are listed: a migration has thousands.
                if len(progress.steps) == _STEPS_SHOWN:
                    progress.steps[-1] = event.step
                else:
                    progress.steps.append(event.step)
            case t.Recalled():
                progress.recalled += event.memories
            case t.StepFailed():
                progress.failed = (event.step, event.error, seq)
            case t.AttemptFailed() | t.Expired():
                step, why, at = progress.failed or ("", event.error.message, seq)
                yield _failure(self.id, progress, event, step, why, sorted({at, seq}), at_ns)
                progress.failures += 1
                progress.sources.append(seq)
                progress.failed = None
            case t.Interrupted():
                yield _interruption(self.id, progress, event, seq, at_ns)
                progress.sources.append(seq)
            case t.Completed() | t.Cancelled():
                yield _end(self.id, progress, event, (*progress.sources, seq), at_ns)
            case _:
                pass


def task_memories(id: str, commits: Iterable[Commit]) -> list[ItemCommand]:
    """The commands for all memories of one task. The same history gives the same commands."""
    extractor = HistoryExtractor(id)
    return [command for commit in commits for command in extractor.apply(commit)]


def _failure(
    id: str,
    progress: _Progress,
    failed: t.AttemptFailed | t.Expired,
    step: str,
    why: str,
    sources: list[int],
    at_ns: int,
) -> ItemCommand:
    error = failed.error
    at = f" at step {step}" if step else ""
    on = f" on node {progress.node}" if progress.node else ""
    text = f"{_named(id, progress)} failed{at}{on}: {error.kind}: {clean(why)[:ERROR_LIMIT]}"
    tags = [FAILURE, f"skill:{progress.spec.skill}", f"error:{error.kind}"]
    tags += [f"node:{progress.node}"] if progress.node else []
    tags += [f"step:{step}"] if step else []
    key = f"failure/{progress.attempt}" if isinstance(failed, t.AttemptFailed) else "expired"
    return _command(id, progress, key, text, tags, sources, at_ns, importance=0.8, tone=-0.6)


def _interruption(id: str, progress: _Progress, event: t.Interrupted, seq: int, at_ns: int) -> ItemCommand:
    after = f" after step {progress.steps[-1]}" if progress.steps else ""
    text = f"{_named(id, progress)} was interrupted on node {progress.node}{after}: {clean(event.reason)[:ERROR_LIMIT]}"
    tags = ["interrupted", f"skill:{progress.spec.skill}", f"node:{progress.node}"]
    key = f"interruption/{progress.attempt}"
    return _command(id, progress, key, text, tags, [seq], at_ns, importance=0.6, tone=-0.3)


def _end(
    id: str, progress: _Progress, event: t.Completed | t.Cancelled, sources: tuple[int, ...], at_ns: int
) -> ItemCommand:
    ended = "completed" if isinstance(event, t.Completed) else "was cancelled"
    text = (
        f"{_named(id, progress)} {ended} on node {progress.node}"
        if progress.node
        else f"{_named(id, progress)} {ended}"
    )
    if progress.attempt > 1:
        text += f" at attempt {progress.attempt}"
    if progress.failures:
        text += f" after {progress.failures} failure{'s' if progress.failures > 1 else ''}"
    if progress.steps:
        steps = progress.steps
        shown = steps if progress.step_count <= _STEPS_SHOWN else [*steps[:-1], f"… {steps[-1]}"]
        text += f"; steps: {', '.join(shown)}"
    if isinstance(event, t.Completed) and event.result is not None:
        text += f"; result: {_short(event.result)}"
    tags = [ended.rsplit(maxsplit=1)[-1], f"skill:{progress.spec.skill}"]
    weight = 0.6 if progress.failures or progress.attempt > 1 else 0.35
    return _command(id, progress, "end", text, tags, list(sources), at_ns, importance=weight, tone=0.2)


def _named(id: str, progress: _Progress) -> str:
    spec = progress.spec
    # What the task is for is what people search it by.
    named = ": ".join(filter(None, (clean(spec.name)[:_SHOWN], _short(spec.description, _DESCRIPTION_SHOWN))))
    name = f" ({named})" if named else ""
    about = f" {_short(spec.params)}" if spec.params else ""
    return f"{spec.skill} {id}{name}{about}"


def _command(
    id: str,
    progress: _Progress,
    key: str,
    text: str,
    tags: list[str],
    sources: list[int],
    at_ns: int,
    *,
    importance: float,
    tone: float,
) -> ItemCommand:
    spec = progress.spec
    progress.memories += 1
    content = Content(
        text=clean(text),
        owner=spec.user,
        speaker=spec.skill,
        session=id,
        position=progress.memories,
        tags=tuple(dict.fromkeys((*tags, *spec.tags))),
        happened_ns=at_ns,
        sources=tuple(sources),
        importance=importance,
        tone=tone,
        origin="task",
        derived_from=tuple(dict.fromkeys(progress.recalled)),
        oldest=progress.sources[0],
    )
    return ItemCommand(memory_id(spec.user, f"task/{id}/{key}"), RecordMemory(content))


def _short(value: Any, limit: int = _SHOWN) -> str:
    """A value in readable form, on one line."""
    if is_reference(value):
        return offload_payload(value)
    if isinstance(value, dict):
        text = ", ".join(f"{name}={_short(one)}" for name, one in value.items())
    elif isinstance(value, str):
        text = value
    else:
        text = json.dumps(value, ensure_ascii=False, default=str)
    text = " ".join(clean(text).split())
    return text if len(text) <= limit else text[: limit - 1] + "…"
