"""Answers `claw.query.<principal>.output` and `….events`: what code emits, and the log itself, as they come."""

import time
from collections.abc import Callable
from typing import Final, override

import msgspec

from clawactors.eventlog import EventLog, Follower, is_id
from clawactors.eventlog.outputs import Outputs
from clawactors.eventlog.requests import Requests
from clawactors.kernel.errors import Refused
from clawactors.kernel.kind import Kinds
from clawactors.runtime.control.following import MOST_PER_PRINCIPAL, FollowedPages
from clawactors.runtime.recordpages import EventsQuestion, OutputQuestion, RecordPage
from clawactors.runtime.serving import answering

__all__ = ["EventsEndpoint", "OutputEndpoint"]

_decode: Final = msgspec.msgpack.Decoder(OutputQuestion).decode
_decode_events: Final = msgspec.msgpack.Decoder(EventsQuestion).decode
_encode: Final = msgspec.msgpack.Encoder().encode


class OutputEndpoint(FollowedPages[OutputQuestion]):
    """Pages of output."""

    def __init__(self, outputs: Outputs, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        super().__init__(monotonic_s)
        self._outputs = outputs

    async def open(self, requests: Requests) -> None:
        """Answers from now on. Raises: `PermissionDenied`, `Unavailable`."""
        most = MOST_PER_PRINCIPAL
        self._serving = [await requests.answer("claw.query.*.output", self._answer, most_per_principal=most)]

    @override
    async def follow(self, question: OutputQuestion) -> Follower:
        """See `FollowedPages`."""
        return await self._outputs.follow(question.id, question.stream, question.after)

    @answering(_decode, _encode, RecordPage, "a question")
    async def _answer(self, principal: str, question: OutputQuestion) -> RecordPage:
        if not (is_id(question.id) and is_id(question.stream) and is_id(question.reader)):
            raise Refused(f"there is no stream {question.stream[:60]!r} of {question.id[:60]!r}")
        return await self.page(principal, question)


class EventsEndpoint(FollowedPages[EventsQuestion]):
    """Pages of the log: what a client may see of it is decided here, because no client reads it."""

    def __init__(self, log: EventLog, kinds: Kinds, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        super().__init__(monotonic_s)
        self._log, self._patterns = log, kinds.patterns

    async def open(self, requests: Requests) -> None:
        """Answers from now on. Raises: `PermissionDenied`, `Unavailable`."""
        most = MOST_PER_PRINCIPAL
        self._serving = [await requests.answer("claw.query.*.events", self._answer, most_per_principal=most)]

    @override
    async def follow(self, question: EventsQuestion) -> Follower:
        """See `FollowedPages`."""
        return await self._log.follow(self._patterns, after=question.after)

    @answering(_decode_events, _encode, RecordPage, "a question")
    async def _answer(self, principal: str, question: EventsQuestion) -> RecordPage:
        if not is_id(question.reader) or question.after < 0:
            raise Refused(f"there is no place {question.after} of a reader {question.reader[:60]!r}")
        return await self.page(principal, question)
