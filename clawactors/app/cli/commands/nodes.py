"""`claw nodes`: lists all nodes that have joined and were not removed."""

from typing import Any

from clawactors.app.cli.reading import with_reading
from clawactors.app.cli.rows import node_table
from clawactors.app.cli.watching import show

__all__ = ["run"]


def run(options: Any) -> int:
    """Lists them."""
    return with_reading(
        options,
        lambda client: show(options, client.nodes, node_table),
        lambda past: show(options, past.nodes, node_table),
    )
