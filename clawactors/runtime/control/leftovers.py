"""What lies outside of the log and belongs to sealed records alone: large values, and streamed output of tasks."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from clawactors.eventlog import EventLog, Record
from clawactors.eventlog.blobs import Blobs
from clawactors.eventlog.outputs import Outputs
from clawactors.kernel.kind import Kinds
from clawactors.runtime.sweep import BlobSearch, names_in, retain_inner, with_inner
from clawactors.systems.erasures import Erased
from clawactors.systems.owners import owner_id

__all__ = ["Leftovers"]


_MARKS: Final = (b'"user":"', b'"owner":"')


class Leftovers:
    """Reads the whole log while the keys still open it."""

    def __init__(self, log: EventLog, kinds: Kinds, blobs: Blobs, outputs: Outputs) -> None:
        self._log, self._kinds, self._blobs, self._outputs = log, kinds, blobs, outputs

    async def remove(self, owner: str, keys: tuple[str, ...]) -> Erased:
        """Removes what only records name that these keys of the owner's id have sealed; what that was, in numbers.

        Raises: what log and stores raise. Order: idempotent.
        """
        sealed_by = {f"{owner}.{key}" for key in keys}
        stored = await self._blobs.stored()
        names = {blob.name for blob in stored}
        theirs, others = set[str](), set[str]()
        aggregates: dict[str, set[str]] = defaultdict(set)
        unsealed = set[tuple[str, str]]()
        records = 0
        async for batch in self._log.read(self._kinds.patterns):
            for record in batch:
                key = record.header("Claw-Key")
                found = names.intersection(names_in(record.body)) if names else ()
                if key in sealed_by:
                    records += 1
                    _, kind, id, *_ = record.subject.split(".", 3)
                    aggregates[kind].add(id)
                    theirs.update(found)
                else:
                    others.update(found)
                    if not key and any(mark in record.body for mark in _MARKS):
                        unsealed.update(self._theirs(record, owner))
        search = BlobSearch(await with_inner(self._blobs, theirs - others, names))
        search.left -= others
        if search.left:
            await retain_inner(self._blobs, stored, search)
        removed = [blob for blob in stored if blob.name in search.left]
        for blob in removed:
            await self._blobs.remove(blob)
        return Erased(
            records=records,
            aggregates={kind: len(ids) for kind, ids in sorted(aggregates.items())},
            blobs=len(removed),
            outputs=await self._outputs.remove(aggregates["task"]),
            unsealed=len(unsealed),
        )

    def _theirs(self, record: Record, owner: str) -> Iterator[tuple[str, str]]:
        """The aggregate of a record that was never sealed, where the owner's words are in it."""
        commit = self._kinds.decoder.decode(record)
        for event in commit.events:
            name = getattr(event, "user", "") or getattr(event, "owner", "")
            if name and owner_id(name) == owner and self._kinds[commit.kind].bare(event) is not event:
                yield commit.kind, commit.id
