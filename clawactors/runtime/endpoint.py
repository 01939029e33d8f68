"""Answers commands: requests on `claw.do.<principal>.<kind>` become calls, calls become outcomes.

1. Only the process that leads its kinds listens, so its absence is told at once.
2. Who asked is the principal of the subject, never what a message says.
3. A request after its deadline, or with one beyond the horizon in which command ids are kept, is not decided.
4. A request that is repeated while it is being decided gets the same answer, at no further cost.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from clawactors.eventlog import UNREADABLE, is_id
from clawactors.eventlog.requests import Requests
from clawactors.kernel.errors import NotFound, Refused
from clawactors.kernel.kind import Kind
from clawactors.kernel.principals import CLIENT
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
from clawactors.runtime.repeats import content_of
from clawactors.runtime.serving import RequestEndpoint

__all__ = ["CommandEndpoint"]

_STATES_MAX_BYTES: Final = 400_000
_NAME_LIMIT: Final = 256

_decode: Final = msgspec.json.Decoder(AskRequest).decode
_encode: Final = msgspec.json.Encoder().encode


def _nobody(_client: str, _ids: Sequence[str]) -> None:
    """Nobody is told of ends."""


class CommandEndpoint(RequestEndpoint):
    """The commands of some kinds. `awaits(client, ids)` is called before commands whose ends a client wants to hear of.

    `client` is `<principal>.<client>`. `own_account`: commands on `claw.do.<kind>`, which names no principal, are those
    of the cluster's own account; they may say who is on record.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        kinds: Sequence[Kind[Any, Any, Any]],
        awaits: Callable[[str, Sequence[str]], None] = _nobody,
        *,
        own_account: bool = False,
    ) -> None:
        super().__init__()
        self._own_account = own_account
        self._dispatcher, self._kinds, self._awaits = dispatcher, kinds, awaits
        self._deciding: dict[tuple[str, str, bytes], asyncio.Future[bytes]] = {}

    @property
    def is_open(self) -> bool:
        """True while it listens."""
        return len(self._serving) == len(self._kinds) * (1 + self._own_account)

    async def open(self, requests: Requests) -> None:
        """Listens from now on. Raises: `PermissionDenied`, `Unavailable`."""
        for kind in self._kinds:

            async def answer(principal: str, body: bytes, kind: Kind[Any, Any, Any] = kind) -> bytes:
                return await self._answer_once(kind, principal, body)

            self._serving.append(await requests.answer(f"claw.do.*.{kind.name}", answer))
            if self._own_account:
                self._serving.append(await requests.serve(f"claw.do.{kind.name}", partial(answer, "")))

    async def _answer_once(self, kind: Kind[Any, Any, Any], principal: str, body: bytes) -> bytes:
        key = kind.name, principal, body
        if (answer := self._deciding.get(key)) is not None:
            return await asyncio.shield(answer)
        answer = self._deciding[key] = asyncio.get_running_loop().create_future()
        try:
            encoded = _encode(await self._answer(kind, principal, body))
            answer.set_result(encoded)
            return encoded
        finally:
            del self._deciding[key]
            answer.cancel()  # where there is none: who repeats it asks again

    async def _answer(self, kind: Kind[Any, Any, Any], principal: str, body: bytes) -> AskReply:
        now_ns = self._dispatcher.context.time.now_ns()
        try:
            request = _decode(body)
        except UNREADABLE as error:
            return AskReply(now_ns, error=Failure("refused", f"not a request: {error}"))
        if not now_ns < request.deadline_ns <= now_ns + HORIZON_NS:
            return AskReply(
                now_ns, error=Failure(EXPIRED, "its deadline has passed, or lies more than 10 minutes ahead")
            )
        if request.awaits and request.client and is_id(request.client):
            self._awaits(f"{principal}.{request.client}", [each.id for each in request.commands])
        calls = [self._call(kind, principal, request.deadline_ns, each, now_ns) for each in request.commands]
        answers = iter(await self._dispatcher.send_many(call for call in calls if isinstance(call, Call)))
        told = _States(kind)
        outcomes = [
            told.outcome(next(answers) if isinstance(call, Call) else call, each)
            for call, each in zip(calls, request.commands, strict=True)
        ]
        return AskReply(self._dispatcher.context.time.now_ns(), outcomes)

    def _call(
        self, kind: Kind[Any, Any, Any], principal: str, deadline_ns: int, asked: Command, now_ns: int
    ) -> Call | Refused:
        try:
            if not is_id(asked.id):
                raise Refused(f"{asked.id[:60]!r} is not an id: use 1 to 128 letters, digits, '-' or '_'")
            by = f"{CLIENT}/{principal}" if principal else ""
            body = bytes(asked.command)
            read = kind.read_command(body, by, now_ns, trusted=not principal)
            if len(read.by) > _NAME_LIMIT or not read.by.isprintable():
                raise Refused(f"'by' is one line of at most {_NAME_LIMIT} characters")
            return Call(
                kind,
                asked.id,
                (read.command,),
                read.id,
                by or read.by or CLIENT,
                deadline_ns,
                version=asked.version,
                content=content_of(read.id, body),
            )
        except Refused as refusal:
            return refusal


class _States:
    """The outcomes of one request, with each state once, and only as many as fit one answer."""

    def __init__(self, kind: Kind[Any, Any, Any]) -> None:
        self._kind = kind
        self._told: set[tuple[str, int]] = set()
        self._left_bytes = _STATES_MAX_BYTES

    def outcome(self, answer: Answer | Exception, asked: Command) -> Outcome:
        """What became of the command."""
        if isinstance(answer, NotFound):
            answer = NotFound(f"there is no {self._kind.name} {asked.id!r}")
        if isinstance(answer, Exception):
            return Outcome(error=failure_of(answer))
        key = asked.id, answer.version
        outcome = Outcome(answer.version, bool(answer.events) or answer.repeats, repeats=answer.repeats)
        if not asked.state or key in self._told:
            return outcome
        self._told.add(key)
        encoded = encode_state(self._kind.brief(answer.state))
        if len(encoded) > self._left_bytes:
            return outcome
        self._left_bytes -= len(encoded)
        return replace(outcome, state=msgspec.Raw(encoded))
