"""`claw queue`: shows which pending tasks are next, why in this order, and what holds each back."""

from collections.abc import Iterator
from typing import Any

from clawactors.app.cli.output import Part, Table, emit, note
from clawactors.app.cli.session import with_client
from clawactors.app.client import Client
from clawactors.runtime.queue import QueueReply

__all__ = ["run"]


def run(options: Any) -> int:
    """Prints the next tasks."""

    async def tell(client: Client) -> int:
        reply = await client.queue(options.skill, limit=options.limit)
        emit(options, reply, lambda: _table(reply))
        if not options.json and (left := reply.pending - len(reply.tasks)) > 0:
            note(f"{left} more are pending: --limit shows more of them")
        return 0

    return with_client(options, tell)


def _table(reply: QueueReply) -> Iterator[Part]:
    yield Table(
        ("#", "ID", "SKILL", "USER", "WAITED", "WHY HERE", "HELD BACK BY"),
        (
            (
                each.place,
                each.id,
                each.skill,
                each.user,
                f"{each.waited_s:.0f}s",
                each.because,
                "; ".join(each.held_back),
            )
            for each in reply.tasks
        ),
        uncut=("#", "ID"),
    )
