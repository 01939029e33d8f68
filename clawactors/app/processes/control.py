"""The main of a control process: placement, recovery, views, queries."""

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

from clawactors.app.archive import archive_of, archived_log
from clawactors.app.gauges import disk_gauge, lag_gauge
from clawactors.app.logmark import LogMark
from clawactors.app.processes.past import build_in_process
from clawactors.app.processes.start import ControlStart, log_as_set, main
from clawactors.app.projections import CLUSTER
from clawactors.app.questions import answer_questions, heartbeat_of
from clawactors.app.upkeep.planned import in_a_process
from clawactors.eventlog import EventLogError
from clawactors.eventlog.jetstream import (
    Address,
    Connection,
    Disconnects,
    JetStreamBlobs,
    JetStreamCommands,
    JetStreamDeadLetters,
    JetStreamLeases,
    JetStreamLog,
    JetStreamOutputs,
    JetStreamRequests,
    JetStreamTimers,
    health_of,
)
from clawactors.eventlog.sealedoutputs import SealedOutputs
from clawactors.kernel.kind import Kinds
from clawactors.kinds import KINDS
from clawactors.projections.engine.damage import distrust
from clawactors.projections.engine.view import Projection
from clawactors.projections.live import LiveViews
from clawactors.projections.past import FOLDER, PastViews
from clawactors.projections.starting import starting_point
from clawactors.runtime.archiving import ArchivedBlobs
from clawactors.runtime.clock import SystemClock
from clawactors.runtime.context import ActorContext
from clawactors.runtime.control import Control
from clawactors.runtime.control.alarms import AlarmKeeper
from clawactors.runtime.control.archiving.keeper import ArchiveKeeper
from clawactors.runtime.control.backups import BackupKeeper
from clawactors.runtime.control.losses import LossWatch
from clawactors.runtime.notifications.settings import read_notify_settings
from clawactors.systems.settings import Settings

__all__ = ["serve"]


_INBOX = "_INBOX.control"
_ASKED = "_INBOX.asked"
"""Where nodes answer, each under its id; none of them learns where others do."""

_APPEND_S = 5.0
"""An append in doubt is reported after so long, with the reason: well before clients give up, who ask again."""


async def serve(
    start: ControlStart, ready: Callable[[], None], kinds: Kinds = KINDS, projection: Projection = CLUSTER
) -> None:
    """Folds the log and leads when it may, until cancelled."""
    async with contextlib.AsyncExitStack() as stack:
        log = await stack.enter_async_context(
            await JetStreamLog.connect(
                start.address, f"claw-control/{start.name}", kinds=kinds.names, timeout_s=_APPEND_S, inbox=_INBOX
            )
        )
        # Answers leave on a connection of their own, which needs the right to publish to inboxes and to nothing else.
        replies = await Connection.open(start.address, f"claw-answers/{start.name}", inbox=_INBOX)
        stack.push_async_callback(replies.aclose)
        clock, identity, folder = SystemClock(), (await log.head()).identity, Path(start.data) / "views"
        mark = LogMark(Path(start.data))
        await mark.check(log)
        if start.died_of:
            distrust(folder, start.died_of)
        archive = archive_of(Path(start.data))
        whole, blobs = archived_log(log, archive, goes_on=True), JetStreamBlobs(log.connection)
        views = await LiveViews.open(
            whole,
            folder,
            projection,
            heartbeat=lambda node: heartbeat_of(control, node),
            now_ns=clock.now_ns,
            reported=lambda task, attempt, node: control.progress.of(task, attempt, node),  # noqa: PLW0108 # it is made below
            probe=starting_point,
        )
        stack.push_async_callback(views.aclose)
        builder = partial(build_in_process, log.connection.address, start.data, projection.name)
        views.past = PastViews(whole, folder / FOLDER, projection, builder)
        control = Control(
            ActorContext(archived_log(log, archive), clock, f"control/{start.name}"),
            JetStreamLeases(log.connection),
            JetStreamRequests(log.connection, replies=replies, apart=_ASKED),
            views,
            JetStreamDeadLetters(log.connection, identity),
            JetStreamTimers(log.connection),
            JetStreamCommands(log.connection),
            ArchivedBlobs(blobs, archive, log.sealer),
            SealedOutputs(JetStreamOutputs(log.connection), log.sealer),
            kinds,
            log.sealer,
            start.given,
        )
        control.settings.live.watch(log_as_set)
        make = in_a_process(log.connection.address, start.data)
        backups = BackupKeeper(control.dispatcher, lambda: control.leadership.leading, make, control.settings.live)
        control.triggers.settings = partial(read_notify_settings, Path(start.data))
        alarms = AlarmKeeper(control.dispatcher, lambda: control.leadership.leading, (), control.triggers.notify_now)

        def gauge(settings: Settings) -> None:
            lag = lag_gauge(control.context.log, lambda: views.position, settings.alarm_lag)
            alarms.use((lag, disk_gauge(Path(start.data), lambda: log.trouble, settings.alarm_disk)))

        control.settings.live.watch(gauge)
        views.feed.on_fault = control.dead.put
        log.connection.on_back.append(control.forgive)
        await _listen_to_server(stack, start.system, control, log)
        await answer_questions(control, views.answer, projection, views.health.answer, lambda: log.trouble)
        async with asyncio.TaskGroup() as group:
            group.create_task(views.serve())
            group.create_task(control.serve())
            group.create_task(ArchiveKeeper(control, log, archive, blobs).serve())
            group.create_task(backups.serve())
            group.create_task(alarms.serve())
            group.create_task(LossWatch(control.context.log, control.losses).serve())
            group.create_task(mark.serve(log))
            await control.leadership.tried()
            ready()


async def _listen_to_server(
    stack: contextlib.AsyncExitStack, system: Address | None, control: Control, log: JetStreamLog
) -> None:
    """Hears of a dead node at once, and of a full disk, if it may use the system account.

    Otherwise a node's heartbeats tell, and a full disk is a server that does not answer.
    """

    def on_disconnect(name: str) -> None:
        role, _, id = name.partition("/")
        if role == "claw-node":
            control.watch.suspect(id)

    if system:
        with contextlib.suppress(EventLogError):
            advisories = await stack.enter_async_context(await Disconnects.open(system, on_disconnect))
            log.watch_room(health_of(advisories.connection))


if __name__ == "__main__":
    main(ControlStart, serve)
