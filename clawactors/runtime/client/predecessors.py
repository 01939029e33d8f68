"""What tasks may come after: tasks that are in the log, or are submitted with them, and never themselves.

1. What exists already with the same content is a repeat: its predecessors were looked at when it was made.
2. Nobody is refused for what a replica that lags does not show: who is not to be seen is looked for by reading.
3. A ring through a task that waits in the log is found where that one waits for one of these. What others close at the
   same moment, or a batch that was cut, is found by placement, which sees all that wait.
"""

from collections.abc import Collection, Mapping, Sequence

import msgspec

from clawactors.eventlog import EventLog, Record
from clawactors.kernel.errors import Refused
from clawactors.kernel.fold import Snapshot
from clawactors.kinds import DECODER
from clawactors.runtime.client.repeats import firsts_of, is_repeat
from clawactors.runtime.reading import read_tasks
from clawactors.systems.tasks import TASK, Task
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.dependencies import arranged
from clawactors.systems.tasks.events import Spec

__all__ = ["in_order"]


class _Facts(msgspec.Struct):
    """What is known of the tasks: `there` are predecessors from outside, `gone` those of them that were taken away.

    Of those that are wished for, `same` are there with the same content, `known` are there with a content to be seen.
    """

    there: set[str] = msgspec.field(default_factory=set)
    gone: set[str] = msgspec.field(default_factory=set)
    same: set[str] = msgspec.field(default_factory=set)
    known: dict[str, Snapshot[Task]] = msgspec.field(default_factory=dict)

    def read(self, id: str, folded: Snapshot[Task]) -> None:
        """Takes in a predecessor from outside as its log has it."""
        if folded.state.exists or folded.frozen:
            self.there.add(id)
            if folded.state.life.status == "archived":
                self.gone.add(id)


async def in_order(
    log: EventLog, specs: Mapping[str, Spec], delayed: Collection[str], unfit: Mapping[str, str]
) -> tuple[list[str], dict[str, str]]:
    """The ids of those that are to be submitted, predecessors first, and why others may not be.

    Of repeats, some are in neither. `delayed` have a start that was reckoned now, `unfit` were refused before this.
    Raises: what the log raises.
    """

    def wish(id: str) -> c.Submit:
        return c.Submit(specs[id], id in delayed)

    facts = _Facts()
    before = list(dict.fromkeys(each for spec in specs.values() for each in spec.after))
    last = await log.lasts("task", before)
    outside = [each for each in before if each not in specs]
    waits = {each: after for each in outside if (after := _awaited(last.get(each)))}
    facts.there.update(each for each in outside if each in last)
    async for id, folded in read_tasks(log, (each for each in outside if _is_doubtful(last.get(each)))):
        facts.read(id, folded)
    made = [each for each in before if each in specs and each in last]
    facts.same.update(id for id, first in (await firsts_of(log, made)).items() if is_repeat(first, wish(id)))
    await _know(log, facts, [id for id in made if id not in facts.same])
    order, rings = arranged({id: spec.after for id, spec in specs.items()} | waits)
    order = [id for id in order if id in specs]

    def judged() -> dict[str, str]:
        reasons: dict[str, str] = {}
        for id in order:
            if id in facts.same:
                continue
            if id in facts.known:
                reason = _taken(facts.known[id], wish(id))
            else:
                missing = (_missing(each, specs, facts, unfit, reasons) for each in specs[id].after)
                reason = rings.get(id, "") or next((why for why in missing if why), "")
            if reason:
                reasons[id] = reason
        return reasons

    if reasons := judged():
        await _know(log, facts, [id for id in reasons if id not in facts.known])  # some may be repeats
        reasons = judged()
    return [id for id in order if id not in reasons and id not in facts.same], reasons


async def _know(log: EventLog, facts: _Facts, ids: Sequence[str]) -> None:
    """Reads those that are there."""
    async for id, folded in read_tasks(log, ids):
        if folded.state.exists or folded.frozen:
            facts.known[id] = folded


def _awaited(last: Record | None) -> tuple[str, ...]:
    """What a task comes after that has not gone on since it was made; () where that is not to be seen."""
    if last is None or last.expected != 0:
        return ()
    made = next((event for event in DECODER.decode(last).events if isinstance(event, e.Submitted)), None)
    return made.after if made is not None else ()


def _is_doubtful(last: Record | None) -> bool:
    """True where the task may not be there, or not any more."""
    if last is None or (commit := DECODER.decode(last)).fault:
        return True
    return any(isinstance(event, e.Deleted | e.TaskArchived) for event in commit.events)


def _taken(known: Snapshot[Task], command: c.Submit) -> str:
    """Why that task is not the one that is wished for; '' where it is, or nobody here can tell."""
    if known.frozen:
        return ""
    try:
        TASK.decide(command, known.state)
    except Refused as refusal:
        return str(refusal)
    return ""


def _missing(
    id: str, specs: Mapping[str, Spec], facts: _Facts, unfit: Mapping[str, str], reasons: Mapping[str, str]
) -> str:
    """Why nothing can come after that task; '' where something can."""
    if id in reasons or (id in unfit and id not in facts.there):
        return f"it comes after {id}, which is refused"
    if id in facts.gone or (id in facts.known and facts.known[id].state.life.status == "archived"):
        return f"it comes after {id}, which was deleted or archived"
    return "" if id in specs or id in facts.there else f"it comes after {id}, and there is no such task"
