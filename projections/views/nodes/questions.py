"""Questions about nodes: one, and lists of them, with the figures of their last heartbeats.

Heartbeats expire, so they are in no view: they are joined when a question is asked.
"""

from collections.abc import Iterator
from typing import Any, Final

from clawactors.kernel.errors import NotFound
from clawactors.projections.engine.faults import absence
from clawactors.projections.engine.pages import InvalidQuery, checked_silence_ns, page_by_name
from clawactors.projections.engine.questions import QueryContext, QuestionHandler, ViewQuestion, checked_id
from clawactors.projections.engine.view import ViewDefinition
from clawactors.projections.views.nodes.view import NodesView, StoredNode, load_node, nodes_with, stored_nodes
from clawactors.projections.views.tasks.sums import work_of
from clawactors.systems.nodes import Node
from clawactors.systems.nodes.events import Machine, NodeJoined, Offer, Parameter
from clawactors.systems.nodes.row import row

__all__ = ["NODES_VIEW", "NODE_STATUSES", "NodeQuestion", "NodesQuestion", "node_counts"]

NODE_STATUSES: Final = ("online", "busy", "draining", "cordoned", "offline")
"""The states of nodes in rows."""


class NodesQuestion(ViewQuestion, frozen=True, kw_only=True):
    """Nodes by id. `available`: takes work and has a free slot; `silent_s`: not declared dead, but its last
    heartbeat is older.
    """

    status: str = ""
    skill: str = ""
    available: bool = False
    silent_s: float | None = None
    limit: int = 1000
    cursor: str = ""


class NodeQuestion(ViewQuestion, frozen=True, kw_only=True):
    """One node."""

    id: str


def node_counts(context: QueryContext) -> dict[str, int]:
    """How many nodes are in each state."""
    counts = dict.fromkeys(NODE_STATUSES, 0)
    for stored in stored_nodes(context.reading):
        counts[_row(stored, context)["status"]] += 1
    return counts


def _nodes(question: NodesQuestion, context: QueryContext) -> dict[str, Any]:
    if question.status and question.status not in NODE_STATUSES:
        raise InvalidQuery(f"there is no node status {question.status!r}; use one of {', '.join(NODE_STATUSES)}")
    return page_by_name(_found(question, context), "id", question, question.cursor, question.limit)


def _found(question: NodesQuestion, context: QueryContext) -> Iterator[dict[str, Any]]:
    status, skill, silence_ns = question.status, question.skill, checked_silence_ns(question.silent_s)
    for stored in _candidates(question, context):
        columns = _row(stored, context)
        if (
            (not status or columns["status"] == status)
            and (not skill or skill in columns["skills"])
            and (not question.available or columns["status"] == "online")
            and (silence_ns is None or _is_silent(stored, silence_ns, context))
        ):
            yield columns


def _candidates(question: NodesQuestion, context: QueryContext) -> Iterator[StoredNode]:
    """The nodes on the shortest list that the question names."""
    if question.available or question.status == "busy":
        return nodes_with(context.reading, status="online")
    if question.status:
        return nodes_with(context.reading, status=question.status)
    if question.skill:
        return nodes_with(context.reading, skill=question.skill)
    return stored_nodes(context.reading)


def _node(question: NodeQuestion, context: QueryContext) -> dict[str, Any]:
    id = checked_id(question.id)
    stored = load_node(context.reading, id)
    if stored is None or stored.node.status == "removed":
        raise NotFound(absence(context.reading, "node", id))
    return {"row": _row(stored, context)}


def _row(stored: StoredNode, context: QueryContext) -> dict[str, Any]:
    return row(stored.id, stored.node, work_of(context.reading, stored.id), context.heartbeat(stored.id))


def _is_silent(stored: StoredNode, silence_ns: int, context: QueryContext) -> bool:
    beat = context.heartbeat(stored.id)
    heard_ns = beat.at_ns if beat and beat.incarnation == stored.node.incarnation else stored.node.updated_ns
    return stored.node.alive and context.now_ns - heard_ns > silence_ns


NODES_VIEW: Final = ViewDefinition(
    make=NodesView,
    stored=(Node, NodeJoined, Offer, Parameter, Machine),
    questions=(
        QuestionHandler("nodes", NodesQuestion, _nodes),
        QuestionHandler("node", NodeQuestion, _node, quick=True),
    ),
)
