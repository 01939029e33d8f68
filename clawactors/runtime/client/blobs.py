"""Large values of a client, through control: see `runtime/blobtransfer.py`."""

import hashlib
from collections.abc import Buffer, Callable
from typing import Final

import msgspec

from clawactors.eventlog import Corrupt
from clawactors.eventlog.requests import Asking
from clawactors.runtime.asking import checked_reply
from clawactors.runtime.blobtransfer import PART_BYTES, BlobPart, PartReply, PartRequest, UploadReply
from clawactors.runtime.hedging import ask_until_answered
from clawactors.runtime.naming import new_id

__all__ = ["ClientBlobs"]

_ANSWER_S: Final = 5.0

_encode: Final = msgspec.msgpack.Encoder().encode
_uploaded: Final = msgspec.msgpack.Decoder(UploadReply).decode
_part: Final = msgspec.msgpack.Decoder(PartReply).decode


class ClientBlobs:
    """Payloads by the SHA-256 of their bytes, uploaded and downloaded in parts."""

    def __init__(self, requests: Asking, principal: str) -> None:
        self._requests = requests
        self._up, self._down = f"claw.do.{principal}.blob", f"claw.query.{principal}.blob"

    async def put(self, body: Buffer) -> str:
        """Stores it and returns its name. Raises: `Refused`, `Unavailable`."""
        view = memoryview(body).cast("B")
        upload, offset = new_id(), 0
        while True:
            part = BlobPart(upload, offset, view.nbytes, bytes(view[offset : offset + PART_BYTES]))
            reply = await self._ask(self._up, _encode(part), _uploaded)
            if reply.name:
                if reply.name != hashlib.sha256(view).hexdigest():
                    raise Corrupt(f"what was stored as {reply.name} is not what was sent")
                return reply.name
            offset = reply.received

    async def get(self, name: str) -> bytes:
        """The payload. Raises: `Missing`, `Corrupt`, `Unavailable`."""
        parts: list[bytes] = []
        received = 0
        while True:
            reply = await self._ask(self._down, _encode(PartRequest(name, received)), _part)
            parts.append(reply.body)
            received += len(reply.body)
            if received >= reply.total:
                break
        value = b"".join(parts)
        if hashlib.sha256(value).hexdigest() != name:
            raise Corrupt(f"the payload {name} is not what was put")
        return value

    async def _ask[R: (UploadReply, PartReply)](self, subject: str, body: bytes, decode: Callable[[bytes], R]) -> R:
        """The leader's answer, asked again while it can't take more. Raises: `Unavailable`; what the answer says."""
        busy = "too many uploads and downloads at once: start fewer"
        return await ask_until_answered(
            self._requests, subject, body, lambda answer: checked_reply(decode(answer)), _ANSWER_S, busy
        )
