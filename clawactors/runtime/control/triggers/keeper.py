"""While this process leads: one run for each trigger that is active."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Final

from clawactors.eventlog import EventLogError
from clawactors.eventlog.requests import Requests
from clawactors.kernel.fold import Snapshot
from clawactors.kernel.kind import Kinds
from clawactors.runtime.control.triggers.deliveries import PAUSES_S, Deliverer, DeliveryFailed
from clawactors.runtime.control.triggers.noticer import Noticer
from clawactors.runtime.control.triggers.notices import QUIET_S, NoticeRun
from clawactors.runtime.control.triggers.run import TriggerRun
from clawactors.runtime.dispatcher import Dispatcher
from clawactors.runtime.notifications import Outlets
from clawactors.runtime.notifications.settings import NotifySettings, secret_of
from clawactors.runtime.notifications.words import Gathered, Happening
from clawactors.runtime.webhooks import HttpSender, PostSender
from clawactors.systems.triggers import Trigger
from clawactors.systems.triggers.events import Place, TriggerPlan
from clawactors.systems.triggers.kind import TRIGGERS
from clawactors.systems.triggers.roster import TriggerRoster

__all__ = ["TriggerKeeper"]

_AGAIN_S: Final = 0.2

_log = logging.getLogger(__name__)


class TriggerKeeper:
    """`act` begins and ends runs by what is in `roster`, while this process leads; `stop` ends all.

    `sender`, `secrets` and `pauses_s` are how webhooks are sent, signed and tried again; `settings` how notifications
    leave otherwise, and `quiet_s` is how long they gather.
    """

    def __init__(self, dispatcher: Dispatcher, requests: Requests, kinds: Kinds, changed: Callable[[], None]) -> None:
        self._dispatcher, self._requests, self._kinds, self._changed = dispatcher, requests, kinds, changed
        self.sender: PostSender = HttpSender()
        self.secrets = secret_of
        self.pauses_s: Sequence[float] = PAUSES_S
        self.quiet_s = QUIET_S
        self.settings: Callable[[], NotifySettings] = NotifySettings
        self.roster = TriggerRoster()
        self._runs: dict[str, TriggerRun] = {}
        self._telling: set[asyncio.Task[None]] = set()
        self._serving: dict[str, asyncio.Task[None]] = {}

    def act(self) -> None:
        """Begins with what is active, ends what is not, and hands over what is to be delivered again."""
        for name, trigger, active in self.roster:
            if name not in self._serving and active:
                self._serving[name] = asyncio.create_task(self._serve(name))
            elif name in self._serving and not active:
                self._serving[name].cancel()
            elif (run := self._runs.get(name)) is not None and trigger.again:
                run.redeliver(trigger.again)

    def stop(self) -> None:
        """Ends all runs: another process may lead, and goes on from what is recorded."""
        for working in (*self._serving.values(), *self._telling):
            working.cancel()

    @property
    def outlets(self) -> Outlets:
        """The ways out of notifications."""
        return Outlets(self.sender, self.secrets, self.settings)

    def now_ns(self) -> int:
        """The time of the log."""
        return self._dispatcher.context.time.now_ns()

    def notify_now(self, item: Happening) -> None:
        """Tells it at once to who wants to know, where it can't be put on record."""
        for name, trigger, active in self.roster:
            plan = trigger.plan
            if active and plan is not None and plan.notify is not None and item.id in plan.notify.when:
                gathered = Gathered()
                gathered.add(item)
                noticer = Noticer(name, plan, plan.notify, self.outlets, self._dispatcher)
                place = Place(item.kind, item.id, item.at_ns // 1_000_000_000)
                telling = asyncio.create_task(self._tell(noticer, gathered, place))
                self._telling.add(telling)
                telling.add_done_callback(self._telling.discard)

    async def _tell(self, noticer: Noticer, gathered: Gathered, place: Place) -> None:
        try:
            await noticer.send(gathered, place, tuple(self.pauses_s))
        except DeliveryFailed as failed:
            _log.error("notification %s was not sent: %s", noticer.name, failed)

    def _run(self, name: str, known: Snapshot[Trigger], plan: TriggerPlan) -> TriggerRun:
        dispatcher, pauses_s = self._dispatcher, tuple(self.pauses_s)
        if plan.notify is None:
            deliverer = Deliverer(name, plan, dispatcher, self._requests, self.outlets, pauses_s)
            return TriggerRun(name, known, plan, deliverer.deliver, dispatcher, self._kinds)

        def muted_until_ns() -> int:
            return self.roster.known(name).state.muted_until_ns

        noticer = Noticer(name, plan, plan.notify, self.outlets, dispatcher)
        return NoticeRun(name, known, plan, noticer, dispatcher, self._kinds, pauses_s, muted_until_ns, self.quiet_s)

    async def _serve(self, name: str) -> None:
        try:
            # What this very process has recorded may not be folded here yet: begin with what the log says.
            loaded = await self._dispatcher.snapshots.load(TRIGGERS, name, at_least=-1)
            known: Snapshot[Trigger] = loaded.snapshot
            plan = known.state.plan
            if plan is None or known.state.status != "active":
                return
            run = self._runs[name] = self._run(name, known, plan)
            await run.serve()
        except EventLogError as error:
            _log.info("trigger %s has to wait: %s", name, error)
        except Exception:
            _log.exception("trigger %s begins again", name)
        finally:
            self._runs.pop(name, None)
            if not (current := asyncio.current_task()) or not current.cancelling():
                await asyncio.sleep(_AGAIN_S)
            self._serving.pop(name, None)
            self._changed()
