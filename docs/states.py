"""Derives the transition tables of tasks, nodes and identities from `evolve`, and writes `states.md` beside this file.

Run `python docs/states.py` from the repository root after a change of the rules; a test holds that it was done.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any, get_args

PAGE = Path(__file__).with_suffix(".md")
sys.path.insert(0, str(PAGE.parent.parent))

from msgspec.structs import replace  # noqa: E402

from clawactors.systems.identities import IDENTITY, Identity  # noqa: E402
from clawactors.systems.identities import events as ie  # noqa: E402
from clawactors.systems.nodes import NODE, Node  # noqa: E402
from clawactors.systems.nodes import events as ne  # noqa: E402
from clawactors.systems.nodes.decider import Presence  # noqa: E402
from clawactors.systems.tasks import STATUSES, TASK, Entry, Journal, Task, TaskStatus  # noqa: E402
from clawactors.systems.tasks import events as te  # noqa: E402
from clawactors.systems.tasks.approvalevents import Approval  # noqa: E402
from clawactors.systems.tasks.task import Undoing  # noqa: E402

type Table = Mapping[str, Mapping[str, tuple[str, ...]]]
"""Tag of an event → status before it → every status that may follow. What is not in it is illegal."""

ABSENT = "absent"
IDENTITY_STATUSES = ("invited", "joined", "revoked")
_NOW_NS = 1000
_KEY, _OTHER_KEY = (f"U{letter * 55}" for letter in "AB")


def task_table() -> Table:
    """What every event of a task does in every status."""
    return _table(TASK.evolve, _tasks(), _task_events(), STATUSES)


def node_table() -> Table:
    """What every event of a node does in every status."""
    return _table(NODE.evolve, _nodes(), _node_events(), get_args(Presence.__value__)[1:])


def identity_table() -> Table:
    """What every event of an identity does in every status."""
    return _table(IDENTITY.evolve, _identities(), _identity_events(), IDENTITY_STATUSES)


def _table(evolve: Any, states: Iterable[tuple[str, Any]], events: Iterable[Any], statuses: Iterable[str]) -> Table:
    order = (ABSENT, *statuses)
    found: dict[str, dict[str, set[str]]] = {}
    known = list(states)
    for event in events:
        row = found.setdefault(event.__struct_config__.tag, {})
        for status, state in known:
            after = evolve(state, event, _NOW_NS)
            if after is not state:
                row.setdefault(status, set()).add(_status(after))
    return {
        tag: {status: tuple(sorted(row[status], key=order.index)) for status in sorted(row, key=order.index)}
        for tag, row in found.items()
    }


def _status(state: Task | Node | Identity) -> str:
    return state.life.status if isinstance(state, Task) else state.status


def _tasks() -> Iterator[tuple[str, Task]]:
    yield ABSENT, Task()
    done = Journal([Entry("step", "completed", 1, 1)])
    waits = te.Submitted(skill="echo", not_before_ns=_NOW_NS + 1)
    after = te.Submitted(skill="echo", after=("t-1",))
    for status, asked, journal in product(STATUSES, (False, True), (Journal(), done)):
        life = TaskStatus(status=status, cancel_requested=asked, node="n1", incarnation="i1", attempt=1)
        yield status, Task(waits, life, journal)
        yield status, Task(waits, replace(life, resumes_to="waiting", waiting_for="dependency"), journal)
        yield status, Task(waits, replace(life, resumes_to="blocked", waiting_for="timer"), journal)
        yield status, Task(waits, replace(life, waiting_for="fork"), journal)
        yield status, Task(waits, replace(life, approvals=(Approval(name="sure", question="?"),)), journal)
        yield status, Task(waits, replace(life, undoable=1), journal)
        yield status, Task(waits, replace(life, undo=Undoing("failed")), journal)
        yield status, Task(waits, replace(life, waiting_for="timer", attempt=0), journal)
        yield status, Task(after, replace(life, waiting_for="dependency"), journal)
        if status in ("waiting", "pending"):
            yield status, Task(waits, replace(life, parked=True))
        if status != "dead":  # to which only attempts lead
            yield status, Task(after, replace(life, attempt=0), journal)


def _task_events() -> Iterator[te.TaskEvent]:
    yield from (te.Submitted(skill="echo"), te.Submitted(skill="echo", after=("t",)), te.Readied())
    yield from (te.Scheduled(node="n1", incarnation="i1", attempt=2, skill="echo"), te.Started(), te.Returned())
    yield from (te.StepStarted("step"), te.StepCompleted("step"), te.StepFailed("step"), te.StepCompensated("step"))
    yield from (te.StepUndoFailed("step"), te.Compensating("failed"))
    yield from (te.Waiting("timer"), te.Unparked(), te.Interrupted("gone"), te.Interrupted("gone", dead=True))
    for then in get_args(te.Outcome.__value__):
        yield te.AttemptFailed(error=te.TaskError("unknown", ""), then=then)
    yield from (te.Completed(), te.Continued(run=2), te.Continued(run=2, idle=True))
    yield from (te.CancelRequested(), te.Cancelled(), te.Paused(), te.Resumed())
    yield from (
        te.Waiting("dependency"),
        te.Blocked("why"),
        te.Unblocked(),
        te.Retried(),
        te.Signalled("go"),
        te.TaskArchived(),
        te.TaskArchived(file="f-1", first=1, skill="echo"),
    )
    yield from (te.Edited(skill="echo"), te.Edited(skill="echo", not_before_ns=_NOW_NS + 1), te.Deleted())
    yield from (
        te.Expired(te.TaskError("timeout", "")),
        te.Forked((te.InheritedStep("step"),)),
        te.ForkMade("t-2", "step"),
        te.ApprovalAsked(name="other", question="?"),
        te.ApprovalAnswered("sure", approved=True),
        te.ApprovalWithdrawn("sure"),
        te.Recalled(("m-1",)),
    )


def _nodes() -> Iterator[tuple[str, Node]]:
    yield ABSENT, Node()
    joined = ne.NodeJoined(incarnation="i1")
    for status in get_args(Presence.__value__)[1:]:
        yield status, Node(status=status, joined=joined)
        yield status, Node(status=status, joined=joined, returns_to="draining")
        yield status, Node(status=status, joined=joined, returns_to="cordoned")
        yield status, Node(status=status, joined=joined, left=True)


def _node_events() -> Iterator[ne.NodeEvent]:
    yield from (
        ne.NodeJoined(incarnation="i2"),
        ne.NodeLeft("i1"),
        ne.NodeLost("i1"),
        ne.NodeReturned("i1"),
        ne.NodeDrained(),
    )
    yield from (ne.NodeCordoned(), ne.NodeUncordoned(), ne.NodeConfigured(slots=9), ne.NodeRemoved())


def _identities() -> Iterator[tuple[str, Identity]]:
    yield ABSENT, Identity()
    for uses in (1, 2):
        invited = Identity(ie.Invitation(role="node", sha256="", expires_ns=1, uses=uses), role="node")
        yield "invited", invited
        yield "joined", replace(invited, public_key=_KEY)
        yield "revoked", replace(invited, revoked_ns=_NOW_NS)


def _identity_events() -> Iterator[ie.IdentityEvent]:
    yield ie.IdentityInvited(role="node", sha256="", expires_ns=1)
    yield ie.IdentityJoined(role="node", public_key=_OTHER_KEY)
    yield ie.IdentityJoined(role="node", public_key=_OTHER_KEY, invitation="others")
    yield from (ie.IdentityUsed("one-1", _OTHER_KEY), ie.IdentityRenewed(_OTHER_KEY), ie.IdentityRevoked())


def markdown(table: Table, statuses: Iterable[str]) -> str:
    """The table with an event a row and a status a column."""
    columns = (ABSENT, *statuses)
    lines = ["| event | " + " | ".join(columns) + " |", "| --- |" + " --- |" * len(columns)]
    for tag, row in table.items():
        cells = (" / ".join("same" if to == before else to for to in row.get(before, ())) for before in columns)
        lines.append(f"| `{tag}` | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def page() -> str:
    """The whole of `states.md`."""
    return f"""# States

Derived from `evolve` by `docs/states.py`; a test holds that they agree. A column is the status before the event, a cell
the status after it. An empty cell: the event is illegal there, so it changes nothing and is counted.

## Tasks

{markdown(task_table(), STATUSES)}

`task.scheduled` is legal for the next attempt alone, `task.cancelled` only after `task.cancel_requested`, `task.paused`
only before it. A step is completed once; in `paused` only the one that ran when the pause came. `task.edited` is legal
before the first attempt, `task.forked` while the task waits for its steps. `task.ready` and `task.waiting` (for its
predecessors, again) are legal in `blocked` where a predecessor without a result is the reason; `task.retried` makes a
task that ended before its first attempt wait for its predecessors again. `task.approval_answered` and
`task.approval_withdrawn` are legal while the approval that they name is open. `task.continued` is legal
for the next run alone.

## Nodes

{markdown(node_table(), get_args(Presence.__value__)[1:])}

`node.joined` brings another incarnation; `node.left`, `node.lost` and `node.returned` count for the present one alone.
A node that left in good order does not return, it joins anew.

## Identities

{markdown(identity_table(), IDENTITY_STATUSES)}

`identity.joined` names the invitation of another name that has admitted it: legal in `absent` and `revoked` alone.
Without one it is legal in `invited`, for an invitation with one use. `identity.used` is for those with several, which
stay `invited`. A key that was replaced or revoked never counts again. An invitation expires without an event.
"""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
