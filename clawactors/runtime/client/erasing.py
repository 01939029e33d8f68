"""Has an owner's words erased: first what memory holds, then what the log does. One path for Python and the CLI."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import msgspec

from clawactors.eventlog import Unavailable
from clawactors.kernel.errors import InvalidQuery
from clawactors.runtime.asking import checked_reply
from clawactors.runtime.erasing import EraseReply, EraseRequest
from clawactors.runtime.naming import new_id

if TYPE_CHECKING:
    from clawactors.runtime.client.client import ClusterClient

__all__ = ["COPIES", "erase"]

COPIES: Final = (
    "backups and mirrors made after this hold nothing that can be read; those made before hold the keys too: delete "
    "them, or erase again after one was restored"
)
_LOST_S: Final = 60.0
"""For so long the process that erases may be away."""
_PAUSE_S: Final = 0.1

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(EraseReply).decode


async def erase(
    client: "ClusterClient", owner: str, *, cancel: bool, reason: str, stage: Callable[[str], None]
) -> dict[str, Any]:
    """See `ClusterClient.erase`."""
    if not owner:
        raise InvalidQuery("erase takes the name of an owner")
    asked = EraseRequest(owner, new_id(), cancel=cancel, reason=reason)
    await _until_done(client, msgspec.structs.replace(asked, prepare=True), stage)
    stage("forgetting memories")
    forgotten = await client.memories.forget(owner=owner, reason=reason)
    receipt = await _until_done(client, asked, stage)
    receipt |= {"owner": owner, "memories": forgotten["changed"], "copies": COPIES}
    return {"erased": receipt["records"], "receipt": receipt}


async def _until_done(client: "ClusterClient", asked: EraseRequest, stage: Callable[[str], None]) -> dict[str, Any]:
    """Asks until it is done: a new leader continues it."""
    clock = asyncio.get_running_loop().time
    heard_s = clock()
    while True:
        try:
            reply = checked_reply(_decode(await client.questions.ask("erase", _encode(asked), verb="do")))
        except Unavailable:
            if clock() > heard_s + _LOST_S:
                raise
        else:
            heard_s = clock()
            if reply.receipt is not None:
                return reply.receipt
            stage(reply.stage)
        await asyncio.sleep(_PAUSE_S)
