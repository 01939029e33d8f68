"""What happened to the words of an owner. Tags are promises (see `clawactors.eventlog.codec`)."""

from typing import Annotated, Final

import msgspec

from clawactors.eventlog import Codec

__all__ = ["CODEC", "Count", "Erased", "ErasureBegun", "ErasureEvent", "ErasureFinished"]

type Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class Erased(msgspec.Struct, frozen=True, omit_defaults=True):
    """How much was erased: commits that can't be opened any more, the aggregates of each kind that they are of, large
    values and streamed output that were removed; `unsealed` commits of the owner were never sealed, and stay."""

    records: Count = 0
    aggregates: dict[str, Count] = {}
    blobs: Count = 0
    outputs: Count = 0
    unsealed: Count = 0


class _ErasureEvent(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    pass


class ErasureBegun(_ErasureEvent, frozen=True, tag="erasure.begun"):
    """What was sealed with these keys is to be erased; nothing is sealed with them from here on.

    `request` is who asked by its own name, so that it is not carried out twice.
    """

    request: str
    keys: tuple[str, ...] = ()
    by: str = ""
    reason: str = ""


class ErasureFinished(_ErasureEvent, frozen=True, tag="erasure.finished"):
    """The keys are gone: from here on a reader builds again what it had made of the words."""

    request: str
    erased: Erased = Erased()


type ErasureEvent = ErasureBegun | ErasureFinished

CODEC: Final[Codec[ErasureEvent]] = Codec(ErasureEvent.__value__)
