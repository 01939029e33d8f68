"""Appends to several aggregates, all of them or none: one atomic batch of the server, never split, merged or bisected.

1. Without an answer the batch is in doubt: the same commits are sent again under the same guards, and the stored
   records tell whether the first batch was stored.
2. One aggregate that has moved on refuses the whole batch.
"""

import asyncio
import itertools
import random
import secrets
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from clawactors.eventlog.errors import Misconfigured, NoSpace, TooLarge, Unavailable, WrongVersion
from clawactors.eventlog.jetstream.log.flights import Ack
from clawactors.eventlog.jetstream.log.publisher import ANSWER_S, LONGEST_WAIT_S, SHORTEST_WAIT_S
from clawactors.eventlog.jetstream.log.room import NO_ROOM, is_full
from clawactors.eventlog.jetstream.log.settlement import FULL_S
from clawactors.eventlog.jetstream.log.verdict import StreamWitness, judge_all
from clawactors.eventlog.jetstream.wire.codes import BATCH_DISABLED, BUSY, TOO_LARGE, WRONG_LAST_SEQUENCE
from clawactors.eventlog.jetstream.wire.connection import Connection
from clawactors.eventlog.jetstream.wire.frames import Append, batch_frames
from clawactors.eventlog.record import Draft

__all__ = ["MOST", "append_all"]

MOST: Final = 1000
"""Aggregates that one commit may hold."""

_batches = itertools.count(1)
_prefix: Final = secrets.token_hex(6)


_acks: Final = msgspec.json.Decoder(Ack)


async def append_all(
    connection: Connection, stream: str, drafts: Sequence[tuple[Draft, int]], timeout_s: float
) -> list[int]:
    """The versions, in the order of the drafts, once all of them are stored.

    Raises: `WrongVersion` (nothing is stored), `TooLarge`, `Misconfigured`, `Unavailable` (all or nothing is stored).
    """
    if not 0 < len(drafts) <= MOST:
        raise ValueError(f"a commit holds 1 to {MOST} aggregates, not {len(drafts)}")
    loop = asyncio.get_running_loop()
    end_s = loop.time() + timeout_s
    appends = [Append(draft, expected, loop.create_future(), end_s) for draft, expected in drafts]
    pause_s, reason = SHORTEST_WAIT_S, "no answer"
    while loop.time() < end_s:
        if not connection.online:
            await connection.wait_online(end_s - loop.time())
        ack = await _send(connection, appends)
        if ack is not None and ack.error is None:
            return [ack.seq - len(appends) + place for place in range(1, len(appends) + 1)]
        if ack is None or ack.error is None or ack.error.err_code == WRONG_LAST_SEQUENCE:
            if (versions := await _stored(connection, stream, appends)) is not None:
                return versions
        elif ack.error.err_code == BATCH_DISABLED:
            raise Misconfigured(f"the stream {stream} lacks allow_atomic")
        elif ack.error.err_code == TOO_LARGE:
            raise TooLarge(max(append.size_bytes for append in appends), connection.max_payload)
        elif is_full(ack.error) and loop.time() > end_s - timeout_s + FULL_S:
            raise NoSpace(f"{NO_ROOM}: {ack.error.description}")
        elif ack.error.err_code not in BUSY and ack.error.code < 500 and not is_full(ack.error):
            raise Misconfigured(f"{stream} refused a commit: {ack.error.description} ({ack.error.err_code})")
        reason = ack.error.description if ack is not None and ack.error is not None else "no answer"
        await asyncio.sleep(pause_s * random.uniform(0.5, 1))  # noqa: S311 - spreads retries
        pause_s = min(LONGEST_WAIT_S, 2 * pause_s)
    raise Unavailable(f"{reason}; gave up after {timeout_s:g} s, the commit may or may not be stored")


async def _send(connection: Connection, appends: Sequence[Append]) -> Ack | None:
    """The server's answer; None if there was none in time."""
    answered: asyncio.Future[Ack] = asyncio.get_running_loop().create_future()

    def take(_subject: bytes, _reply: bytes, _headers: bytes, body: bytes) -> None:
        if body and not answered.done():  # an empty one only confirms that the batch has begun
            try:
                answered.set_result(_acks.decode(body))
            except msgspec.MsgspecError as error:
                answered.set_exception(Unavailable(f"no answer of a stream: {error}"))

    reply = connection.expect(take)
    try:
        if not connection.write(batch_frames(appends, f"{_prefix}-all-{next(_batches)}", reply)):
            return None
        async with asyncio.timeout(ANSWER_S):
            return await answered
    except TimeoutError:
        return None
    finally:
        connection.forget(reply)


async def _stored(connection: Connection, stream: str, appends: Sequence[Append]) -> list[int] | None:
    """The versions if an earlier attempt was stored; None if that is not known.

    Raises: `WrongVersion` (another writer was first).
    """
    verdicts: list[Any] = await judge_all(StreamWitness(connection, stream), appends, 0)
    if all(isinstance(verdict, int) for verdict in verdicts):
        return verdicts
    for verdict in verdicts:
        if isinstance(verdict, WrongVersion):
            raise verdict
    return None
