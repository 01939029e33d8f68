"""`claw tenant add|list|remove`: accounts of their own on the server of this cluster."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import msgspec

from clawactors.app.cli.output import Facts, Table, emit, when
from clawactors.app.cli.session import find
from clawactors.app.identity.authority import Authority
from clawactors.app.identity.tenants import Tenant, add_tenant, remove_tenant, tenants_of
from clawactors.app.problem import Problem
from clawactors.app.server.identity import load_identity
from clawactors.eventlog.jetstream import Address

__all__ = ["run"]


class TenantRow(msgspec.Struct, frozen=True):
    """A tenant, for people and scripts; None for a quota that there is not."""

    name: str
    account: str
    storage_bytes: int | None
    connections: int | None
    added_at: str

    @classmethod
    def of(cls, name: str, tenant: Tenant) -> "TenantRow":
        """The row of a tenant."""
        added_at = datetime.fromtimestamp(tenant.added_s, UTC).isoformat()
        storage, connections = (None if each < 0 else each for each in (tenant.storage_bytes, tenant.connections))
        return cls(name, tenant.account, storage, connections, added_at)


def run(options: Any) -> int:
    """Runs the verb and prints what it gives."""
    if bool(options.name) is (options.verb == "list"):
        raise Problem("usage", f"usage: tenant {options.verb}{'' if options.verb == 'list' else ' NAME'}", "")
    found = find(options)
    if found.run is None or not found.is_own or found.run.system is None:
        raise Problem(
            "refused",
            f"the server at {found.shown} is not that of the data folder {found.data}, so its operator adds accounts",
            "run claw tenant on the machine where claw up runs",
        )
    data, system, own = found.data, found.run.system, found.run.address
    authority = Authority(load_identity(data / "server" / "identity.json").keys)
    match options.verb:
        case "add":
            place = Address(found.run.join_urls, ca_pem=own.ca_pem)
            work = add_tenant(
                data,
                authority,
                place,
                system,
                options.name,
                storage_bytes=-1 if options.storage is None else options.storage,
                connections=-1 if options.connections is None else options.connections,
            )
            told = {"name": options.name, "context": options.name, "file": str(asyncio.run(work))}
            start = f"claw up --context {options.name} --data DIR"
            emit(options, told, lambda: [Facts([("tenant", options.name), ("its cluster", start)])])
        case "remove":
            asyncio.run(remove_tenant(data, authority, system, options.name))
            emit(options, {"name": options.name}, lambda: [Facts([("removed", options.name)])])
        case _:
            rows = [TenantRow.of(name, tenant) for name, tenant in sorted(tenants_of(data).items())]
            cells = [(each.name, each.storage_bytes, each.connections, when(each.added_at)) for each in rows]
            emit(options, rows, lambda: [Table(("NAME", "STORAGE", "CONNECTIONS", "ADDED"), cells)])
    return 0
