"""Answers what is asked of the log itself: the history of one aggregate, page by page, where it ends, its size.

Any control process may answer. A page is read where the page before it ended, so no process keeps a place.
"""

from contextlib import aclosing
from typing import Final

import msgspec

from clawactors.eventlog import EventLog, Record, aggregate_pattern, is_id
from clawactors.eventlog.blobs import Blobs
from clawactors.eventlog.leases import Leases
from clawactors.eventlog.requests import Requests
from clawactors.kernel.errors import Refused
from clawactors.kernel.kind import Home, Kinds
from clawactors.kernel.principals import is_node
from clawactors.runtime.asking import LEADER_KEY, LogReply, SizesReply
from clawactors.runtime.logtime import LogTime
from clawactors.runtime.recordpages import PAGE_BYTES, HistoryQuestion, RecordPage, page_of
from clawactors.runtime.serving import RequestEndpoint, answering

__all__ = ["RecordsEndpoint"]

_decode: Final = msgspec.msgpack.Decoder(HistoryQuestion).decode
_encode: Final = msgspec.msgpack.Encoder().encode


class RecordsEndpoint(RequestEndpoint):
    """Histories of the kinds that this process folds, for nodes of all; `leases` tells who leads."""

    def __init__(self, log: EventLog, time: LogTime, leases: Leases, blobs: Blobs, kinds: Kinds) -> None:
        super().__init__()
        self._log, self._time, self._leases, self._blobs = log, time, leases, blobs
        self._folded, self._all = frozenset(kind.name for kind in kinds.of(Home.CONTROL)), frozenset(kinds.names)

    async def open(self, requests: Requests, queue: str) -> None:
        """Answers from now on. Raises: `PermissionDenied`, `Unavailable`."""
        self._serving = [
            await requests.answer("claw.query.*.history", self._history, queue=queue),
            await requests.answer("claw.query.*.log", self._end, queue=queue),
            await requests.answer("claw.query.*.sizes", self._sizes, queue=queue),
        ]

    @answering(_decode, _encode, RecordPage, "a question")
    async def _history(self, principal: str, question: HistoryQuestion) -> RecordPage:
        if question.kind not in (self._all if is_node(principal) else self._folded) or not is_id(question.id):
            raise Refused(f"there is no {question.kind[:60]!r} with the id {question.id[:60]!r}")
        return await self._page(question)

    async def _page(self, question: HistoryQuestion) -> RecordPage:
        """Raises: what the log raises."""
        until = question.until
        if until is None:
            until = (await self._log.head()).last_seq
        found: list[Record] = []
        size, is_last = -question.offset, True
        pattern = aggregate_pattern(question.kind, question.id)
        async with aclosing(self._log.read([pattern], after=question.after, until=until)) as batches:
            async for batch in batches:
                found += batch
                size += sum(len(record.body) + len(record.headers) for record in batch)
                if size > PAGE_BYTES:
                    is_last = False
                    break
        page, is_cut = page_of(found, question.offset)
        return RecordPage(page, until, is_last and not is_cut and len(page) == len(found), is_cut)

    @answering(bytes, msgspec.json.encode, LogReply, "a question")
    async def _end(self, _principal: str, _question: bytes) -> LogReply:
        head, leader = await self._log.head(), await self._leases.get(LEADER_KEY)
        name = None if leader is None else leader.decode(errors="replace")
        time = self._time
        clocks = time.server_ahead_ns, time.own_ahead_ns
        return LogReply(head.last_seq, head.messages, head.size_bytes, time.now_ns(), name, *clocks)

    @answering(bytes, msgspec.json.encode, SizesReply, "a question")
    async def _sizes(self, _principal: str, _question: bytes) -> SizesReply:
        return SizesReply((await self._log.head()).size_bytes, await self._blobs.size_bytes())
