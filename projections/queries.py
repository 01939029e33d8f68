"""Answers from the views: a question's bytes in, the answer's bytes out, from one moment of the store.

Heartbeats are joined here, through `pulse`; they are in no view. A wrong question gets an error, never an exception.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from clawactors.eventlog import EventLogError, Unavailable, is_id
from clawactors.kernel.errors import NotFound, Refused
from clawactors.projections import messages as m
from clawactors.projections.engine import faults as f
from clawactors.projections.engine.keys import LAST, PLACE_BYTES, number, place
from clawactors.projections.engine.pages import InvalidQuery, checked_limit, cursor_key, page, trimmed
from clawactors.projections.engine.projector import State, state_of
from clawactors.projections.engine.replay import digest
from clawactors.projections.engine.store import Reading, Store
from clawactors.projections.engine.tally import sums
from clawactors.projections.views import nodes as n
from clawactors.projections.views import schedules as s
from clawactors.projections.views.skills import skill_rows
from clawactors.projections.views.tasks import table as t
from clawactors.projections.views.tasks.selection import Filter, pending, select
from clawactors.systems.nodes.row import Heartbeat
from clawactors.systems.nodes.row import row as node_row
from clawactors.systems.schedules.row import row as schedule_row
from clawactors.systems.tasks import STATUSES
from clawactors.systems.tasks.row import row as task_row

__all__ = ["NODE_STATUSES", "Queries", "problem", "read_question"]

NODE_STATUSES: Final = ("online", "busy", "draining", "cordoned", "offline")
"""The states of nodes in rows."""

type _Reply = dict[str, Any]
_encode = msgspec.json.Encoder().encode


def read_question[Q](kinds: Mapping[str, type[Q]], name: str, body: bytes, about: str = "") -> Q:
    """The question of that name; `about` is what the subjects of its kinds begin with. Raises: `InvalidQuery`."""
    kind = kinds.get(name)
    if kind is None:
        raise InvalidQuery(f"there is no question {about}{name!r}; ask one of {', '.join(kinds)}")
    try:
        return msgspec.json.decode(body or b"{}", type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidQuery(f"not a question: {error}") from None


class Queries:
    """`store` gives the live store, `pulse` the last heartbeat of a node, `now_ns` the time for `silent_s`."""

    def __init__(
        self, store: Callable[[], Store], pulse: Callable[[str], Heartbeat | None], now_ns: Callable[[], int]
    ) -> None:
        self._store, self._pulse, self._now_ns = store, pulse, now_ns

    def read(self, name: str, body: bytes) -> m.Question:
        """The question that arrived on `claw.query.<name>`. Raises: `InvalidQuery`."""
        return read_question(m.QUESTIONS, name, body)

    def answer(self, question: m.Question) -> bytes:
        """The encoded answer. Raises: `Refused`, `NotFound`, `Unavailable`, `Corrupt`."""
        store = self._store()
        with store.snapshot() as reading:
            state = state_of(reading)
            if state is None:
                raise Unavailable("the views are being built")
            return _encode(self._reply(question, reading, state, store) | {"position": state.position})

    def reply(self, name: str, body: bytes) -> bytes:
        """The encoded answer or error; it never raises for what was asked."""
        try:
            return self.answer(self.read(name, body))
        except (Refused, NotFound, EventLogError, RecursionError) as error:
            return problem(error)

    def _reply(self, question: m.Question, reading: Reading, state: State, store: Store) -> _Reply:
        match question:
            case m.TasksQuestion():
                return self._tasks(question, reading)
            case m.TaskQuestion(id=id):
                key = t.find(reading, _checked(id))
                if key is None:
                    raise NotFound(_absent(reading, "task", id))
                return {"row": msgspec.Raw(trimmed(_row(t.load(reading, key), reading)))}
            case m.PendingQuestion():
                above = cursor_key(question.cursor, "pending")
                rows = ((at, _row(stored, reading)) for at, stored in pending(reading, above))
                return _page(rows, question.limit, "pending")
            case m.NodesQuestion():
                return _named(self._nodes(question, reading), "id", question)
            case m.NodeQuestion(id=id):
                node = n.load_node(reading, _checked(id))
                if node is None or node.node.status == "removed":
                    raise NotFound(_absent(reading, "node", id))
                return {"row": self._node_row(node, reading)}
            case m.SkillsQuestion():
                return _named(skill_rows(reading), "name", question)
            case m.SchedulesQuestion():
                return {"rows": [_schedule(each) for each in s.stored_schedules(reading) if each.schedule.exists]}
            case m.ScheduleQuestion(id=id):
                schedule = s.load_schedule(reading, _checked(id))
                if schedule is None or not schedule.schedule.exists:
                    raise NotFound(_absent(reading, "schedule", id))
                return {"row": _schedule(schedule)}
            case m.StatusQuestion():
                return self._status(reading) | {"events": state.events, "size_bytes": store.size_bytes}
            case m.FaultsQuestion():
                return _faults(reading, question.limit)
            case m.DigestQuestion():
                return {"identity": state.identity, "digest": digest(reading, views=question.views)}
            case _:
                raise InvalidQuery("there is no such question")

    def _tasks(self, question: m.TasksQuestion, reading: Reading) -> _Reply:
        wanted = Filter(**{name: getattr(question, name) for name in Filter.__struct_fields__})
        if unknown := set(wanted.status) - set(STATUSES):
            raise InvalidQuery(f"there is no status {min(unknown)!r}; use one of {', '.join(STATUSES)}")
        mark = f"tasks {wanted!r}"
        key = cursor_key(question.cursor, mark)
        below = place(max(0, number(key[:PLACE_BYTES]) - 1)) if key else LAST
        return _page(((stored.key, _row(stored, reading)) for stored in select(reading, wanted, below)),
                     question.limit, mark)  # fmt: skip

    def _nodes(self, question: m.NodesQuestion, reading: Reading) -> Iterator[_Reply]:
        status, skill = question.status, question.skill
        if status and status not in NODE_STATUSES:
            raise InvalidQuery(f"there is no node status {status!r}; use one of {', '.join(NODE_STATUSES)}")
        if question.available or status == "busy":
            found = n.nodes_with(reading, status="online")
        elif status:
            found = n.nodes_with(reading, status=status)
        elif skill:
            found = n.nodes_with(reading, skill=skill)
        else:
            found = n.stored_nodes(reading)
        for stored in found:
            row = self._node_row(stored, reading)
            if (
                (not status or row["status"] == status)
                and (not skill or skill in row["skills"])
                and (not question.available or row["status"] == "online")
                and (question.silent_s is None or self._is_silent(stored, question.silent_s))
            ):
                yield row

    def _is_silent(self, stored: n.StoredNode, silent_s: float) -> bool:
        pulse = self._pulse(stored.id)
        heard_ns = pulse.at_ns if pulse and pulse.incarnation == stored.node.incarnation else stored.node.updated_ns
        return stored.node.alive and self._now_ns() - heard_ns > silent_s * 1e9

    def _node_row(self, stored: n.StoredNode, reading: Reading) -> _Reply:
        return node_row(stored.id, stored.node, n.work_of(reading, stored.id), self._pulse(stored.id))

    def _status(self, reading: Reading) -> _Reply:
        tasks = dict.fromkeys(STATUSES, 0) | {status: count for status, (count,) in sums(reading, t.COUNTS)}
        nodes = dict.fromkeys(NODE_STATUSES, 0)
        for stored in n.stored_nodes(reading):
            nodes[self._node_row(stored, reading)["status"]] += 1
        faults = sum(count.count for count in f.counts(reading))
        return {"tasks": tasks, "nodes": nodes, "needs_upgrade": reading.count(f.FROZEN), "faults": faults}


def problem(error: Exception) -> bytes:
    """The error as an answer."""
    match error:
        case InvalidQuery():
            code, hint = "usage", ""
        case NotFound():
            code, hint = "not_found", ""
        case Refused() | RecursionError():
            code, hint = "refused", ""
        case Unavailable():
            code, hint = "unavailable", "try again in a moment"
        case _:
            code, hint = "unavailable", "build the views anew: claw replay"
    return _encode(m.ErrorReply(m.Problem(code, str(error), hint)))


def _page(rows: Iterator[tuple[bytes, _Reply]], limit: int, mark: str) -> _Reply:
    taken, cursor = page(rows, limit, mark)
    return {"rows": taken, "cursor": cursor}


def _named(rows: Iterable[_Reply], name: str, question: m.NodesQuestion | m.SkillsQuestion) -> _Reply:
    """A page of rows that come in the order of their names."""
    mark = repr(msgspec.structs.replace(question, cursor="", fresh=False, limit=1))
    after = cursor_key(question.cursor, mark).decode("utf-8", "replace")
    keyed = ((row[name].encode(), row) for row in rows if not after or row[name] > after)
    return _page(keyed, question.limit, mark)


def _row(stored: t.StoredTask, reading: Reading) -> _Reply:
    """The task's row; `needs_upgrade` only where it is frozen, `omitted` only where something is left out."""
    row = task_row(stored.id, stored.version, stored.task)
    if stored.omitted:
        row["omitted"] = ["steps"]
    if (frozen := f.frozen_of(reading, "task", stored.id)) is not None:
        row["needs_upgrade"] = frozen.reason
    return row


def _schedule(stored: s.StoredSchedule) -> _Reply:
    return schedule_row(stored.name, stored.version, stored.schedule)


def _checked(id: str) -> str:
    if not is_id(id):
        raise InvalidQuery("an id has 1 to 128 of the characters A-Z a-z 0-9 _ -")
    return id


def _absent(reading: Reading, kind: str, id: str) -> str:
    frozen = f.frozen_of(reading, kind, id)
    return f"{kind} {id} needs a newer release: {frozen.reason}" if frozen else f"there is no {kind} {id}"


def _faults(reading: Reading, limit: int) -> _Reply:
    checked_limit(limit)
    frozen = (
        {"kind": kind, "id": id, "seq": since.seq, "reason": since.reason}
        for kind in ("task", "node", "schedule")
        for id, since in f.frozen(reading, kind)
    )
    listed = [row for row, _ in zip(frozen, range(limit), strict=False)]
    return {"faults": f.counts(reading), "frozen": listed}
