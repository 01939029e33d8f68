"""The projection that everybody asks: tasks, nodes, schedules and what could not be folded, in one store."""

import hashlib
import sys
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from clawactors.kinds import DECODER
from clawactors.projections.engine.faults import Faults
from clawactors.projections.engine.view import Projection, View
from clawactors.projections.views.nodes import Nodes, new_work
from clawactors.projections.views.schedules import Schedules
from clawactors.projections.views.tasks.view import Tasks
from clawactors.systems.nodes import Node
from clawactors.systems.nodes.events import Machine, NodeJoined, Offer, Parameter
from clawactors.systems.schedules import Schedule
from clawactors.systems.schedules.events import SchedulePlan
from clawactors.systems.tasks import Entry, TaskStatus
from clawactors.systems.tasks.events import Submitted, TaskError

__all__ = ["CLUSTER", "REVISION"]

REVISION: Final = 2
"""Raised by hand when a fold or a key changes; a change of the stored structs is noticed by itself."""

_STORED: Final = (
    Submitted,
    TaskStatus,
    Entry,
    TaskError,
    Node,
    NodeJoined,
    Offer,
    Parameter,
    Machine,
    Schedule,
    SchedulePlan,
)


def _views() -> Sequence[View]:
    work, faults = new_work(), Faults()
    return Tasks(work, faults), Nodes(work, faults), Schedules(faults), faults


def _schema() -> str:
    """A name for all that the bytes of rows depend on, reasons of faults included."""
    shapes = [(kind.__name__, kind.__struct_encode_fields__) for kind in _STORED]
    parts: tuple[Any, ...] = (REVISION, shapes, msgspec.__version__, sys.version_info[:2])
    return hashlib.blake2b(repr(parts).encode(), digest_size=8).hexdigest()


def _tags() -> str:
    tags = {kind: sorted(codec.tags) for kind, codec in DECODER.codecs.items()}
    return hashlib.blake2b(repr(sorted(tags.items())).encode(), digest_size=8).hexdigest()


CLUSTER: Final = Projection(
    name="cluster",
    patterns=("claw.task.>", "claw.node.>", "claw.schedule.>"),
    tables=tuple(table for view in _views() for table in view.tables),
    schema=_schema(),
    tags=_tags(),
    views=_views,
)
