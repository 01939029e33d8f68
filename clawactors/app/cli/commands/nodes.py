"""`claw nodes`: lists the nodes that have joined and were not removed."""

from typing import Any

from clawactors.app.cli.reading import with_reading
from clawactors.app.cli.rows import node_table
from clawactors.app.cli.watching import show
from clawactors.runtime.client.listing import Listing
from clawactors.runtime.client.rows import NodeRow

__all__ = ["run"]


def run(options: Any) -> int:
    """Lists them."""

    async def ask(reader: Listing) -> list[NodeRow]:
        return await reader.nodes(
            status=options.status, skill=options.skill, available=options.available, silent_s=options.silent_s
        )

    async def list_them(reader: Listing) -> int:
        return await show(options, lambda: ask(reader), node_table)

    return with_reading(options, list_them, list_them)
