"""Waits for tasks: for one result, or for many in the order in which they end."""

import asyncio
import math
from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING, Any, Final

import msgspec

from clawactors.eventlog import EventLogError
from clawactors.kernel.errors import Refused
from clawactors.runtime.asking import BLOCKED, Ended
from clawactors.systems.tasks import Task
from clawactors.systems.tasks.events import TaskError
from clawactors.systems.tasks.payload import is_reference
from clawactors.systems.tasks.submission import checked_id, is_number

if TYPE_CHECKING:
    from clawactors.runtime.client.connected import ConnectedClient

__all__ = ["TaskBlocked", "TaskFailed", "result_of", "several_ids", "until_ended"]

_REASON_S: Final = 2.0
"""How long a wait that ran out asks for the reason."""


class TaskFailed(Exception):
    """The awaited task ended without a result. `status` is failed, dead or cancelled.

    `traceback` is that of its last attempt, as text; `str` ends with it.
    """

    def __init__(self, id: str, status: str, error: TaskError | None) -> None:
        self.id, self.status, self.error = id, status, error
        self.traceback = error.traceback if error else ""
        text = f"task {id} is {status}" + (f": {error.kind}: {error.message}" if error else "")
        super().__init__(text + (f"\n\nin the task:\n{self.traceback.rstrip()}" if self.traceback else ""))


class TaskBlocked(Exception):
    """The awaited task can't go on until a person has dealt with it; it has not ended. `reason` says what it needs."""

    def __init__(self, id: str, reason: str) -> None:
        super().__init__(f"task {id} is blocked: {reason} (claw retry {id} retries it)")
        self.id, self.reason = id, reason


async def result_of(client: "ConnectedClient", id: str, end: asyncio.Future[Ended], timeout_s: float | None) -> Any:
    """Waits for `end` and returns the task's result.

    Raises: `TaskFailed`, `TaskBlocked`, `TimeoutError`, `NotFound`, `Refused` (needs a newer release; erased; no
    timeout).
    """
    if timeout_s is not None and not (is_number(timeout_s) and not math.isnan(timeout_s)):
        raise Refused(f"a timeout is a number of seconds, or None for no limit, not {timeout_s!r}")
    try:
        if timeout_s is None:
            ended = await end
        else:
            async with asyncio.timeout(timeout_s):
                ended = await end
    except TimeoutError:
        raise TimeoutError(f"task {id} has not ended within {timeout_s:g} s: {await _state_of(client, id)}") from None
    if ended.frozen:
        raise Refused(f"task {id} needs a newer release: {ended.frozen}")
    if ended.status == BLOCKED:
        raise TaskBlocked(id, (ended.error or {}).get("message") or "it needs a person")
    if ended.status == "archived":
        return await _archived_result(client, id)
    if ended.status != "completed":
        error = msgspec.convert(ended.error, TaskError) if ended.error else None
        raise TaskFailed(id, ended.status, error)
    if ended.erased:
        raise _erased(id)
    result = ended.result
    if ended.large:
        result = (await client.state("task", id, Task, at_least=ended.version, brief=True)).state.life.result
    return await client.payloads.load_payload(result) if is_reference(result) else result


async def _archived_result(client: "ConnectedClient", id: str) -> Any:
    """The result of a task that has moved to the archive since it ended. Raises: `TaskFailed`, `Corrupt`, `Refused`."""
    from clawactors.runtime.client.history import before_archive

    before = (await before_archive(client.questions, id)).state
    life = before.life
    if before.spec is not None and before.spec.erased:
        raise _erased(id)
    if life.status != "completed":
        raise TaskFailed(id, life.status, life.error)
    return await client.payloads.load_payload(life.result) if is_reference(life.result) else life.result


def _erased(id: str) -> Refused:
    return Refused(f"what task {id} returned was erased with all data of its user: run it anew, under another id")


async def _state_of(client: "ConnectedClient", id: str) -> str:
    """The status and the first reason, as far as they are known soon."""
    from clawactors.runtime.client.reasons import explain

    try:
        async with asyncio.timeout(_REASON_S):
            found = await explain(client.questions, client.views, client.snapshot, id)
    except (TimeoutError, EventLogError, Refused) as error:
        return f"its state is not known ({str(error) or 'no answer'})"
    return f"it is {found.status}" + (f": {found.reasons[0]}" if found.reasons else "")


async def until_ended(client: "ConnectedClient", ids: Iterable[str]) -> AsyncIterator[str]:
    """The ids in the order in which their tasks end; those that ended before come first. Raises: `NotFound`."""
    ended: asyncio.Queue[asyncio.Future[Ended]] = asyncio.Queue()
    wanted = [checked_id(id) for id in several_ids(ids)]
    ends = {client.ends.expect(id): id for id in wanted}
    for end in ends:
        end.add_done_callback(ended.put_nowait)
    try:
        for _ in ends:
            end = await ended.get()
            end.result()
            yield ends[end]
    finally:
        for end, id in ends.items():
            client.ends.forget(id, end)


def several_ids(ids: object) -> list[Any]:
    """These ids, each once, in order. Raises: `Refused` for one text, which would be taken for ids of one letter."""
    if isinstance(ids, str) or not isinstance(ids, Iterable):
        raise Refused(f"ids is a list of ids, not {repr(ids)[:42]}")
    return list(dict.fromkeys(ids))
