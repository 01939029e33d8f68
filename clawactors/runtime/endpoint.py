"""Answers commands: requests on `claw.do.<principal>.<kind>` become calls, calls become outcomes.

1. Only the process that leads its kinds listens, so its absence is told at once.
2. Who asked is the principal of the subject, never what a message says.
3. A request after its deadline, or with one beyond the horizon in which command ids are kept, is not decided.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from clawactors.eventlog import is_id
from clawactors.eventlog.requests import Requests, Serving
from clawactors.kernel.errors import NotFound, Refused
from clawactors.kernel.kind import Kind
from clawactors.kernel.transfer import encode_state
from clawactors.runtime.asking import (
    EXPIRED,
    HORIZON_NS,
    AskReply,
    AskRequest,
    Command,
    Failure,
    Outcome,
    failure_of,
)
from clawactors.runtime.call import Answer, Call
from clawactors.runtime.dispatcher import Dispatcher

__all__ = ["CommandEndpoint"]

_decode: Final = msgspec.json.Decoder(AskRequest).decode
_encode: Final = msgspec.json.Encoder().encode


def _nobody(_client: str, _ids: Sequence[str]) -> None:
    """Nobody is told of ends."""


class CommandEndpoint:
    """The commands of some kinds. `awaits(client, ids)` is called before commands whose ends a client wants to hear of.

    `client` is `<principal>.<client>`.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        kinds: Sequence[Kind[Any, Any, Any]],
        awaits: Callable[[str, Sequence[str]], None] = _nobody,
    ) -> None:
        self._dispatcher, self._kinds, self._awaits = dispatcher, kinds, awaits
        self._serving: list[Serving] = []

    async def open(self, requests: Requests) -> None:
        """Listens from now on. Raises: `PermissionDenied`, `Unavailable`."""
        for kind in self._kinds:

            async def answer(principal: str, body: bytes, kind: Kind[Any, Any, Any] = kind) -> bytes:
                return _encode(await self._answer(kind, principal, body))

            self._serving.append(await requests.answer(f"claw.do.*.{kind.name}", answer))

    async def aclose(self) -> None:
        """Listens no longer; requests that are being decided are still answered. Order: idempotent."""
        serving, self._serving = self._serving, []
        for each in serving:
            await each.aclose()

    async def _answer(self, kind: Kind[Any, Any, Any], principal: str, body: bytes) -> AskReply:
        now_ns = self._dispatcher.context.time.now_ns()
        try:
            request = _decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            return AskReply(now_ns, error=Failure("refused", f"not a request: {error}"))
        if not now_ns < request.deadline_ns <= now_ns + HORIZON_NS:
            return AskReply(
                now_ns, error=Failure(EXPIRED, "its deadline has passed, or lies more than 10 minutes ahead")
            )
        if request.awaits and request.client and is_id(request.client):
            self._awaits(f"{principal}.{request.client}", [each.id for each in request.commands])
        calls = [self._call(kind, principal, request.deadline_ns, each, now_ns) for each in request.commands]
        answers = iter(await self._dispatcher.send_many(call for call in calls if isinstance(call, Call)))
        outcomes = [
            _outcome(kind.name, next(answers) if isinstance(call, Call) else call, each)
            for call, each in zip(calls, request.commands, strict=True)
        ]
        return AskReply(self._dispatcher.context.time.now_ns(), outcomes)

    def _call(
        self, kind: Kind[Any, Any, Any], principal: str, deadline_ns: int, asked: Command, now_ns: int
    ) -> Call | Refused:
        try:
            if not is_id(asked.id):
                raise Refused(f"{asked.id[:60]!r} is not an id: use 1 to 128 letters, digits, '-' or '_'")
            by = f"client/{principal}"
            read = kind.read_command(bytes(asked.command), by, now_ns, trusted=False)
            return Call(kind.name, asked.id, (read.command,), read.id, by, deadline_ns)
        except Refused as refusal:
            return refusal


def _outcome(kind: str, answer: Answer | Exception, asked: Command) -> Outcome:
    if isinstance(answer, NotFound):
        answer = NotFound(f"there is no {kind} {asked.id!r}")
    if isinstance(answer, Exception):
        return Outcome(error=failure_of(answer))
    state = msgspec.Raw(encode_state(answer.state)) if asked.state else msgspec.Raw(b"null")
    return Outcome(answer.version, bool(answer.events), state)
