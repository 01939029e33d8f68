"""A new task that begins with what another one did before one of its steps.

In: the journal of the source. Out: the fork, its inherited steps in commits of a size that every server takes, a link
on both sides. Repeated, or taken up again after an interruption, it gives the same fork: each part is added once.
"""

from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from clawactors.kernel.errors import NotFound, Refused
from clawactors.runtime.call import Answer, Call
from clawactors.runtime.dispatcher import Dispatcher
from clawactors.systems.tasks import Entry, Journal, Task
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.journal import SIGNAL
from clawactors.systems.tasks.kind import TASKS
from clawactors.systems.tasks.spec import ERASED, as_event

__all__ = ["fork"]

_COMMIT_MAX_BYTES = 480_000
_NAMED = 5


async def fork(dispatcher: Dispatcher, id: str, step: str, new_id: str, by: str = "") -> Answer:
    """The task `new_id` as it is then: asks for the same as `id`, has its steps before `step`, and goes on from there.

    It has no predecessors, start time or deadline of its own; signals that came before the step are its signals too.
    Raises: `NotFound`; `Refused` for a step that the source does not have, and for an id that another task has.
    """
    load, kind = dispatcher.snapshots.load, TASKS
    source = (await load(kind, id, at_least=-1)).snapshot.state
    spec = source.spec
    if spec is None:
        raise NotFound(f"there is no task {id!r}")
    if source.life.status == "archived":
        raise Refused("the task was deleted or archived; what it has stored may be gone")
    if spec.erased:
        raise Refused(ERASED)
    at = _place_of(source.journal, step)
    same = as_event(spec, e.Spec)
    # Its steps before that one may repeat whatever the source was answered with.
    recalled = source.life.recalled
    asked = replace(same, fork_of=id, fork_step=step, after=(), not_before_ns=0, deadline_ns=0, recalled=recalled)
    submit = c.Submit(asked)
    made = await dispatcher.send(Call(TASKS, new_id, (submit,), principal=by))
    await dispatcher.send(Call(TASKS, id, (c.NoteFork(new_id, step),), principal=by))
    forked = (await load(kind, new_id, at_least=made.version)).snapshot
    last = Answer(forked.version, forked.state)
    for commands in _commits(list(source.journal)[:at], source.journal, forked.state):
        try:
            last = await dispatcher.send(Call(TASKS, new_id, tuple(commands), principal=by))
        except Refused:
            forked = (await load(kind, new_id, at_least=-1)).snapshot
            if _waits(forked.state):
                raise
            return Answer(forked.version, forked.state)  # somebody else has done the same and the fork is on its way
    return last


def _waits(fork: Task) -> bool:
    return fork.life.status == "waiting" and fork.life.waiting_for == "fork"


def _place_of(journal: Journal, step: str) -> int:
    """How many entries come before the first one of the step."""
    for place, entry in enumerate(journal):
        if entry.name == step and entry.status != "signalled":
            return place
    names = [entry.name for entry in journal.steps()][-_NAMED:]
    known = f"its last steps are {', '.join(map(repr, names))}" if names else "it has no steps yet"
    raise Refused(f"the task has no step {step!r}; {known}")


def _commits(before: list[Entry], journal: Journal, fork: Task) -> Iterator[list[c.TaskCommand]]:
    """What the fork lacks, in commits; the last of them sets it going."""
    if not _waits(fork):
        return
    commands: list[c.TaskCommand] = []
    size = 0
    kept: list[e.InheritedStep] = []
    for part in _parts(before, journal, fork.journal):
        part_size = len(msgspec.json.encode(part))
        if size + part_size > _COMMIT_MAX_BYTES:
            yield [*commands, c.Inherit(tuple(kept))]
            commands, kept, size = [], [], 0
        size += part_size
        if isinstance(part, e.InheritedStep):
            kept.append(part)
        else:
            commands.append(part)
    yield [*commands, c.Inherit(tuple(kept), last=True)]


def _parts(before: list[Entry], journal: Journal, has: Journal) -> Iterator[e.InheritedStep | c.Signal]:
    seen: dict[str, int] = {}
    for entry in before:
        name = entry.name
        if entry.status == "signalled":
            seen[name] = seen.get(name, 0) + 1
            if seen[name] > has.count(name):
                yield c.Signal(name.removeprefix(SIGNAL), entry.result)
        elif name not in seen:
            seen[name] = 1
            last = journal.last(name)
            if last is not None and last.status == "completed" and not has.completed(name):
                yield e.InheritedStep(name, last.result, last.took_s, last.fingerprint)
