"""Takes large values from clients into the object store and gives them out, part by part.

An upload lies in memory until its last part: so many at once, and only for so long. A part that comes again, or after a
change of the leader, is answered with what has arrived, and the client goes on from there.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import msgspec

from clawactors.eventlog import EventLogError
from clawactors.eventlog.blobs import Blobs
from clawactors.eventlog.requests import Requests, Serving
from clawactors.kernel.errors import Refused
from clawactors.runtime.asking import failure_of
from clawactors.runtime.blobtransfer import PART_BYTES, BlobPart, PartReply, PartRequest, UploadReply
from clawactors.systems.tasks.payload import PAYLOAD_MAX_BYTES, shown_size

__all__ = ["BlobEndpoint"]

_HELD_MAX_BYTES: Final = 256 << 20
_FORGOTTEN_S: Final = 60.0
_CACHED_MAX_BYTES: Final = 64 << 20

_encode: Final = msgspec.msgpack.Encoder().encode
_part: Final = msgspec.msgpack.Decoder(BlobPart).decode
_wanted: Final = msgspec.msgpack.Decoder(PartRequest).decode
_FAULTS: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class _Upload(msgspec.Struct):
    """What has arrived of one value."""

    total: int
    touched_s: float
    body: bytearray = msgspec.field(default_factory=bytearray)


class BlobEndpoint:
    """Uploads and downloads. `monotonic_s` is the clock by which uploads that stopped are dropped."""

    def __init__(self, blobs: Blobs, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._blobs, self._monotonic_s = blobs, monotonic_s
        self._uploads: OrderedDict[tuple[str, str], _Upload] = OrderedDict()
        self._cached: OrderedDict[str, bytes] = OrderedDict()
        self._serving: list[Serving] = []

    async def open(self, requests: Requests) -> None:
        """Takes and gives from now on. Raises: `PermissionDenied`, `Unavailable`."""
        self._serving = [
            await requests.answer("claw.do.*.blob", self._take),
            await requests.answer("claw.query.*.blob", self._give),
        ]

    async def aclose(self) -> None:
        """Takes and gives no longer. Order: idempotent."""
        serving, self._serving = self._serving, []
        for each in serving:
            await each.aclose()

    async def _take(self, principal: str, body: bytes) -> bytes:
        try:
            return _encode(await self._add(principal, _part(body)))
        except _FAULTS as error:
            return _encode(UploadReply(error=failure_of(Refused(f"not a part of an upload: {error}"))))
        except (Refused, EventLogError) as error:
            return _encode(UploadReply(error=failure_of(error)))

    async def _add(self, principal: str, part: BlobPart) -> UploadReply:
        """Raises: `Refused`; what the store raises."""
        if not 0 <= part.total <= PAYLOAD_MAX_BYTES:
            raise Refused(f"a stored value has at most {shown_size(PAYLOAD_MAX_BYTES)}")
        self._drop_old()
        key, now_s = (principal, part.upload), self._monotonic_s()
        if (upload := self._uploads.get(key)) is None:
            held = sum(each.total for each in self._uploads.values())
            if held + part.total > _HELD_MAX_BYTES:
                return UploadReply(error=failure_of(EventLogError("too many uploads at once: try again")))
            upload = self._uploads[key] = _Upload(part.total, now_s)
        upload.touched_s = now_s
        if part.offset == len(upload.body) and part.offset + len(part.body) <= upload.total:
            upload.body += part.body
        if len(upload.body) < upload.total:
            return UploadReply(len(upload.body))
        name = await self._blobs.put(upload.body)
        self._uploads.pop(key, None)
        return UploadReply(upload.total, name)

    def _drop_old(self) -> None:
        before_s = self._monotonic_s() - _FORGOTTEN_S
        for key in [key for key, upload in self._uploads.items() if upload.touched_s < before_s]:
            del self._uploads[key]

    async def _give(self, _principal: str, body: bytes) -> bytes:
        try:
            wanted = _wanted(body)
            value = await self._value(wanted.name)
        except _FAULTS as error:
            return _encode(PartReply(error=failure_of(Refused(f"not a request for a part: {error}"))))
        except (Refused, EventLogError) as error:
            return _encode(PartReply(error=failure_of(error)))
        offset = max(0, wanted.offset)
        return _encode(PartReply(len(value), value[offset : offset + PART_BYTES]))

    async def _value(self, name: str) -> bytes:
        """The value, from those that were asked for lately or from the store. Raises: what the store raises."""
        value = self._cached.pop(name, None)
        if value is None:
            value = await self._blobs.get(name)
        self._cached[name] = value
        while len(self._cached) > 1 and sum(map(len, self._cached.values())) > _CACHED_MAX_BYTES:
            self._cached.popitem(last=False)
        return value
