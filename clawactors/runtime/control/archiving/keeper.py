"""The archive as a duty of the leader: by itself, some times an hour, and on request."""

import asyncio
import contextlib
import logging
from typing import Final

import msgspec

from clawactors.eventlog import EventLogError
from clawactors.eventlog.archive.archive import Archive
from clawactors.eventlog.blobs import Blobs
from clawactors.eventlog.sealing import SealedLog
from clawactors.kernel.errors import Refused
from clawactors.runtime.archiving import ARCHIVE, COMPACT, ArchiveReply, ArchiveReport, ArchiveRequest, CompactReply
from clawactors.runtime.control.archiving.mover import Mover
from clawactors.runtime.control.control import Control
from clawactors.runtime.serving import RequestEndpoint, answering

__all__ = ["ArchiveKeeper"]

_LOOK_S: Final = 0.5
_EVERY_S: Final = 900.0
_AFTER_START_S: Final = 60.0
_RESTS: Final = 4.0
"""By itself it works for one part of the time and rests for four; for less where more than `_AT_EASE` tasks wait."""
_LEAST_RESTS: Final = 0.2
_AT_EASE: Final = 500

_decode: Final = msgspec.json.Decoder(ArchiveRequest).decode
_encode: Final = msgspec.json.Encoder().encode
_log = logging.getLogger(__name__)


class ArchiveKeeper(RequestEndpoint):
    """`serve` moves tasks that ended as long ago as `archive.after` says, while `control` leads, and answers then."""

    def __init__(self, control: Control, log: SealedLog, archive: Archive, blobs: Blobs, rest_s: float = 1.0) -> None:
        super().__init__()
        self._control = control
        self.mover = Mover(
            log,
            archive,
            blobs,
            control.dispatcher,
            control.snapshots,
            control.views,
            control.state.tasks,
            rest_s,
        )
        self._name, self._report, self._error, self._failure = "", ArchiveReport(), "", ""
        self._run: asyncio.Task[None] | None = None
        self._compacting: asyncio.Future[tuple[int, int]] | None = None

    async def serve(self) -> None:
        """Looks whether this process leads, and whether it is time. Ends when it is cancelled."""
        clock = asyncio.get_running_loop().time
        began_s, last_s = clock(), None
        try:
            while True:
                leads = self._control.leadership.leading
                if leads and not self._serving:
                    with contextlib.suppress(EventLogError):
                        await self._open()
                elif not leads and self._serving:
                    await self.aclose()
                after_s = self._control.settings.live.current.archive_after
                every_s = min(_EVERY_S, max(_LOOK_S, after_s / 4))
                due_s = began_s + min(_AFTER_START_S, every_s) if last_s is None else last_s + every_s
                if leads and after_s and clock() >= due_s and not self._is_running:
                    self._begin("", after_s, _RESTS)
                    last_s = clock()
                await asyncio.sleep(_LOOK_S)
        finally:
            if self._run is not None:
                self._run.cancel()
            await self.aclose()

    async def _open(self) -> None:
        answer = self._control.requests.answer
        self._serving = [
            await answer(f"claw.do.*.{ARCHIVE}", self._answer),
            await answer(f"claw.do.*.{COMPACT}", self._compact),
        ]

    @answering(bytes, _encode, CompactReply, "a request to compact")
    async def _compact(self, _principal: str, _asked: bytes) -> CompactReply:
        """Asked again while one is under way, it answers with that one."""
        if self._compacting is None or self._compacting.done():
            self._compacting = asyncio.ensure_future(self._control.views.compact())
        return CompactReply(*await asyncio.shield(self._compacting))

    @property
    def _is_running(self) -> bool:
        return self._run is not None and not self._run.done()

    @answering(_decode, _encode, ArchiveReply, "a request to archive")
    async def _answer(self, _principal: str, asked: ArchiveRequest) -> ArchiveReply:
        if asked.older_s < 0:
            raise Refused("an age is 0 s or more")
        if not asked.run:
            return ArchiveReply(self._report, is_done=not self._is_running, failure=self._failure)
        if asked.run != self._name:
            if self._is_running:
                return ArchiveReply(self._report, waits=True)
            self._begin(asked.run, asked.older_s, 1.0, dry_run=asked.dry_run)
        if self._error:
            raise Refused(self._error)
        return ArchiveReply(self._report, is_done=not self._is_running)

    def _begin(self, name: str, older_s: float, rests: float, *, dry_run: bool = False) -> None:
        self._name, self._report, self._error = name, ArchiveReport(), ""
        self._run = asyncio.create_task(self._move(older_s, rests, dry_run=dry_run))

    async def _move(self, older_s: float, rests: float, *, dry_run: bool) -> None:
        async def pause(took_s: float) -> None:
            waiting = report.found - report.left - report.cleared
            await asyncio.sleep(max(_LEAST_RESTS, rests * min(1.0, _AT_EASE / max(1, waiting))) * took_s)

        clock, report = asyncio.get_running_loop().time, self._report
        began = clock()
        before_ns = self._control.context.time.now_ns() - int(older_s * 1e9)
        try:
            await self.mover.run(before_ns, report, pause, dry_run=dry_run)
        except Exception as error:  # the next run completes what this one has begun
            self._error = self._failure = f"archiving stopped: {error}"
            _log.error("%s", self._error, exc_info=not isinstance(error, (EventLogError, Refused, OSError)))
        else:
            self._failure = ""
        finally:
            report.seconds = round(clock() - began, 3)
        if report.archived:
            _log.info("%d tasks were moved to the archive in %.1f s", report.archived, report.seconds)
