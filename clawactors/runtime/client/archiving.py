"""Asks the leader to move ended tasks to the archive, and waits until it has."""

import asyncio
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import msgspec

from clawactors.kernel.errors import InvalidQuery
from clawactors.runtime.archiving import ARCHIVE, COMPACT, ArchiveReply, ArchiveReport, ArchiveRequest, CompactReply
from clawactors.runtime.asking import checked_reply

if TYPE_CHECKING:
    from clawactors.eventlog.requests import Asking
    from clawactors.runtime.questions import Questions

__all__ = ["archive", "compact", "last_failure"]

_LOOK_S: Final = 0.2
_COMPACT_S: Final = 600.0

_encode: Final = msgspec.json.Encoder().encode
_reply: Final = msgspec.json.Decoder(ArchiveReply).decode


async def archive(
    questions: "Questions", older_s: float, *, dry_run: bool, progress: Callable[[ArchiveReport], None]
) -> ArchiveReport:
    """See `ClusterClient.archive`."""
    if older_s < 0:
        raise InvalidQuery(f"older_than is {older_s:g} s; it must be 0 or more")
    question = _encode(ArchiveRequest(secrets.token_hex(8), older_s, dry_run))
    while True:
        reply = checked_reply(_reply(await questions.ask(ARCHIVE, question, verb="do")))
        if reply.is_done:
            return reply.report
        if not reply.waits:
            progress(reply.report)
        await asyncio.sleep(_LOOK_S)


async def last_failure(questions: "Questions") -> str:
    """Why the last run of this leader failed, '' where it did not. Raises: `Unavailable`."""
    return _reply(await questions.ask(ARCHIVE, _encode(ArchiveRequest()), verb="do", absent_s=0)).failure


async def compact(requests: "Asking", principal: str) -> CompactReply:
    """See `ClusterClient.compact`."""
    answer = await requests.request(f"claw.do.{principal}.{COMPACT}", b"{}", _COMPACT_S)
    return checked_reply(msgspec.json.decode(answer, type=CompactReply))
