"""Prints tasks, nodes, schedules and skills: one as a list of fields, many as a table."""

from collections.abc import Iterable, Iterator
from typing import Any

from clawactors.app.cli.output import Facts, Part, Table, plain, short, when
from clawactors.runtime.client.rows import NodeRow, ScheduleRow, SkillRow, TaskRow, TreeRow
from clawactors.systems.tasks.failures import CLASSES, STRATEGIES
from clawactors.systems.tasks.payload import is_reference, shown_size

__all__ = [
    "node_card",
    "node_table",
    "schedule_card",
    "schedule_table",
    "skill_card",
    "skill_table",
    "task_card",
    "task_table",
    "task_tree",
]


def task_card(row: TaskRow) -> Iterator[Part]:
    """All fields of a task that are set, with its steps below."""
    error = row.error
    yield Facts(
        [
            ("id", row.id),
            ("status", f"{row.status}, cancel requested" if row.cancel_requested else row.status),
            ("waiting for", row.waiting_for),
            ("skill", row.skill),
            ("name", row.name),
            ("description", row.description),
            ("user", row.user),
            ("priority", row.priority),
            ("params", _value(row.params)),
            ("requires", row.requires),
            ("prefers", row.prefers),
            ("affinity", row.affinity),
            ("tags", row.tags),
            ("metadata", short(row.metadata) if row.metadata else ""),
            ("timeout", f"{row.timeout_s:g} s" if row.timeout_s else ""),
            ("node", row.node),
            ("attempt", row.attempt if row.run == 1 else f"{row.attempt} of run {row.run}"),
            ("retries", row.max_retries),
            ("progress", f"{row.progress:g} %"),
            ("result", _value(row.result)),
            ("error", f"{error.kind}: {error.message}" if error else ""),
            ("submitted", when(row.submitted_at)),
            ("scheduled", when(row.scheduled_at)),
            ("started", when(row.started_at)),
            ("completed", when(row.completed_at)),
            ("archived in", row.archived_in or ""),
            ("ended", row.ended or ""),
            ("version", row.version),
            ("needs upgrade", row.needs_upgrade or ""),
        ]
    )
    if row.steps:
        yield ""
        steps = (
            (s.name, s.status, s.attempt, when(s.started_at), when(s.completed_at), s.error or _value(s.result))
            for s in row.steps
        )
        yield Table(("STEP", "STATUS", "ATTEMPT", "STARTED", "COMPLETED", "RESULT"), steps)
    if error and error.traceback and error.traceback.strip() not in f"{error.kind}: {error.message}":
        yield ""
        yield from map(plain, error.traceback.splitlines())


def task_table(rows: Iterable[TaskRow]) -> Iterator[Part]:
    """One line per task."""
    yield Table(
        ("ID", "STATUS", "SKILL", "NODE", "ATTEMPT", "PROGRESS", "SUBMITTED", "NAME"),
        (
            (
                row.id,
                row.status,
                row.skill,
                row.node,
                row.attempt,
                f"{row.progress:g}%",
                when(row.submitted_at),
                row.name,
            )
            for row in rows
        ),
        uncut=("ID", "NODE"),
    )


def task_tree(rows: Iterable[TreeRow]) -> Iterator[Part]:
    """One line per task, children indented below their parent."""
    yield Table(
        ("ID", "STATUS", "SKILL", "PROGRESS", "NAME", "ERROR"),
        (
            ("  " * row.level + row.id, row.status, row.skill, f"{row.progress:g}%", row.name, row.error or "")
            for row in rows
        ),
        uncut=("ID",),
    )


def node_card(row: NodeRow) -> Iterator[Part]:
    """All known fields of a node."""
    yield Facts(
        [
            ("id", row.id),
            ("status", row.status),
            ("reason", row.reason),
            ("slots", row.slots),
            ("running", row.running),
            ("skills", row.skills),
            ("affinity", row.affinity),
            ("host", row.hostname),
            ("platform", f"{row.platform} {row.arch}"),
            ("pid", row.pid),
            ("ip", row.ip),
            ("overlay ip", row.overlay_ip),
            ("cpu", _percent(row.cpu)),
            ("memory", _percent(row.memory)),
            ("disk", _percent(row.disk)),
            ("incarnation", row.incarnation),
            ("processed", row.processed),
            ("succeeded", row.succeeded),
            ("failed", row.failed),
            ("mean", f"{row.mean_s:g} s" if row.processed else ""),
            ("registered", when(row.registered_at)),
            ("heartbeat", when(row.last_heartbeat_at)),
        ]
    )


def node_table(rows: Iterable[NodeRow]) -> Iterator[Part]:
    """One line per node."""
    yield Table(
        ("ID", "STATUS", "SLOTS", "RUNNING", "CPU", "MEMORY", "PROCESSED", "FAILED", "HOST", "HEARTBEAT"),
        (
            (
                row.id,
                row.status,
                row.slots,
                row.running,
                _percent(row.cpu),
                _percent(row.memory),
                row.processed,
                row.failed,
                row.hostname,
                when(row.last_heartbeat_at),
            )
            for row in rows
        ),
    )


def schedule_card(row: ScheduleRow) -> Iterator[Part]:
    """All fields of a schedule that are set."""
    yield Facts(
        [
            ("name", row.name),
            ("status", row.status),
            ("cron", f"{row.cron} ({row.zone})"),
            ("catch-up", row.catch_up),
            ("skill", row.skill),
            ("params", short(row.params)),
            ("user", row.user),
            ("priority", row.priority),
            ("tags", row.tags),
            ("next", when(row.next_at)),
            ("last", when(row.last_at)),
            ("last task", row.last_task),
            ("fired", row.fired),
            ("version", row.version),
        ]
    )


def schedule_table(rows: Iterable[ScheduleRow]) -> Iterator[Part]:
    """One line per schedule."""
    yield Table(
        ("NAME", "STATUS", "CRON", "ZONE", "SKILL", "NEXT", "LAST TASK", "FIRED"),
        (
            (row.name, row.status, row.cron, row.zone, row.skill, when(row.next_at), row.last_task, row.fired)
            for row in rows
        ),
        uncut=("NAME", "LAST TASK"),
    )


def skill_card(row: SkillRow) -> Iterator[Part]:
    """All fields of a skill, its own rules for errors, and those for all skills."""
    yield Facts(
        [
            ("name", row.name),
            ("description", row.description),
            ("parameters", [*map(_parameter, row.parameters), *(["…"] if row.open else [])]),
            ("versions", ", ".join(row.versions)),
            ("nodes", row.nodes),
            ("limit", row.concurrency),
            ("submitted", row.submitted),
            ("succeeded", row.succeeded),
            ("failed", row.failed),
            ("recover", row.recover),
            ("mean", f"{row.mean_s:g} s" if row.succeeded else ""),
        ]
    )
    yield ""
    own = ((when, *what.split(", ")) for when, _, what in (rule.rpartition(": ") for rule in row.errors))
    general = ((CLASSES[kind], kind, strategy) for kind, strategy in STRATEGIES.items())
    yield Table(("EXCEPTIONS", "CLASS", "STRATEGY"), (*own, *general), uncut=("EXCEPTIONS",))


def skill_table(rows: Iterable[SkillRow]) -> Iterator[Part]:
    """One line per skill."""
    yield Table(
        ("SKILL", "PARAMETERS", "NODES", "LIMIT", "SUBMITTED", "FAILED", "DESCRIPTION"),
        (
            (
                row.name,
                [*map(_parameter, row.parameters), *(["…"] if row.open else [])],
                row.nodes,
                row.concurrency or "none",
                row.submitted,
                row.failed,
                row.description,
            )
            for row in rows
        ),
        uncut=("SKILL", "NODES"),
    )


def _parameter(parameter: dict[str, Any]) -> str:
    mark = "" if parameter.get("required", True) else "?"
    return f"{parameter['name']}{mark}: {parameter.get('type', 'any')}"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.0f} %"


def _value(value: Any) -> str:
    if not is_reference(value):
        return short(value)
    size_bytes = value.get("bytes")
    return f"{shown_size(size_bytes) if isinstance(size_bytes, int) else '?'}, by reference (--full shows it)"
