"""Has a backup made whenever the plan says so, by the control process that leads.

A backup that a leader began and did not live to note is made again by the next one: nothing is lost but time.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from clawactors.eventlog import EventLogError
from clawactors.kernel.errors import Refused
from clawactors.runtime.call import Call
from clawactors.runtime.dispatcher import Dispatcher
from clawactors.runtime.settings import LiveSettings
from clawactors.systems.backups import CLUSTER, BackupPlan, Backups, due_ns
from clawactors.systems.backups.commands import BackupCommand, NoteBackup, NoteFailedBackup, PlanBackups, StopBackups
from clawactors.systems.backups.kind import BACKUPS
from clawactors.systems.settings import Settings

__all__ = ["BackupKeeper", "MakeBackup"]

_EVERY_S: Final = 10.0

_log = logging.getLogger(__name__)

type MakeBackup = Callable[[BackupPlan], Awaitable[NoteBackup]]
"""Makes a backup of this plan and removes those that are too many. Raises: `EventLogError` with the reason."""


class BackupKeeper:
    """`serve` runs until cancelled."""

    def __init__(
        self, dispatcher: Dispatcher, leads: Callable[[], bool], make: MakeBackup, settings: LiveSettings
    ) -> None:
        self._dispatcher, self._leads, self._make, self._settings = dispatcher, leads, make, settings
        self._changed = asyncio.Event()
        settings.watch(lambda _: self._changed.set())

    async def serve(self) -> None:
        """Checks for ever."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_EVERY_S):
                    await self._changed.wait()
            self._changed.clear()
            try:
                await self.check()
            except (EventLogError, Refused) as error:
                _log.warning("backups have to wait: %s", error)

    async def check(self) -> bool:
        """Has a backup made if one is due and this process leads; True where one was tried. Raises: `Unavailable`."""
        if not self._leads():
            return False
        backups = await self._load()
        if not await self._plan_as_set(backups) and self._due(backups) is None:
            return False
        if (plan := self._due(await self._load(at_least=-1))) is None:
            return False
        command: BackupCommand
        try:
            command = await self._make(plan)
        except EventLogError as error:
            _log.error("no backup was made: %s", error)
            command = NoteFailedBackup(str(error))
        await self._dispatcher.send(Call(BACKUPS, CLUSTER, (command,)))
        return True

    async def _load(self, at_least: int = 0) -> Backups:
        """What is known as of that version; -1 means all that is in the log. Raises: `Unavailable`."""
        backups: Backups = (await self._dispatcher.snapshots.load(BACKUPS, CLUSTER, at_least=at_least)).snapshot.state
        return backups

    async def _plan_as_set(self, known: Backups) -> bool:
        """Records what the settings plan, once for each change of them; True if there was one.

        Raises: `Refused`, `Unavailable`.
        """
        wanted = _plan_of(self._settings.current)
        if wanted == known.of_settings:
            return False
        by = self._dispatcher.context.by
        command = PlanBackups(wanted, by, of_settings=True) if wanted else StopBackups(by, of_settings=True)
        await self._dispatcher.send(Call(BACKUPS, CLUSTER, (command,)))
        return True

    def _due(self, backups: Backups) -> BackupPlan | None:
        """The plan of which one is due."""
        due = due_ns(backups)
        return backups.plan if due is not None and due <= self._dispatcher.context.time.now_ns() else None


def _plan_of(settings: Settings) -> BackupPlan | None:
    if not (settings.backup_folder and settings.backup_every):
        return None
    return BackupPlan(folder=settings.backup_folder, every_s=settings.backup_every, copies=settings.backup_keep)
