"""Keys of programs: `/api/v1/keys`."""

from typing import Any

import msgspec
from litestar import Controller, Request, Response, delete, get, put
from litestar.params import JSONBody

from clawactors.app.web.answers import versioned
from clawactors.app.web.parameters import Claw, InPath, moment
from clawactors.runtime.client.keys import AddedKey, KeyRow
from clawactors.runtime.client.rows import Page

__all__ = ["KeyRoutes"]


class KeyBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the key may do, for whom, until when (ISO 8601), how often; 0 for no bound."""

    scopes: tuple[str, ...] = ("read",)
    user: str = ""
    expires: str = ""
    rate_per_s: float = 0.0
    quota_per_day: int = 0


class KeyRoutes(Controller):
    """Keys; they need the scope `admin`."""

    path = "/keys"
    tags = ["keys"]  # noqa: RUF012 # as litestar declares it

    @get(operation_id="keys.list")
    async def keys(self, claw: Claw) -> Page[KeyRow]:
        """All keys, by name, without their secrets."""
        return Page(tuple(await claw.keys.list()))

    @get("/{name:str}", operation_id="keys.get")
    async def key(self, claw: Claw, name: InPath) -> Response[KeyRow]:
        """One key."""
        return versioned(await claw.keys.get(name))

    @put("/{name:str}", operation_id="keys.add", status_code=201)
    async def add(self, claw: Claw, name: InPath, data: JSONBody[KeyBody]) -> AddedKey:
        """Adds a key; its `secret` is in this answer, and nowhere else."""
        return await claw.keys.add(
            name,
            data.scopes,
            user=data.user,
            expires=moment("expires", data.expires),
            rate_per_s=data.rate_per_s,
            quota_per_day=data.quota_per_day,
        )

    @delete("/{name:str}", operation_id="keys.revoke", status_code=200)
    async def revoke(self, request: Request[Any, Any, Any], claw: Claw, name: InPath) -> Response[KeyRow]:
        """Revokes the key: it opens nothing any more."""
        row = await claw.keys.revoke(name)
        request.app.state.keyring.forget(name)
        return versioned(row)
