"""`claw why`: the task's log tells, and for pending ones placement."""

from typing import Any

from clawactors.app.cli.parsing import Parser
from clawactors.app.cli.past import Past, read_past
from clawactors.app.cli.reasons import not_completed, reasons_of, waiting_for
from clawactors.app.cli.screen import card, emit
from clawactors.app.cli.session import ask, with_client
from clawactors.app.client import Client
from clawactors.eventlog import NoResponders
from clawactors.kernel.fold import Snapshot
from clawactors.runtime.reading import read_tasks
from clawactors.systems.tasks import Task

__all__ = ["arguments", "run"]


def arguments(parser: Parser) -> None:
    """What it takes."""
    parser.add_argument("id", metavar="ID")


def run(options: Any) -> int:
    """Tells the reasons."""

    async def tell(client: Client) -> int:
        past = await read_past(client, options.id)
        life = past.folded.state.life
        reasons, waits = reasons_of(past), waiting_for(life)
        if life.status == "pending" and not past.folded.frozen:
            told, limit = await _not_placed(client, past)
            reasons += told
            waits |= limit
        if life.waiting_for == "dependency" and past.folded.state.spec is not None:
            after = past.folded.state.spec.after
            statuses = {id: _status(known) async for id, known in read_tasks(client.log, after)}
            waits |= {"after": statuses}
            reasons.append(not_completed(statuses))
        answer = {"id": past.id, "status": life.status, "reasons": reasons, "waiting_for": waits}
        facts = [("status", life.status), *(("", reason) for reason in reasons)]
        emit(options, answer, lambda screen: card(screen, facts))
        return 0

    return with_client(options, tell)


def _status(known: Snapshot[Task]) -> str:
    return known.state.life.status if known.state.exists else "not there yet"


async def _not_placed(client: Client, past: Past) -> tuple[list[str], dict[str, Any]]:
    """The reasons, and as data what it waits for where that is a limit."""
    try:
        answer = await ask(client, "why", id=past.id)
    except NoResponders:
        return ["no control process answers, so nobody places it: claw up starts one"], {}
    return answer["reasons"] or ["a node is about to get it"], answer.get("waiting_for", {})
