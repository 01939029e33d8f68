"""Sends commands: those of one turn travel together, and each is sent again until it is answered.

1. One unanswered request per aggregate: what comes for it meanwhile leaves afterwards, in the order of the calls.
2. A command keeps its id when it is asked again, by whomever it is answered then; it takes effect once.
3. At the deadline the command goes to the queue under the same id, and the caller learns that it is not decided yet.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from clawactors.eventlog import Closed, EventLogError, NoResponders, Unavailable
from clawactors.eventlog.requests import Asking
from clawactors.kernel.external import ExternalCommand
from clawactors.runtime.asking import BUSY, EXPIRED, AskReply, AskRequest, Command, Outcome, checked_reply, error_of
from clawactors.runtime.context import ProcessContext
from clawactors.runtime.hedging import hedged

__all__ = ["DEADLINE_S", "TOGETHER", "TOGETHER_MAX_BYTES", "CommandSender"]

DEADLINE_S: Final = 30.0
TOGETHER: Final = 500
"""So many aggregates travel together, and all that waits for each of them."""
TOGETHER_MAX_BYTES: Final = 500_000
_AT_ONCE: Final = 4
_AGAIN_S: Final = 0.5
"""So long an answer may take before the same is asked again: who was asked may have been killed."""
_PAUSE_S: Final = 0.05
_PAUSE_MAX_S: Final = 0.25

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(AskReply).decode


class _Asked(msgspec.Struct, gc=False):
    """One command on its way."""

    kind: str
    command: Command
    awaits: bool
    queued: bool
    own_account: bool
    deadline_ns: int
    outcome: asyncio.Future[Outcome]

    def shares_request_with(self, other: "_Asked") -> bool:
        return (self.kind, self.awaits, self.own_account) == (other.kind, other.awaits, other.own_account)


class CommandSender:
    """Asks the process that answers for a kind. `client` is where this client hears of ends.

    `check` raises where nothing may be asked.
    """

    def __init__(
        self,
        context: ProcessContext,
        requests: Asking,
        principal: str,
        client: str,
        deadline_s: float = DEADLINE_S,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self._context, self._requests = context, requests
        self._principal, self._client, self.deadline_s = principal, client, deadline_s
        self._check = check
        self._waiting: deque[_Asked] = deque()
        self._held: dict[tuple[str, str], deque[_Asked]] = {}
        self._sending: set[asyncio.Task[None]] = set()
        self._is_planned = False

    async def ask(
        self,
        kind: str,
        id: str,
        command: ExternalCommand,
        *,
        state: bool = False,
        awaits: bool = False,
        deadline_s: float | None = None,
        queued: bool = True,
        own_account: bool = False,
        version: int = -1,
    ) -> Outcome:
        """Sends the command and returns its outcome; `queued`: if nobody decides it in time, it may wait in the queue.

        `own_account`: as the cluster's own account. `version`: only if the aggregate is at it, -1 for any.
        Raises: `NotFound`, `Refused` (`Changed`), `TooLarge`; `Unavailable` when nobody answered before the deadline;
        `Closed`.
        """
        self._check()
        loop = asyncio.get_running_loop()
        deadline_s = self.deadline_s if deadline_s is None else deadline_s
        deadline_ns = self._context.time.now_ns() + int(deadline_s * 1e9)
        body = Command(id, msgspec.Raw(_encode(command)), state, version)
        asked = _Asked(kind, body, awaits, queued and version < 0, own_account, deadline_ns, loop.create_future())
        self._waiting.append(asked)
        self._plan()
        return checked_reply(await asked.outcome)

    def close(self) -> None:
        """Fails what still waits with `Closed`; what was sent may take effect."""
        for task in self._sending:
            task.cancel()
        for waiting in (self._waiting, *self._held.values()):
            _fail(waiting, Closed())
            waiting.clear()

    def _plan(self) -> None:
        if not self._is_planned and len(self._sending) < _AT_ONCE:
            self._is_planned = True
            asyncio.get_running_loop().call_soon(self._send)

    def _send(self) -> None:
        self._is_planned = False
        while len(self._sending) < _AT_ONCE and (batch := self._next_batch()):
            task = asyncio.get_running_loop().create_task(self._deliver(batch))
            self._sending.add(task)
            task.add_done_callback(self._sent)

    def _next_batch(self) -> list[_Asked]:
        """What travels together: of one kind, awaited or not, to aggregates that nothing is asked of."""
        waiting, held = self._waiting, self._held
        batch: list[_Asked] = []
        keys: set[tuple[str, str]] = set()
        size = 0
        while waiting and len(keys) < TOGETHER:
            each = waiting[0]
            if each.outcome.done():  # its caller gave up before it was sent
                waiting.popleft()
                continue
            key = each.kind, each.command.id
            if key not in keys and key in held:
                held[key].append(waiting.popleft())
                continue
            size += len(each.command.command)
            if batch and not (each.shares_request_with(batch[0]) and size <= TOGETHER_MAX_BYTES):
                break
            batch.append(waiting.popleft())
            keys.add(key)
            held.setdefault(key, deque())
        return batch

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            asyncio.get_running_loop().call_exception_handler({"message": "a request failed", "exception": error})
        if self._waiting:
            self._plan()

    async def _deliver(self, batch: list[_Asked]) -> None:
        try:
            await self._insist(batch)
        except asyncio.CancelledError:
            _fail(batch, Closed())
            raise
        except Exception as error:
            _fail(batch, error)
        finally:
            self._release(batch)

    def _release(self, batch: list[_Asked]) -> None:
        for each in batch:
            if held := self._held.pop((each.kind, each.command.id), None):
                self._waiting.extendleft(reversed(held))  # before whatever was asked of it later

    async def _insist(self, batch: list[_Asked]) -> None:
        """Sends the commands until each has its outcome.

        Raises: `Unavailable` for those that have none.
        """
        loop, time = asyncio.get_running_loop(), self._context.time
        subject = f"claw.do.{'' if batch[0].own_account else f'{self._principal}.'}{batch[0].kind}"
        deadline_ns = min(each.deadline_ns for each in batch)
        end_s = loop.time() + (deadline_ns - time.now_ns()) / 1e9
        pause_s, reason, refusal = _PAUSE_S, "nobody answers", ""
        while (left_s := end_s - loop.time()) > 0:
            request = AskRequest(deadline_ns, [each.command for each in batch], self._client, batch[0].awaits)
            asked_ns = time.asking()
            try:
                # The first question stays open while it is asked again: a leader that is merely slow answers that one.
                body = await hedged(self._requests, subject, _encode(request), left_s, again_s=_AGAIN_S, slower=2)
                reply = _decode(body)
            except NoResponders:
                reason = "no control process leads"
            except Unavailable as error:
                reason = refusal or str(error)
            else:
                if reply.now_ns:  # a busy endpoint tells none
                    time.follow(reply.now_ns, asked_ns)
                if reply.error is None:
                    batch, refusal = _rest(batch, reply.outcomes)
                    if not batch:
                        return
                    reason = refusal
                elif reply.error.code == EXPIRED:  # this machine's clock may be wrong: from now on the log's is known
                    deadline_ns = time.now_ns() + int(left_s * 1e9)
                elif reply.error.code != BUSY:
                    raise error_of(reply.error)
                else:
                    reason = reply.error.message
            await asyncio.sleep(min(pause_s * (0.5 + self._context.clock.roll()), max(0.0, end_s - loop.time())))
            pause_s = min(_PAUSE_MAX_S, 2 * pause_s)
        for each in batch:
            if not each.outcome.done():
                each.outcome.set_exception(await self._leave(each, reason))

    async def _leave(self, asked: _Asked, reason: str) -> Unavailable:
        """Puts the command on the queue, where it keeps until somebody leads; what its caller is told."""
        subject = f"claw.cmd.{self._principal}.{asked.kind}.{asked.command.id}"
        if not asked.queued:
            return Unavailable(f"{reason}; the command may or may not have taken effect")
        try:
            ack = await self._requests.request(subject, bytes(asked.command.command), 4 * _AGAIN_S)
            if b'"stream"' in ack and b'"error"' not in ack:
                return Unavailable(f"{reason}; accepted, not decided yet: it takes effect once a control process leads")
        except EventLogError:
            pass
        return Unavailable(f"{reason}; the command may or may not have taken effect")


def _fail(asked: Iterable[_Asked], error: Exception) -> None:
    for each in asked:
        if not each.outcome.done():
            each.outcome.set_exception(error)


def _rest(batch: list[_Asked], outcomes: Sequence[Outcome]) -> tuple[list[_Asked], str]:
    """Hands out the outcomes; those that could not be decided now are to be asked again, for that reason."""
    rest: list[_Asked] = []
    reason = ""
    states: dict[tuple[str, int], msgspec.Raw] = {}
    for each, outcome in zip(batch, outcomes, strict=True):
        if each.command.state and outcome.error is None:
            key = each.command.id, outcome.version
            if outcome.has_state:
                states[key] = outcome.state
            elif key in states:
                outcome = replace(outcome, state=states[key])
        if outcome.error is not None and outcome.error.code == "unavailable":
            rest.append(each)
            reason = outcome.error.message
        elif not each.outcome.done():
            each.outcome.set_result(outcome)
    return rest, reason
