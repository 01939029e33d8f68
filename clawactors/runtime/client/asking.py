"""Asks the code of a task that runs or is parked; nothing of it is recorded."""

import asyncio
from typing import TYPE_CHECKING, Any, Final

import msgspec

from clawactors.eventlog import Unavailable
from clawactors.eventlog.numbers import unfit_number
from clawactors.kernel.errors import Refused
from clawactors.kernel.time import duration_s
from clawactors.runtime.asking import error_of, is_busy
from clawactors.runtime.hedging import hedged
from clawactors.runtime.taskasking import ASK, TIMED_OUT, CodeAnswer, CodeQuestion
from clawactors.systems.tasks.events import TaskError
from clawactors.systems.tasks.jsonvalues import encode, to_json, unfit_key
from clawactors.systems.tasks.payload import INLINE_MAX_BYTES, shown_size
from clawactors.systems.tasks.submission import checked_id, is_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clawactors.runtime.client.connected import ConnectedClient

__all__ = ["AskFailed", "ask_task"]

_PAUSE_S: Final = 0.05
_PAUSE_MAX_S: Final = 0.5
_AGAIN_S: Final = 2.0
"""A question without an answer is put again after this time, then after twice as long: who was asked may be gone."""

_decode: Final = msgspec.json.Decoder(CodeAnswer).decode


class AskFailed(Exception):
    """What the code of a task answers with has raised. `error` has class and message, `traceback` is text."""

    def __init__(self, id: str, name: str, error: TaskError) -> None:
        self.id, self.name, self.error, self.traceback = id, name, error, error.traceback
        text = f"the answer {name!r} of task {id} raised {error.kind}: {error.message}"
        super().__init__(text + (f"\n\nin the task:\n{error.traceback.rstrip()}" if error.traceback else ""))


async def ask_task(
    client: "ConnectedClient",
    id: str,
    name: str,
    args: "Sequence[Any]",
    timeout: str | float,  # noqa: ASYNC109 # it is told to who answers
) -> Any:
    """See `ClusterClient.ask_task`."""
    clock = asyncio.get_running_loop().time
    until_s = clock() + _seconds(timeout)
    question = CodeQuestion(checked_id(id), _checked_name(name), _encoded(args))
    subject = f"claw.query.{client.principal}.{ASK}"
    pause_s, why = _PAUSE_S, ""
    while (left_s := until_s - clock()) > 0:
        body = msgspec.json.encode(msgspec.structs.replace(question, wait_s=left_s))
        try:
            raw = await hedged(client.requests, subject, body, left_s, again_s=_AGAIN_S, slower=2, absent_s=left_s)
            answer = CodeAnswer(again="control has too many questions under way") if is_busy(raw) else _decode(raw)
        except Unavailable as error:
            answer = CodeAnswer(again=why or str(error))
        if answer.error is not None and answer.error.code == TIMED_OUT:
            why = answer.error.message
            break
        if answer.error is not None:
            raise error_of(answer.error)
        if answer.raised is not None:
            raise AskFailed(id, name, answer.raised)
        if not answer.again:
            return msgspec.json.decode(answer.value)
        why = answer.again
        await asyncio.sleep(min(pause_s, max(0.0, until_s - clock())))
        pause_s = min(_PAUSE_MAX_S, 2 * pause_s)
    raise TimeoutError(f"task {id} has not answered {name!r} within {timeout}: {why or 'nobody was there'}")


def _seconds(timeout: object) -> float:
    if isinstance(timeout, str):
        try:
            return duration_s(timeout)
        except ValueError as error:
            raise Refused(str(error)) from None
    if not is_number(timeout) or not 0 < timeout < 1e9:  # type: ignore[operator] # it is a number
        raise Refused(f"a timeout is seconds, more than 0, or a duration as in '10s', not {repr(timeout)[:40]}")
    return float(timeout)  # type: ignore[arg-type] # likewise


def _checked_name(name: object) -> str:
    if not isinstance(name, str) or not name:
        raise Refused(f"name what is asked, as the code's task.answer does, not {repr(name)[:40]}")
    return name


def _encoded(args: "Sequence[Any]") -> msgspec.Raw:
    """The arguments as JSON. Raises: `Refused` where JSON can't hold them."""
    given = list(args)
    try:
        encoded = encode(given)
        decoded = msgspec.json.decode(encoded)
        unfit = unfit_number(given, encoded, any_length=True, to_json=to_json) or unfit_key(given, decoded)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise Refused(f"the arguments can't be sent: {error}") from None
    if unfit:
        raise Refused(f"the arguments can't be sent: {unfit}")
    if len(encoded) > INLINE_MAX_BYTES:
        raise Refused(f"the arguments have {shown_size(len(encoded))}, and {shown_size(INLINE_MAX_BYTES)} is the most")
    return msgspec.Raw(encoded)
