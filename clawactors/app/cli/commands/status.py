"""`claw status`: the cluster in a few numbers, and which server said so."""

from collections.abc import Iterator
from typing import Any

from clawactors.app.cli.checks import leader_of
from clawactors.app.cli.parsing import Parser
from clawactors.app.cli.screen import Screen, card, emit
from clawactors.app.cli.session import ask, with_client
from clawactors.app.client import Client

__all__ = ["arguments", "run"]


def arguments(parser: Parser) -> None:
    """It takes nothing of its own."""


def run(options: Any) -> int:
    """Sums it up."""

    async def show(client: Client) -> int:
        head = await client.log.head()
        views = await ask(client, "status")
        answer = {
            "tasks": views["tasks"],
            "nodes": views["nodes"],
            "log": {"last_seq": head.last_seq, "bytes": head.size_bytes},
            "projection": {"seq": views["position"], "lag": max(0, head.last_seq - views["position"])},
            "leader": await leader_of(client),
            "faults": views["faults"],
            "needs_upgrade": views["needs_upgrade"],
            "server": {"url": client.found.shown, "why": client.found.why},
        }
        emit(options, answer, lambda screen: _shown(screen, answer))
        return 0

    return with_client(options, show)


def _shown(screen: Screen, answer: dict[str, Any]) -> Iterator[str]:
    counts = ({name: n for name, n in answer[part].items() if n} or "none" for part in ("tasks", "nodes"))
    tasks, nodes = counts
    return card(
        screen,
        [
            ("tasks", tasks),
            ("nodes", nodes),
            ("log", f"{answer['log']['last_seq']} commits, {answer['log']['bytes'] / 1e6:.1f} MB"),
            ("views", f"at {answer['projection']['seq']}, {answer['projection']['lag']} behind"),
            ("leader", answer["leader"] or "none"),
            ("faults", answer["faults"] or ""),
            ("needs upgrade", answer["needs_upgrade"] or ""),
            ("server", f"{answer['server']['url']}: {answer['server']['why']}"),
        ],
    )
