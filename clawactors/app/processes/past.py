"""A process that builds the views of a past moment, so that no other waits for the fold of a long log.

It reads its start from its input, and prints a line whenever it has come further; the last one says how it ended.
"""

import contextlib
import os
import sys
from pathlib import Path
from typing import Any

import msgspec

from clawactors.app.processes.beside import begin, beside
from clawactors.eventlog import EventLogError, Unavailable
from clawactors.eventlog.jetstream import Address
from clawactors.projections.engine.replay import Progress

__all__ = ["PastLine", "PastStart", "build_in_process"]


class PastStart(msgspec.Struct, frozen=True):
    """What is to be built, and from which log."""

    parent: int
    address: Address
    data: str
    projection: str
    into: str
    position: int


class PastLine(msgspec.Struct, frozen=True):
    """So many commits `done` `of` so many; `ended` with an `error`, '' for none."""

    done: int = 0
    of: int = 0
    ended: bool = False
    error: str = ""


async def build_in_process(
    address: Address, data: str, projection: str, into: Path, position: int, progress: Progress
) -> None:
    """Has another process fill the views in the folder `into`, from the log and the archive of the data folder.

    Raises: `Unavailable` with what it says of itself.
    """
    error = f"the process that builds the views of {position} has died"
    async with beside("clawactors.app.processes.past") as process:
        stdin: Any = process.stdin
        stdout: Any = process.stdout
        with contextlib.suppress(ConnectionError):
            stdin.write(
                msgspec.json.encode(PastStart(os.getpid(), address, data, projection, str(into), position)) + b"\n"
            )
            await stdin.drain()
        async for text in stdout:
            line = msgspec.json.decode(text, type=PastLine)
            if line.ended:
                error = line.error
            else:
                progress(line.done, line.of)
        await process.wait()
    if error:
        raise Unavailable(error)


async def _build(start: PastStart) -> None:
    from clawactors.app.archive import archive_of, archived_log
    from clawactors.app.projections import projection_named
    from clawactors.eventlog.jetstream import JetStreamLog
    from clawactors.projections.past import build_views

    async with await JetStreamLog.connect(start.address, "claw-past", create=False) as log:
        whole = archived_log(log, archive_of(Path(start.data)), goes_on=True)
        await build_views(whole, Path(start.into), projection_named(start.projection), start.position, _tell)


def _tell(done: int, of: int) -> None:
    _say(PastLine(done, of))


def _say(line: PastLine) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")
    sys.stdout.buffer.flush()


def main() -> None:
    """Builds what its start says."""
    start = begin(PastStart)
    import uvloop

    try:
        uvloop.run(_build(start))
    except EventLogError as error:
        _say(PastLine(ended=True, error=str(error)))
    else:
        _say(PastLine(ended=True))


if __name__ == "__main__":
    main()
