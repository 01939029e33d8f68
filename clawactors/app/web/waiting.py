"""Waits for a task on behalf of a request."""

from contextlib import suppress
from typing import Any, Final

import msgspec

from clawactors.app.problem import Problem
from clawactors.runtime.client import ClusterClient
from clawactors.runtime.client.rows import TaskRow
from clawactors.runtime.client.waiting import TaskBlocked, TaskFailed
from clawactors.systems.tasks import FINAL

__all__ = ["result_of", "row_when_ended"]

_READ_S: Final = 30.0
"""How long a result that is there may take to come."""


async def row_when_ended(claw: ClusterClient, id: str, wait_s: float) -> TaskRow:
    """The task when it has ended, is blocked, or the time is over. Raises: `NotFound`, `Unavailable`."""
    with suppress(TaskFailed, TaskBlocked, TimeoutError):
        await claw.ref(id).result(wait_s)
    return await claw.task(id)


async def result_of(claw: ClusterClient, id: str, wait_s: float) -> Any:
    """The result. Raises: `Problem` where there is none: it failed, is blocked, or has not ended in time."""
    if wait_s <= 0:
        known = await claw.snapshot(id, brief=True)
        if known.state.life.status not in (*FINAL, "blocked", "archived"):
            text = f"task {id} is {known.state.life.status}, so it has no result yet"
            raise Problem("refused", text, "ask with ?wait=30s to wait for it", extra={"task": await _row(claw, id)})
    try:
        return await claw.ref(id).result(max(wait_s, _READ_S))
    except TaskFailed as failed:
        text = f"task {id} is {failed.status}" + (
            f": {failed.error.kind}: {failed.error.message}" if failed.error else ""
        )
        raise Problem("failed", text, f"claw why {id} says more", extra={"task": await _row(claw, id)}) from None
    except TaskBlocked as blocked:
        text = f"task {id} is blocked: {blocked.reason}"
        raise Problem("blocked", text, f"claw retry {id} retries it", extra={"task": await _row(claw, id)}) from None
    except TimeoutError as error:
        raise Problem("timeout", str(error), "ask again with ?wait=", extra={"task": await _row(claw, id)}) from None


async def _row(claw: ClusterClient, id: str) -> dict[str, Any]:
    row: dict[str, Any] = msgspec.to_builtins(await claw.task(id))
    return row
