"""Following what a task says, to its end."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from typing import TYPE_CHECKING, Any, Final

import msgspec

from clawactors.eventlog import Follower, Record
from clawactors.eventlog.outputs import Outputs
from clawactors.runtime.asking import Ended
from clawactors.runtime.output import OutputMessage
from clawactors.systems.tasks.submission import checked_id

if TYPE_CHECKING:
    from clawactors.runtime.client.client import ClusterClient

__all__ = ["Chunk", "follow"]

_PLACES: Final = 12
"""Bits of a position that count the chunks of one message; no message has so many."""

_decode = msgspec.json.Decoder(OutputMessage).decode


class Chunk(msgspec.Struct, frozen=True):
    """One thing that code said: `value` is what it emitted. To go on behind it, pass its `position` as `after`."""

    value: Any
    attempt: int
    position: int
    at_ns: int
    node: str = ""


async def follow(
    client: "ClusterClient", outputs: Outputs, id: str, name: str, after: int, *, live: bool
) -> AsyncGenerator[Chunk]:
    """See `Ref.stream`."""
    await client.look(id)
    end = client.ends.expect(id)
    try:
        follower = await outputs.follow(id, checked_id(name, "stream"), max(0, (after >> _PLACES) - 1))
        over = asyncio.ensure_future(_over(end, follower, live))
        try:
            while True:
                coming = asyncio.ensure_future(anext(follower))
                await asyncio.wait((coming, over), return_when=asyncio.FIRST_COMPLETED)
                if not coming.done():
                    coming.cancel()
                    break
                for record in coming.result():
                    for chunk in _chunks(record):
                        if chunk.position > after:
                            yield chunk
                if over.done():
                    break
            over.result()
        finally:
            over.cancel()
            await follower.aclose()
    finally:
        client.ends.forget(id, end)


async def _over(end: asyncio.Future[Ended], follower: Follower, live: bool) -> None:
    """Returns when the task has ended and all that it said has been handed out: it says nothing behind its end."""
    if live:
        await asyncio.shield(end)
    await follower.caught_up()


def _chunks(record: Record) -> Iterator[Chunk]:
    try:
        said = _decode(record.body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return  # put there by hand
    for place, value in enumerate(said.chunks[: 1 << _PLACES]):
        yield Chunk(value, said.attempt, (record.seq << _PLACES) + place, record.at_ns, said.node)
