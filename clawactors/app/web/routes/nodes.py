"""Nodes, the skills that they offer, and approvals."""

from itertools import islice
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, get, patch, post
from litestar.params import JSONBody, QueryParameter

from clawactors.app.web.confined import confined_to
from clawactors.app.web.parameters import At, Claw, InPath, Text, as_of, seconds
from clawactors.kernel.errors import InvalidQuery, NotFound
from clawactors.runtime.client.rows import ApprovalRow, NodeRow, Page, SkillRow

__all__ = ["ApprovalRoutes", "NodeRoutes", "SkillRoutes"]


class NodeBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`slots`, and labels that are added to the affinity; an empty value removes its label."""

    slots: int | None = None
    affinity: dict[str, str] | None = None


class NodeRoutes(Controller):
    """Nodes; each change answers with the node after it."""

    path = "/nodes"
    tags = ["nodes"]  # noqa: RUF012 # as litestar declares it

    @get(operation_id="nodes")
    async def nodes(
        self,
        claw: Claw,
        status: Text = "",
        skill: Text = "",
        available: Annotated[bool, QueryParameter(description="with a free slot")] = False,
        silent: Annotated[str, QueryParameter(description="not heard of for so long, as in `30s`")] = "",
        at: At = "",
    ) -> Page[NodeRow]:
        """The nodes, by id."""
        then = as_of(claw, at)
        silent_s = seconds("silent", silent)
        return Page(tuple(await then.nodes(status=status, skill=skill, available=available, silent_s=silent_s)))

    @get("/{id:str}", operation_id="node")
    async def node(self, claw: Claw, id: InPath, at: At = "") -> NodeRow:
        """One node."""
        return await as_of(claw, at).node(id)

    @post("/{id:str}/drain", operation_id="drain", status_code=200)
    async def drain(self, claw: Claw, id: InPath) -> NodeRow:
        """Lets the node finish its tasks and gives it no new ones."""
        return await claw.drain(id)

    @post("/{id:str}/cordon", operation_id="cordon", status_code=200)
    async def cordon(self, claw: Claw, id: InPath) -> NodeRow:
        """Stops placing new tasks on the node."""
        return await claw.cordon(id)

    @post("/{id:str}/uncordon", operation_id="uncordon", status_code=200)
    async def uncordon(self, claw: Claw, id: InPath) -> NodeRow:
        """Places tasks on the node again."""
        return await claw.uncordon(id)

    @post("/{id:str}/remove", operation_id="remove_node", status_code=200)
    async def remove(self, claw: Claw, id: InPath) -> NodeRow:
        """Removes a node that has left."""
        return await claw.remove_node(id)

    @patch("/{id:str}", operation_id="set_node")
    async def set(self, claw: Claw, id: InPath, data: JSONBody[NodeBody]) -> NodeRow:
        """Sets slots, and adds to the affinity."""
        if data.slots is None and data.affinity is None:
            raise InvalidQuery("nothing to set: give slots or affinity")
        return await claw.set_node(id, slots=data.slots, affinity=data.affinity)


class SkillRoutes(Controller):
    """Skills."""

    path = "/skills"
    tags = ["skills"]  # noqa: RUF012 # as litestar declares it

    @get(operation_id="skills_known")
    async def skills(self, claw: Claw, at: At = "") -> Page[SkillRow]:
        """The skills that nodes offer, by name."""
        return Page(tuple(await as_of(claw, at).skills_known()))

    @get("/{name:str}", operation_id="skill")
    async def skill(self, claw: Claw, name: InPath) -> SkillRow:
        """One skill, with its parameters and what follows its failures."""
        for row in await claw.skills_known():
            if row.name == name:
                return row
        raise NotFound(f"no node offers the skill {name[:60]!r}")


class ApprovalRoutes(Controller):
    """What tasks ask people for."""

    path = "/approvals"
    tags = ["approvals"]  # noqa: RUF012 # as litestar declares it

    @get(operation_id="approvals")
    async def approvals(
        self,
        request: Request[Any, Any, Any],
        claw: Claw,
        by: Annotated[str, QueryParameter(description="only what this user may answer")] = "",
        mine: Annotated[bool, QueryParameter(description="only what the one who asks may answer")] = False,
        limit: Annotated[int, QueryParameter(ge=1, le=1000)] = 1000,
        at: At = "",
    ) -> Page[ApprovalRow]:
        """What open tasks ask for, the oldest task first; `POST /tasks/{id}/approve` or `deny` answers it."""
        user = confined_to(request.scope["state"]["asker"])
        asked = 1000 if user else limit
        rows = await as_of(claw, at).approvals(by=claw.principal if mine else by, limit=asked)
        own = (row for row in rows if not user or row.user == user or claw.principal in row.by)
        return Page(tuple(islice(own, limit)))
