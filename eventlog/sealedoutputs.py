"""Output that is stored sealed where it has an owner, and handed out opened; what was erased is left out."""

from collections.abc import AsyncIterator, Collection

from msgspec.structs import replace

from clawactors.eventlog.log import Follower
from clawactors.eventlog.outputs import Outputs
from clawactors.eventlog.record import Record
from clawactors.eventlog.sealing import Sealer
from clawactors.eventlog.unsealing import UnsealingFollower

__all__ = ["SealedOutputs"]


class SealedOutputs:
    """An `Outputs` on another one."""

    def __init__(self, outputs: Outputs, sealer: Sealer) -> None:
        self._outputs, self._sealer = outputs, sealer

    async def publish(self, id: str, stream: str, writer: str, body: bytes, name: str, owner: str = "") -> None:
        """See `Outputs`."""
        if owner:
            body = await self._sealer.seal_own(owner, id, body)
        await self._outputs.publish(id, stream, writer, body, name)

    async def read(self) -> AsyncIterator[list[Record]]:
        """See `Outputs`."""
        async for records in self._outputs.read():
            if opened := await self._open(records):
                yield opened

    async def follow(self, id: str, stream: str, after: int = 0) -> Follower:
        """See `Outputs`."""
        return UnsealingFollower(await self._outputs.follow(id, stream, after), self._open)

    async def remove(self, ids: Collection[str]) -> int:
        """See `Outputs`."""
        return await self._outputs.remove(ids)

    async def _open(self, records: list[Record]) -> list[Record]:
        opened: list[Record] = []
        for record in records:
            body = await self._sealer.open_payload(record.subject.split(".")[2], record.body)
            if body is not None:
                opened.append(record if body is record.body else replace(record, body=body))
        return opened
