"""The check of the archive: is each file there that the log names, and is it sound?"""

from typing import Final

import msgspec

from clawactors.app.archive import archive_of
from clawactors.app.client import Client
from clawactors.eventlog import Corrupt, EventLogError
from clawactors.eventlog.archive.archive import Archive
from clawactors.runtime.client.archiving import last_failure
from clawactors.runtime.client.checks import Check
from clawactors.systems.tasks.payload import shown_size

__all__ = ["check_archive"]

_READ_BYTES: Final = 512 << 20
"""So much is read through; of the files behind that only the index is."""
_SHOWN: Final = 3


class _Archives(msgspec.Struct):
    files: dict[str, int]


async def check_archive(client: Client) -> Check:
    """Reads the files, the newest first: what a disk has changed shows nowhere else before it is needed."""
    try:
        named = (await client.views.answer(_Archives, "archives")).files
        failure = await last_failure(client.questions)
    except EventLogError as error:
        return Check("archive", "unknown", str(error))
    if failure:
        return Check("archive", "failed", f"{failure}; the next run goes on from there")
    if not named:
        return Check("archive", "ok", "no task has moved there yet")
    if not client.found.is_own:
        return Check("archive", "unknown", f"{sum(named.values())} tasks are there; it can't be seen from here")
    try:
        read, wrong = await _read(archive_of(client.found.data), named)
    except EventLogError as error:
        return Check("archive", "failed", str(error))
    text = f"{sum(named.values())} tasks in {len(named)} files; {shown_size(read)} were read"
    if wrong:
        more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        return Check("archive", "failed", f"{'; '.join(wrong[:_SHOWN])}{more}")
    return Check("archive", "ok", f"{text}, all sound")


async def _read(archive: Archive, named: dict[str, int]) -> tuple[int, list[str]]:
    """How many bytes were read, and what is wrong with which file."""
    wrong: list[str] = []
    size = 0
    for name in sorted(named, reverse=True):
        try:
            file = await archive.file(name)
            if size + file.size <= _READ_BYTES:
                await file.verify()
                size += file.size
        except Corrupt as error:
            wrong.append(str(error))
    return size, wrong
