"""What the nodes offer, by skill, with figures of what ran."""

from typing import Any

from clawactors.projections.engine.store import Reading
from clawactors.projections.engine.tally import sums_of
from clawactors.projections.views.nodes import stored_nodes
from clawactors.projections.views.tasks import table as t
from clawactors.projections.views.tasks.rows import BUSY, FAILED, SUBMITTED, SUCCEEDED
from clawactors.systems.placement.limits import announced

__all__ = ["skill_rows"]

_WIDTH = 4


def skill_rows(reading: Reading) -> list[dict[str, Any]]:
    """A row for every skill that a node offers, by name; `nodes` are those that could be given work."""
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
                    "versions": {},
                    "concurrency": limits.get(offer.name),
                    "nodes": [],
                },
            )
            row["versions"].setdefault(offer.version, []).append(stored.id)
            if stored.node.takes_work and not offer.lacks:
                row["nodes"].append(stored.id)
    return [row | _figures(reading, name) for name, row in sorted(rows.items())]


def _figures(reading: Reading, skill: str) -> dict[str, Any]:
    sums = sums_of(reading, t.SKILLS, skill, _WIDTH)
    ended = sums[SUCCEEDED] + sums[FAILED]
    return {
        "submitted": sums[SUBMITTED],
        "succeeded": sums[SUCCEEDED],
        "failed": sums[FAILED],
        "mean_s": round(sums[BUSY] / ended / 1e9, 6) if ended else 0.0,
    }
