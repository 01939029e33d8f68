"""The projection that people ask: tasks, nodes, schedules and what could not be folded, in one store.

`VIEWS` is the one list of views: a new view adds a line here and is found by the projector and by questions.
"""

import hashlib
import sys
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from clawactors.kernel.kind import Kinds
from clawactors.projections.engine.digest import digest_question
from clawactors.projections.engine.faults import Faults
from clawactors.projections.engine.view import Projection, View, ViewDefinition, questions_of
from clawactors.projections.views.alarms import ALARMS_VIEW
from clawactors.projections.views.backups import BACKUPS_VIEW
from clawactors.projections.views.bridges import BRIDGES_VIEW
from clawactors.projections.views.erasures import ERASURES_VIEW, last_erasure
from clawactors.projections.views.faults import FAULTS_VIEW
from clawactors.projections.views.identities import IDENTITIES_VIEW
from clawactors.projections.views.keys import KEYS_VIEW
from clawactors.projections.views.nodes.questions import NODES_VIEW
from clawactors.projections.views.schedules import SCHEDULES_VIEW
from clawactors.projections.views.settings import SETTINGS_VIEW
from clawactors.projections.views.skills import SKILLS_VIEW
from clawactors.projections.views.status import STATUS_VIEW
from clawactors.projections.views.tasks.questions import TASKS_VIEW
from clawactors.projections.views.triggers import TRIGGERS_VIEW
from clawactors.projections.views.workflows import WORKFLOWS_VIEW

__all__ = ["REVISION", "VIEWS", "cluster_projection"]

REVISION: Final = 7
"""Raised by hand when a fold or a key changes; a change of the stored structs is noticed by itself."""

VIEWS: Final[tuple[ViewDefinition, ...]] = (
    TASKS_VIEW,
    NODES_VIEW,
    SCHEDULES_VIEW,
    TRIGGERS_VIEW,
    WORKFLOWS_VIEW,
    BACKUPS_VIEW,
    ALARMS_VIEW,
    BRIDGES_VIEW,
    ERASURES_VIEW,
    SETTINGS_VIEW,
    KEYS_VIEW,
    IDENTITIES_VIEW,
    SKILLS_VIEW,
    STATUS_VIEW,
    FAULTS_VIEW,
)


def cluster_projection(kinds: Kinds, definitions: Sequence[ViewDefinition] = VIEWS) -> Projection:
    """The projection of those views, on the kinds that they fold."""

    def views() -> Sequence[View]:
        faults = Faults()
        return [*(each.make(kinds, faults) for each in definitions if each.make is not None), faults]

    made = views()
    codecs = {view.kind: kinds[view.kind].codec for view in made if view.kind}
    projection = Projection(
        name="cluster",
        patterns=tuple(kinds[kind].pattern for kind in codecs),
        tables=tuple(table for view in made for table in view.tables),
        schema=_schema(definitions),
        tags=_digest({kind: sorted(codec.tags) for kind, codec in sorted(codecs.items())}),
        views=views,
        kinds=kinds,
        questions=questions_of(definitions),
    )
    if ERASURES_VIEW in definitions:
        projection = msgspec.structs.replace(projection, renewed_at=last_erasure)
    return projection.asked(digest_question(projection))


def _schema(definitions: Sequence[ViewDefinition]) -> str:
    """A name for all that the bytes of rows depend on, reasons of faults included."""
    stored = [(kind.__name__, kind.__struct_encode_fields__) for each in definitions for kind in each.stored]
    return _digest((REVISION, stored, msgspec.__version__, sys.version_info[:2]))


def _digest(parts: Any) -> str:
    return hashlib.blake2b(repr(parts).encode(), digest_size=8).hexdigest()
