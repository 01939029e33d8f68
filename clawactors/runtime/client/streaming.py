"""Follows the output of a task to its end, page by page from control.

The client keeps the place. Nothing is lost between what was recorded and what comes, and nothing comes twice, also when
another control process answers from some page on.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from typing import TYPE_CHECKING, Any, Final

import msgspec

from clawactors.eventlog import UNREADABLE, Record, writer_of
from clawactors.eventlog.requests import Asking
from clawactors.kernel.time import iso
from clawactors.runtime.asking import Ended
from clawactors.runtime.hedging import ask_until_answered
from clawactors.runtime.naming import new_id
from clawactors.runtime.output import OutputMessage
from clawactors.runtime.recordpages import OutputQuestion, PageReader, RecordPage, page_in
from clawactors.systems.tasks.submission import checked_id

if TYPE_CHECKING:
    from clawactors.runtime.client.client import ClusterClient

__all__ = ["Chunk", "follow", "output_row"]

_PLACES: Final = 12
"""Bits of a position that count the chunks of one message; no message has so many."""
_ANSWER_S: Final = 3.0
"""Longer than control waits for something to tell; who has not answered by then was killed, or hangs."""

_decode = msgspec.json.Decoder(OutputMessage).decode
_encode: Final = msgspec.msgpack.Encoder().encode


class Chunk(msgspec.Struct, frozen=True):
    """One emitted `value`. To continue after it, pass its `position` as `after`."""

    value: Any
    attempt: int
    position: int
    at_ns: int
    node: str = ""


def output_row(chunk: Chunk, *, is_log: bool) -> dict[str, Any]:
    """The chunk as scripts read it: the fields of what was logged, or `value`, and where it comes from."""
    about = {"position": chunk.position, "at": iso(chunk.at_ns), "attempt": chunk.attempt, "node": chunk.node}
    told = chunk.value if is_log and isinstance(chunk.value, dict) else {"value": chunk.value}
    return told | about


async def follow(client: "ClusterClient", id: str, name: str, after: int, *, live: bool) -> AsyncGenerator[Chunk]:
    """See `Ref.stream`."""
    await client.snapshot(id, brief=True)
    output = _Output(client.requests, client.principal, id, checked_id(name, "stream"), max(0, (after >> _PLACES) - 1))
    end = client.ends.expect(id) if live else None
    try:
        async for records in output.pages(end):
            for record in records:
                for chunk in _chunks(record):
                    if chunk.position > after:
                        yield chunk
        if end is not None:
            end.result()
    finally:
        if end is not None:
            client.ends.forget(id, end)


class _Output:
    """One stream of output, read from the record after `after` on."""

    def __init__(self, requests: Asking, principal: str, id: str, stream: str, after: int) -> None:
        self._requests, self._subject = requests, f"claw.query.{principal}.output"
        self._id, self._stream, self._name = id, stream, new_id()
        self._reader = PageReader(after)

    async def pages(self, end: asyncio.Future[Ended] | None) -> AsyncGenerator[list[Record]]:
        """Records as they come. The last page is one that was asked for after the end: a task says nothing behind it.

        Raises: `Unavailable`.
        """
        while True:
            page = None
            if end is not None and not end.done():
                page = await self._page_before(end)
            if has_ended := page is None:
                page = await self._ask(waits=False)
            if records := self._reader.take(page):
                yield records
            if has_ended and page.is_last:
                return

    async def _page_before(self, end: asyncio.Future[Ended]) -> RecordPage | None:
        """The next page; None when the task has ended before there is one."""
        asked = asyncio.ensure_future(self._ask(waits=True))
        try:
            await asyncio.wait((asked, end), return_when=asyncio.FIRST_COMPLETED)
            return asked.result() if asked.done() else None
        finally:
            asked.cancel()

    async def _ask(self, *, waits: bool) -> RecordPage:
        """The page that comes next; asks again while nobody answers. Raises: `Refused`, `Unavailable`."""
        reader = self._reader
        question = OutputQuestion(self._name, self._id, self._stream, reader.after, reader.offset, waits)
        busy = "this client follows too many output streams at once"
        return await ask_until_answered(self._requests, self._subject, _encode(question), page_in, _ANSWER_S, busy)


def _chunks(record: Record) -> Iterator[Chunk]:
    try:
        said = _decode(record.body)
    except UNREADABLE:
        return  # put there by hand
    node = writer_of(record.subject) or said.node  # the server knows the former
    for place, value in enumerate(said.chunks[: 1 << _PLACES]):
        yield Chunk(value, said.attempt, (record.seq << _PLACES) + place, record.at_ns, node)
