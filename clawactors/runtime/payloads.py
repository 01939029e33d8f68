"""Values that are too large for an event, on their way into the object store and back."""

from collections.abc import Buffer
from typing import Any, Protocol

import msgspec
from msgspec.structs import replace

from clawactors.eventlog import UNREADABLE, Corrupt
from clawactors.kernel.errors import Refused
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks.events import Spec
from clawactors.systems.tasks.payload import (
    INLINE_MAX_BYTES,
    PAYLOAD_MAX_BYTES,
    Encoded,
    Large,
    is_reference,
    named_in,
    reference,
    shown_size,
)

__all__ = ["BlobAccess", "Payloads"]


class BlobAccess(Protocol):
    """What payloads need of a store."""

    async def put(self, body: Buffer) -> str:
        """Stores it and returns its name. Raises: `Unavailable`."""
        ...

    async def get(self, name: str) -> bytes:
        """The payload. Raises: `Missing`, `Corrupt`, `Unavailable`."""
        ...


class Payloads:
    """Whole values for references and the other way round."""

    def __init__(self, blobs: BlobAccess) -> None:
        self.blobs = blobs

    async def store_blob(self, encoded: bytes, what: str) -> dict[str, Any]:
        """The reference to a value that is encoded as JSON. Raises: `Refused` (too large), `Unavailable`."""
        if len(encoded) > PAYLOAD_MAX_BYTES:
            raise Refused(
                f"{what}: {shown_size(len(encoded))} is more than the {shown_size(PAYLOAD_MAX_BYTES)} that a task can "
                "hold; put it elsewhere and say where"
            )
        return reference(await self.blobs.put(encoded), len(encoded))

    async def load_payload(self, value: Any) -> Any:
        """The value that a reference stands for. Raises: `Refused` (no reference), `Corrupt`, `Unavailable`."""
        name, size_bytes = named_in(value)
        body = await self.blobs.get(name)
        if len(body) != size_bytes:
            raise Corrupt(f"the payload {name} has {len(body)} bytes, and its reference says {size_bytes}")
        try:
            return msgspec.json.decode(body)
        except UNREADABLE as error:
            raise Corrupt(f"the payload {name} is no JSON: {error}") from None

    async def stored(self, command: c.TaskCommand) -> c.TaskCommand:
        """The command with what it says by reference, where that is large. Raises: `Refused`, `Unavailable`."""
        if isinstance(command, c.Signal) and isinstance(command.payload, Encoded):
            return replace(command, payload=await self.store_blob(command.payload.body, "the signal's payload"))
        return command

    async def offload_payload(self, spec: Spec) -> Spec:
        """The task with its parameters by reference, where they are large. Raises: `Refused`, `Unavailable`."""
        if not isinstance(spec.params, Large):
            return spec
        encoded = msgspec.json.encode(spec.params)
        if 2 * len(encoded) < INLINE_MAX_BYTES and not is_reference(spec.params):
            return spec  # something else of it is large
        return replace(spec, params=await self.store_blob(encoded, "the parameters"))
