"""The identities view: who was invited, has joined or was revoked, by name."""

from functools import partial
from typing import Any, Final

from clawactors.kernel.errors import NotFound
from clawactors.projections.engine.faults import absence
from clawactors.projections.engine.named import NamedTables, NamedView
from clawactors.projections.engine.pages import InvalidQuery
from clawactors.projections.engine.questions import QueryContext, QuestionHandler, ViewQuestion, checked_id
from clawactors.projections.engine.view import ViewDefinition
from clawactors.systems.identities import ROLES, Identity
from clawactors.systems.identities.events import Invitation
from clawactors.systems.identities.row import STATUSES, row

__all__ = ["IDENTITIES_VIEW", "IdentitiesQuestion", "IdentityQuestion"]

_TABLES: Final = NamedTables("identity", "identities", Identity)


class IdentitiesQuestion(ViewQuestion, frozen=True, kw_only=True):
    """Those of a role and a status, '' for any; who was revoked is told where that status is asked for."""

    role: str = ""
    status: str = ""


class IdentityQuestion(ViewQuestion, frozen=True, kw_only=True):
    """One name, also one that was revoked."""

    id: str


def _identities(question: IdentitiesQuestion, context: QueryContext) -> dict[str, Any]:
    role, status = question.role, question.status
    for what, asked, known in (("role", role, ROLES), ("status", status, STATUSES)):
        if asked and asked not in known:
            raise InvalidQuery(f"no {what} is called {asked[:40]!r}; use one of {', '.join(known)}")
    stored = _TABLES.read_all(context.reading)
    rows = (row(each.name, each.version, each.state, context.now_ns) for each in stored)
    return {
        "rows": [
            each
            for each in rows
            if role in ("", each["role"]) and (each["status"] == status if status else each["status"] != "revoked")
        ]
    }


def _identity(question: IdentityQuestion, context: QueryContext) -> dict[str, Any]:
    name = checked_id(question.id)
    found = _TABLES.read(context.reading, name)
    if found is None:
        raise NotFound(absence(context.reading, _TABLES.kind, name))
    return {"row": row(found.name, found.version, found.state, context.now_ns)}


IDENTITIES_VIEW: Final = ViewDefinition(
    make=partial(NamedView, _TABLES),
    stored=(Identity, Invitation),
    questions=(
        QuestionHandler(_TABLES.plural, IdentitiesQuestion, _identities),
        QuestionHandler(_TABLES.kind, IdentityQuestion, _identity),
    ),
)
