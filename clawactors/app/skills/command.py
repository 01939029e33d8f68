"""Runs one command under a keeper (see `keeper`), collects what it prints up to a limit, and prints it on."""

import asyncio
import codecs
import errno
import os
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from typing import IO, Final, TextIO

import msgspec

from clawactors.kernel.errors import Refused
from clawactors.runtime.node.keeperprocess import KeeperProcess
from clawactors.systems.tasks.payload import PAYLOAD_MAX_BYTES

__all__ = ["Captured", "ProgramOutcome", "run_command"]

_GRACE_S: Final = 2.0
_LAST_S: Final = 5.0  # what hangs in the kernel ends when that lets it go; nobody waits for it longer
_CHUNK_BYTES: Final = 1 << 16
_CALLERS_FAULT: Final = {
    errno.ENOENT,
    errno.EACCES,
    errno.ENOTDIR,
    errno.ENOEXEC,
    errno.E2BIG,
    errno.ELOOP,
    errno.EISDIR,
}

_endings: set[asyncio.Future[None]] = set()


class Captured(msgspec.Struct, frozen=True):
    """The first bytes of what a command printed, and how many there were in all.

    Where there were more, `spool` is a file with up to 64 MB of them.
    """

    head: bytes
    size_bytes: int
    spool: IO[bytes] | None = None


class ProgramOutcome(msgspec.Struct, frozen=True):
    """How a command ended: its exit code, negative for a signal, and what it printed."""

    exit: int
    stdout: Captured
    stderr: Captured


async def run_command(
    argv: Sequence[str],
    *,
    cwd: str | None,
    env: Mapping[str, str],
    input: bytes | None,
    limit_bytes: int,
    spools: ExitStack,
) -> ProgramOutcome:
    """Runs it to its end; what it prints is printed here too, and more than the limit of it is kept in `spools`.

    Cancelled, it asks the command to end, and kills all that is left two seconds later.

    Raises: `Refused` for what can't be run at all, `OSError` where the machine is short of something.
    """
    try:
        keeper = await KeeperProcess.begin(argv, stdin=DEVNULL if input is None else PIPE, cwd=cwd, env=env)
    except OSError as error:
        raise _explained(error.errno, argv[0], cwd) from error
    process = keeper.process
    collecting = asyncio.ensure_future(_collect_both(process, input, limit_bytes, spools))
    try:
        try:
            stdout, stderr = await asyncio.shield(collecting)
            await process.wait()
        finally:
            ending = asyncio.ensure_future(_end(keeper, collecting))
            _endings.add(ending)
            ending.add_done_callback(_endings.discard)
            await asyncio.shield(ending)  # who is cancelled again need not wait for it
        outcome = keeper.outcome()
    finally:
        keeper.close()
    match outcome:
        case None:
            raise RuntimeError(f"the keeper of {argv[0]!r} was killed")
        case OSError():
            raise _explained(outcome.errno, argv[0], cwd)
        case code:
            return ProgramOutcome(code, stdout, stderr)


async def _collect_both(
    process: Process, input: bytes | None, limit_bytes: int, spools: ExitStack
) -> tuple[Captured, Captured]:
    stdout, stderr, _ = await asyncio.gather(
        _collect(process.stdout, limit_bytes, spools, sys.stdout),
        _collect(process.stderr, limit_bytes, spools, sys.stderr),
        _feed(process.stdin, input),
    )
    return stdout, stderr


async def _collect(
    stream: asyncio.StreamReader | None, limit_bytes: int, spools: ExitStack, onward: TextIO
) -> Captured:
    """Reads to the end, so that the command never waits for us; keeps the beginning, and more of it in a file."""
    head, size_bytes = bytearray(), 0
    spool: IO[bytes] | None = None
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    while stream is not None and (chunk := await stream.read(_CHUNK_BYTES)):
        if spool is None and size_bytes + len(chunk) > limit_bytes:
            spool = spools.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
            spool.write(head)
        if spool is not None and not spool.closed:  # nobody wants it any more when its task is given up
            spool.write(chunk[: max(0, PAYLOAD_MAX_BYTES - size_bytes)])
        head += chunk[: max(0, limit_bytes - len(head))]
        size_bytes += len(chunk)
        onward.write(decoder.decode(chunk))
    return Captured(bytes(head), size_bytes, spool)


async def _feed(stream: asyncio.StreamWriter | None, input: bytes | None) -> None:
    if stream is None or input is None:
        return
    with suppress(ConnectionError):  # it need not read all of it
        stream.write(input)
        await stream.drain()
    stream.close()
    with suppress(ConnectionError):
        await stream.wait_closed()


async def _end(keeper: KeeperProcess, collecting: asyncio.Future[tuple[Captured, Captured]]) -> None:
    process = keeper.process
    try:
        if process.returncode is None:
            keeper.ask_to_end()
            with suppress(TimeoutError):
                async with asyncio.timeout(_GRACE_S):
                    await process.wait()
    finally:
        keeper.end_now()
    try:
        async with asyncio.timeout(_LAST_S):
            await process.wait()
            await collecting
    except TimeoutError:
        collecting.cancel()


def _explained(number: int | None, program: str, cwd: str | None) -> Exception:
    if number not in _CALLERS_FAULT:
        return OSError(number or 0, os.strerror(number or 0), program)
    if cwd is not None and not os.path.isdir(cwd):
        return Refused(f"can't run {program!r}: cwd {cwd!r} is not a folder on this node")
    return Refused(f"can't run {program!r}: {os.strerror(number or 0)}")
