"""Takes large values from clients into the object store and gives them out, part by part.

An upload lies in memory until its last part: so many at once, and only for so long. A part that comes again, or after a
change of the leader, is answered with what has arrived, and the client goes on from there.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import msgspec

from clawactors.eventlog import Unavailable
from clawactors.eventlog.blobs import Blobs
from clawactors.eventlog.requests import Requests
from clawactors.kernel.errors import Refused
from clawactors.runtime.blobtransfer import PART_BYTES, BlobPart, PartReply, PartRequest, UploadReply
from clawactors.runtime.serving import RequestEndpoint, answering
from clawactors.systems.tasks.payload import PAYLOAD_MAX_BYTES, shown_size

__all__ = ["BlobEndpoint"]

_HELD_MAX_BYTES: Final = 256 << 20
_FORGOTTEN_S: Final = 60.0
_CACHED_MAX_BYTES: Final = 64 << 20

_encode: Final = msgspec.msgpack.Encoder().encode
_part: Final = msgspec.msgpack.Decoder(BlobPart).decode
_wanted: Final = msgspec.msgpack.Decoder(PartRequest).decode


class _Upload(msgspec.Struct):
    """What has arrived of one value."""

    total: int
    touched_s: float
    body: bytearray = msgspec.field(default_factory=bytearray)


class BlobEndpoint(RequestEndpoint):
    """Uploads and downloads. `monotonic_s` is the clock by which uploads that stopped are dropped."""

    def __init__(self, blobs: Blobs, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._blobs, self._monotonic_s = blobs, monotonic_s
        self._uploads: OrderedDict[tuple[str, str], _Upload] = OrderedDict()
        self._cached: OrderedDict[str, bytes] = OrderedDict()

    async def open(self, requests: Requests) -> None:
        """Takes and gives from now on. Raises: `PermissionDenied`, `Unavailable`."""
        self._serving = [
            await requests.answer("claw.do.*.blob", self._take),
            await requests.answer("claw.query.*.blob", self._give),
        ]

    def forget(self) -> None:
        """Keeps none of the values that were asked for lately: some of them were erased."""
        self._cached.clear()

    @answering(_part, _encode, UploadReply, "a part of an upload")
    async def _take(self, principal: str, part: BlobPart) -> UploadReply:
        """Raises: `Refused`; what the store raises."""
        if not 0 <= part.total <= PAYLOAD_MAX_BYTES:
            raise Refused(f"a stored value has at most {shown_size(PAYLOAD_MAX_BYTES)}")
        self._drop_old()
        key, now_s = (principal, part.upload), self._monotonic_s()
        if (upload := self._uploads.get(key)) is None:
            held = sum(each.total for each in self._uploads.values())
            if held + part.total > _HELD_MAX_BYTES:
                raise Unavailable("too many uploads at once: try again")
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

    @answering(_wanted, _encode, PartReply, "a request for a part")
    async def _give(self, _principal: str, wanted: PartRequest) -> PartReply:
        value, offset = await self._value(wanted.name), max(0, wanted.offset)
        return PartReply(len(value), value[offset : offset + PART_BYTES])

    async def _value(self, name: str) -> bytes:
        """The value, from those that were asked for lately or from the store. Raises: what the store raises."""
        value = self._cached.pop(name, None)
        if value is None:
            value = await self._blobs.get(name)
        self._cached[name] = value
        while len(self._cached) > 1 and sum(map(len, self._cached.values())) > _CACHED_MAX_BYTES:
            self._cached.popitem(last=False)
        return value
