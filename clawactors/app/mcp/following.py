"""Follows a task while a call waits: its progress becomes that of the call, and cancelling the call can cancel it.

1. A cluster that restarts meanwhile is waited for, within the time of the call.
2. A task is cancelled with its call only where the agent has cancelled the call: where it has gone, the task goes on.
3. A call that has found its task, by id or key, never cancels it: another one has submitted it.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable
from typing import Any, Final

import anyio

from clawactors.app.mcp.calling import CallContext
from clawactors.app.mcp.cutting import fitted, sparse
from clawactors.eventlog import EventLogError
from clawactors.kernel.errors import Refused
from clawactors.runtime.client.ref import Ref
from clawactors.runtime.client.rows import TaskRow, task_row
from clawactors.runtime.client.waiting import TaskBlocked, TaskFailed
from clawactors.systems.tasks import FINAL

__all__ = ["answer_when_ended", "cancelled_with", "submitted_answer", "task_answer", "wait_for"]

_log = logging.getLogger(__name__)

_FIRST_S: Final = 0.1
_MOST_S: Final = 2.0
_CANCEL_S: Final = 5.0
_LONGEST_S: Final = 3600.0
_CALL_AGAIN: Final = "it is still under way: wait_task waits again, why explains"
_BLOCKED: Final = "it needs a person: why says what for; retry runs it again"
_GET_RESULT: Final = "get_result has it in pages"


async def wait_for(call: CallContext, id: str, wait_s: float) -> None:
    """Returns once the task has ended or needs a person, or the time is over. Raises: `NotFound`, `Refused`."""
    loop = asyncio.get_running_loop()
    until, pause, client = loop.time() + wait_s, _FIRST_S, await call.client()
    ended = asyncio.ensure_future(client.ref(id).result())
    try:
        while (left := until - loop.time()) > 0:
            done, _ = await asyncio.wait((ended,), timeout=min(pause, left))
            if done:
                try:
                    with contextlib.suppress(TaskFailed, TaskBlocked):
                        ended.result()
                    return
                except EventLogError:
                    await asyncio.sleep(min(pause, max(0.0, until - loop.time())))
            pause = min(pause * 1.5, _MOST_S)
            with contextlib.suppress(EventLogError, TimeoutError):
                async with asyncio.timeout_at(until):
                    now = await call.client()
                    if now is not client or ended.done():
                        _drop(ended)
                        client = now
                        ended = asyncio.ensure_future(client.ref(id).result())
                    row = task_row(id, await client.snapshot(id, brief=True))
                    await call.progress(row.progress, _said(row))
    finally:
        _drop(ended)


def _drop(ended: asyncio.Future[Any]) -> None:
    """Nobody waits for it any more, so nobody is to hear of its error either."""
    ended.cancel()
    ended.add_done_callback(lambda each: each.cancelled() or each.exception())


def _said(row: TaskRow) -> str:
    waits = f" for {row.waiting_for}" if row.waiting_for else ""
    place = f" on {row.node}" if row.node else ""
    return f"task {row.id} is {row.status}{waits}{place}"


async def cancelled_with[T](call: CallContext, ref: Ref, work: Awaitable[T], *, leave: bool) -> T:
    """Does the work; where the agent cancels the call, cancels the task that it has made, unless to `leave` it."""
    try:
        how = "is submitted" if ref.new else "was there before"
        then = "leaves it running" if leave or not ref.new else "cancels it"
        await call.progress(0, f"task {ref.id} {how}; cancelling this call {then}")
        return await work
    except asyncio.CancelledError:
        with anyio.move_on_after(_CANCEL_S, shield=True), contextlib.suppress(EventLogError):
            await _cancel(call, ref, leave=leave)
        raise


async def _cancel(call: CallContext, ref: Ref, *, leave: bool) -> None:
    if not await call.was_cancelled():
        _log.info("the client has gone: task %s goes on", ref.id)
    elif leave:
        _log.info("the call was cancelled: task %s goes on, as requested", ref.id)
    elif not ref.new:
        _log.info("the call was cancelled: task %s goes on, which was there before", ref.id)
    else:
        with contextlib.suppress(Refused):  # it has ended meanwhile
            await (await call.client()).cancel(ref.id)
        _log.info("the call was cancelled, and task %s with it", ref.id)


async def submitted_answer(call: CallContext, ref: Ref, wait_s: float | None, *, leave: bool) -> dict[str, Any]:
    """The task of a submission: when it has ended or the time is over; at once where it is not to wait."""
    if wait_s is None:
        return await task_answer(call, ref.id)
    await cancelled_with(call, ref, wait_for(call, ref.id, min(wait_s, _LONGEST_S)), leave=leave)
    return await task_answer(call, ref.id, waited=True)


async def answer_when_ended(call: CallContext, id: str, wait_s: float) -> dict[str, Any]:
    """The task when it has ended, needs a person, or the time is over, of which there is an hour at most."""
    await wait_for(call, id, min(wait_s, _LONGEST_S))
    return await task_answer(call, id, waited=True)


async def task_answer(call: CallContext, id: str, *, waited: bool = False) -> dict[str, Any]:
    """The row of the task as an answer; of one that was waited for with whether it has ended, and what to do next.

    Raises: `NotFound`, `Refused`, `Unavailable`.
    """
    row = await (await call.client()).task(id)
    answer = sparse(row)
    if waited:
        answer["ended"] = row.status in FINAL
        if not answer["ended"]:
            answer["next"] = _BLOCKED if row.status == "blocked" else _CALL_AGAIN
    return fitted(answer, call.options.limit_chars, _GET_RESULT)
