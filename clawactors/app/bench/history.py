"""A made-up history of many tasks, to fill views with: several skills, users, nodes, tags, names and errors."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from clawactors.app.projections import CLUSTER
from clawactors.eventlog import Record, subject_of
from clawactors.projections.engine.projector import Projector
from clawactors.systems.tasks import events as te

__all__ = ["BEGAN_NS", "filled_views", "task_records"]

BEGAN_NS: Final = 1_763_720_000_000_000_000
"""The time of its first task, ns since 1970; the others follow 1 ms apart."""
_APART_NS: Final = 1_000_000
_SKILLS: Final = ("echo", "shell", "fetch", "report", "train")
_NODES: Final = tuple(f"n{n}" for n in range(8))
_USERS: Final = 1000
_TOGETHER: Final = 20_000
_HEADERS: Final = b"NATS/1.0\r\nClaw-Commit: 0\r\n\r\n"


def task_records(tasks: int, seed: int = 1) -> Iterator[Record]:
    """The records of so many tasks, in two commits each: 1 in 20 is dead, 1 in 500 still runs, half have names."""
    r, encode, seq = random.Random(seed), te.CODEC.encode, 0  # noqa: S311 # no secret hangs on it
    for number in range(tasks):
        at_ns, id, node = BEGAN_NS + number * _APART_NS, f"t-{number:08x}", r.choice(_NODES)
        skill = _SKILLS[min(len(_SKILLS) - 1, int(r.expovariate(1)))]
        submitted = te.Submitted(
            skill=skill,
            params={"n": number},
            user=f"user-{int(r.random() ** 2 * _USERS)}",
            tags=("nightly",) if r.random() < 0.1 else (),
            name=f"import {number} of customer {r.randrange(500)}" if r.random() < 0.5 else "",
        )
        begun = submitted, te.Scheduled(node=node, incarnation="i1", attempt=1, skill=skill)
        yield Record(seq + 1, at_ns, subject_of("task", id, node), encode(begun), _HEADERS)
        roll, end = r.random(), list[te.TaskEvent]()
        if roll < 0.05:
            error = te.TaskError("timeout" if roll < 0.02 else "network", f"host {r.randrange(50)} refused")
            end.append(te.AttemptFailed(error=error, then="dead"))
        elif roll < 0.998:
            end.append(te.Completed({"ok": True}))
        took_ns = int(r.lognormvariate(17, 1.5))
        yield Record(
            seq + 2, at_ns + took_ns, subject_of("task", id, writer=node), encode((te.Started(), *end)), _HEADERS
        )
        seq += 2


def filled_views(folder: Path, tasks: int) -> Projector:
    """Views of that history in a folder; the caller closes them."""
    projector = Projector.open(CLUSTER, folder, "bench")
    batch: list[Record] = []
    for record in task_records(tasks):
        batch.append(record)
        if len(batch) == _TOGETHER:
            projector.apply_long(batch)
            batch.clear()
    projector.apply_long(batch)
    return projector
