"""`claw rotate`: a new key for this machine in the cluster that it has joined."""

import asyncio
from typing import Any

from clawactors.app.cli.output import Facts, emit
from clawactors.app.cli.session import find
from clawactors.app.identity.joining import renew
from clawactors.app.problem import Problem

__all__ = ["run"]


def run(options: Any) -> int:
    """Draws the key, and ends what the old one may."""
    found = find(options)
    if found.membership is None:
        raise Problem(
            "refused",
            f"this data folder, {found.data}, has joined no cluster of others",
            "run claw rotate on a machine that has joined one; here, claw revoke NAME and claw invite do the same",
        )
    membership = found.membership
    asyncio.run(renew(membership, found.data))
    told = {"name": membership.name, "role": membership.role}
    emit(options, told, lambda: [Facts([("new key for", membership.name)])])
    return 0
