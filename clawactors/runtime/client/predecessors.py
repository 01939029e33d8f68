"""What tasks may come after: tasks that are in the log, or are submitted with them, and never themselves."""

from collections.abc import Collection, Mapping

from clawactors.errors import Refused
from clawactors.fold import Folded
from clawactors.runtime.reading import read_tasks
from clawactors.tasks import TASK, Task
from clawactors.tasks import commands as c
from clawactors.tasks.dependencies import arranged
from clawactors.tasks.events import Spec
from eventlog import EventLog

__all__ = ["in_order"]


async def in_order(
    log: EventLog, specs: Mapping[str, Spec], delayed: Collection[str], unfit: Mapping[str, str]
) -> tuple[list[str], dict[str, str]]:
    """The ids of those that may be submitted, predecessors first, and why the others may not.

    `delayed` have a start that was reckoned now, `unfit` were refused before this. What exists already with the same
    content is a repeat: its predecessors were looked at when it was made.
    Raises: what the log raises.
    """
    order, rings = arranged({id: spec.after for id, spec in specs.items()})
    involved = dict.fromkeys(each for id, spec in specs.items() if spec.after for each in (id, *spec.after))
    known = {id: folded async for id, folded in read_tasks(log, involved) if folded.state.exists or folded.frozen}
    fit: list[str] = []
    reasons: dict[str, str] = {}
    for id in order:
        if id in known:
            reason = _taken(known[id], c.Submit(specs[id], id in delayed))
        elif id in rings:
            reason = rings[id]
        else:
            found = (_missing(each, specs, known, unfit, reasons) for each in specs[id].after)
            reason = next((why for why in found if why), "")
        if reason:
            reasons[id] = reason
        else:
            fit.append(id)
    return fit, reasons


def _taken(known: Folded[Task], command: c.Submit) -> str:
    """Why that task is not the one that is wished for; '' where it is, or nobody here can tell."""
    if known.frozen:
        return ""
    try:
        TASK.decide(command, known.state)
    except Refused as refusal:
        return str(refusal)
    return ""


def _missing(
    id: str,
    specs: Mapping[str, Spec],
    known: Mapping[str, Folded[Task]],
    unfit: Mapping[str, str],
    reasons: Mapping[str, str],
) -> str:
    """Why nothing can come after that task; '' where something can."""
    if id in reasons or (id in unfit and id not in known):
        return f"it comes after {id}, which is refused"
    if id in known:
        gone = known[id].state.life.status == "archived"
        return f"it comes after {id}, which was deleted or archived" if gone else ""
    return "" if id in specs else f"it comes after {id}, and there is no such task"
