"""Machines and people who may connect: `/api/v1/identities`."""

from litestar import Controller, Response, delete, get

from clawactors.app.web.answers import versioned
from clawactors.app.web.parameters import Claw, InPath, Text
from clawactors.runtime.client.identities import IdentityRow
from clawactors.runtime.client.rows import Page

__all__ = ["IdentityRoutes"]


class IdentityRoutes(Controller):
    """Machines and people; they need the scope `admin`. Who is invited gets the line of `claw invite`."""

    path = "/identities"
    tags = ["identities"]  # noqa: RUF012 # as litestar declares it

    @get(operation_id="identities.list")
    async def identities(self, claw: Claw, role: Text = "", status: Text = "") -> Page[IdentityRow]:
        """All who are invited or have joined, by name; with `status` also who is `expired` or `revoked`."""
        return Page(tuple(await claw.identities.list(role=role, status=status)))

    @get("/{name:str}", operation_id="identities.get")
    async def identity(self, claw: Claw, name: InPath) -> Response[IdentityRow]:
        """One of them."""
        return versioned(await claw.identities.get(name))

    @delete("/{name:str}", operation_id="identities.revoke", status_code=200)
    async def revoke(self, claw: Claw, name: InPath, reason: Text = "") -> Response[IdentityRow]:
        """Ends what it may, and its connections, once this is answered."""
        return versioned(await claw.identities.revoke(name, reason))
