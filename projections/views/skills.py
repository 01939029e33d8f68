"""Skills: which nodes offer them, and figures of their runs."""

from typing import Any, Final

from clawactors.projections.engine.pages import page_by_name
from clawactors.projections.engine.questions import QueryContext, QuestionHandler, ViewQuestion
from clawactors.projections.engine.store import Reading
from clawactors.projections.engine.view import ViewDefinition
from clawactors.projections.views.nodes.view import stored_nodes
from clawactors.projections.views.tasks.sums import skill_figures
from clawactors.systems.placement.limits import announced

__all__ = ["SKILLS_VIEW", "SkillsQuestion", "skill_rows"]


def skill_rows(reading: Reading) -> list[dict[str, Any]]:
    """A row for every skill that a node offers, by name; `nodes` are those that take work."""
    rows: dict[str, dict[str, Any]] = {}
    nodes = list(stored_nodes(reading))
    limits = announced(stored.node for stored in nodes)
    for stored in nodes:
        for offer in stored.node.joined.offers:
            row = rows.setdefault(
                offer.name,
                {
                    "name": offer.name,
                    "description": offer.description,
                    "parameters": offer.parameters,
                    "open": offer.open,
                    "errors": offer.errors,
                    "recover": offer.recover,
                    "versions": {},
                    "concurrency": limits.get(offer.name),
                    "nodes": [],
                },
            )
            row["versions"].setdefault(offer.version, []).append(stored.id)
            if stored.node.takes_work and not offer.lacks:
                row["nodes"].append(stored.id)
    return [row | skill_figures(reading, name) for name, row in sorted(rows.items())]


class SkillsQuestion(ViewQuestion, frozen=True, kw_only=True):
    """The skills that nodes offer, by name, with figures of their runs."""

    limit: int = 1000
    cursor: str = ""


def _skills(question: SkillsQuestion, context: QueryContext) -> dict[str, Any]:
    return page_by_name(skill_rows(context.reading), "name", question, question.cursor, question.limit)


SKILLS_VIEW: Final = ViewDefinition(questions=(QuestionHandler("skills", SkillsQuestion, _skills),))
