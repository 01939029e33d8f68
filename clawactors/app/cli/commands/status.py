"""`claw status`: the cluster in a few numbers, and which server said so."""

from collections.abc import Iterator
from typing import Any

import msgspec

from clawactors.app.cli.output import Facts, Part, emit
from clawactors.app.cli.parsing import Parser
from clawactors.app.cli.session import with_client
from clawactors.app.client import Client
from clawactors.app.discovery import Found
from clawactors.runtime.client.summary import ClusterStatus

__all__ = ["arguments", "run"]


def arguments(parser: Parser) -> None:
    """It takes nothing of its own."""


def run(options: Any) -> int:
    """Sums it up."""

    async def show(client: Client) -> int:
        status, found = await client.status(), client.found
        answer = msgspec.to_builtins(status) | {"server": {"url": found.shown, "why": found.why}}
        emit(options, answer, lambda: _shown(status, found))
        return 0

    return with_client(options, show)


def _shown(status: ClusterStatus, found: Found) -> Iterator[Part]:
    tasks, nodes = ({name: n for name, n in counts.items() if n} or "none" for counts in (status.tasks, status.nodes))
    yield Facts(
        [
            ("tasks", tasks),
            ("nodes", nodes),
            ("log", f"{status.log.last_seq} commits, {status.log.bytes / 1e6:.1f} MB"),
            ("views", f"at {status.projection.seq}, {status.projection.lag} behind"),
            ("leader", status.leader or "none"),
            ("faults", status.faults or ""),
            ("needs upgrade", status.needs_upgrade or ""),
            ("server", f"{found.shown}: {found.why}"),
        ]
    )
