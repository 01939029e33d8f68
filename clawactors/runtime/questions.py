"""Questions to the control processes. They change nothing, so one that finds no answer soon is asked again.

A client has so many questions under way at a time; thousands at once wait here for their turn, not at the other end.
"""

import asyncio
import contextlib
import logging
from typing import Final

import msgspec

from clawactors.eventlog import PermissionDenied, Unavailable
from clawactors.eventlog.requests import Asking
from clawactors.runtime.asking import LogReply, SizesReply, checked_reply, is_busy
from clawactors.runtime.hedging import hedged
from clawactors.runtime.logtime import LogTime
from clawactors.runtime.seldom import SeldomLogger

__all__ = ["Questions", "ask", "begin_time", "follow_time", "read_log_end", "read_sizes", "track_time"]

_TIMEOUT_S: Final = 5.0
_AGAIN_S: Final = 0.7
"""One of several control processes may hang and still be handed its share of the questions."""
_AT_ONCE: Final = 32
_TIME_S: Final = 10.0
_SOON_S: Final = 0.5
_PAUSE_S: Final = 0.02
_PAUSE_MAX_S: Final = 0.5

_seldom: Final = SeldomLogger(logging.getLogger(__name__))


async def ask(requests: Asking, subject: str, question: bytes, absent_s: float) -> bytes:
    """The first answer. Raises: as `hedged`; `NoResponders` when no control process has run for `absent_s`."""
    timeout_s = max(_TIMEOUT_S, absent_s)
    return await hedged(requests, subject, question, timeout_s, again_s=_AGAIN_S, absent_s=absent_s)


class Questions:
    """The questions of one client, as its principal. `absent_s` is for how long no control process may run."""

    def __init__(self, requests: Asking, principal: str, absent_s: float = 30.0) -> None:
        self._requests, self._principal, self._absent_s = requests, principal, absent_s
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def ask(
        self,
        name: str,
        question: bytes,
        *,
        verb: str = "query",
        absent_s: float | None = None,
    ) -> bytes:
        """The answer to `claw.<verb>.<principal>.<name>`; `absent_s` 0 fails at once where nobody is there to answer.

        Raises: `Unavailable` (`NoResponders`), `PermissionDenied`.
        """
        subject = f"claw.{verb}.{self._principal}.{name}"
        pause_s = _PAUSE_S
        absent_s = self._absent_s if absent_s is None else absent_s
        async with self._slots:
            end_s = asyncio.get_running_loop().time() + _TIMEOUT_S
            while is_busy(answer := await ask(self._requests, subject, question, absent_s)):
                # Other clients of the same principal have theirs under way.
                if asyncio.get_running_loop().time() >= end_s:
                    raise Unavailable(f"{subject} is busy: too many questions of {self._principal} at once")
                await asyncio.sleep(pause_s)
                pause_s = min(_PAUSE_MAX_S, 2 * pause_s)
            return answer


async def read_log_end(questions: Questions, absent_s: float | None = None) -> LogReply:
    """Where the log ends, its time, and who leads. Raises: `Unavailable` (`NoResponders`: no control process runs)."""
    return checked_reply(msgspec.json.decode(await questions.ask("log", b"{}", absent_s=absent_s), type=LogReply))


async def follow_time(questions: Questions, time: LogTime, absent_s: float | None = None) -> None:
    """Takes the time of the log from control. Raises: `Unavailable` (`NoResponders`: no control process runs)."""
    asked_ns = time.asking()
    time.follow((await read_log_end(questions, absent_s)).at_ns, asked_ns)


async def begin_time(questions: Questions, time: LogTime) -> None:
    """Takes it once, if a control process runs and may be asked."""
    with contextlib.suppress(Unavailable, PermissionDenied):
        await follow_time(questions, time, absent_s=0)


async def track_time(questions: Questions, time: LogTime) -> None:
    """Takes it for ever, now and then. Where the server forbids to ask, the machine's own clock counts."""
    wait_s = _SOON_S
    while True:
        try:
            await follow_time(questions, time, absent_s=0)
            wait_s = _TIME_S
        except PermissionDenied as error:
            _seldom.warning("the time of the log is not known here, the machine's clock counts: %s", error)
        except Unavailable:
            pass
        await asyncio.sleep(wait_s)


async def read_sizes(questions: Questions) -> SizesReply:
    """What the log and large values take on the server. Raises: `Unavailable`."""
    return checked_reply(msgspec.json.decode(await questions.ask("sizes", b"{}"), type=SizesReply))
