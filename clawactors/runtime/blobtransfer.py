"""Large values on their way through control: clients have no rights on the object store.

Up on `claw.do.<principal>.blob`, part by part; down on `claw.query.<principal>.blob`. Bodies are MessagePack.
"""

from typing import Final

import msgspec

from clawactors.runtime.asking import Failure

__all__ = ["PART_BYTES", "BlobPart", "PartReply", "PartRequest", "UploadReply"]

PART_BYTES: Final = 512 << 10
"""The server takes messages of 1 MB."""


class BlobPart(msgspec.Struct, frozen=True, omit_defaults=True):
    """One part of an upload: the bytes from `offset` on, of `total` in all."""

    upload: str
    offset: int
    total: int
    body: bytes


class UploadReply(msgspec.Struct, frozen=True, omit_defaults=True):
    """How many bytes have arrived; the name once all have and are stored."""

    received: int = 0
    name: str = ""
    error: Failure | None = None


class PartRequest(msgspec.Struct, frozen=True):
    """Asks for the part of a stored value that begins at `offset`."""

    name: str
    offset: int


class PartReply(msgspec.Struct, frozen=True, omit_defaults=True):
    """A part of a stored value, of `total` bytes in all."""

    total: int = 0
    body: bytes = b""
    error: Failure | None = None
