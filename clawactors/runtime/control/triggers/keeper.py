"""While this process leads: one run for each trigger that is active."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from clawactors.eventlog import EventLogError
from clawactors.eventlog.requests import Requests
from clawactors.kernel.fold import Snapshot
from clawactors.kernel.kind import Kinds
from clawactors.runtime.control.triggers.deliveries import PAUSES_S, Deliverer, secret_of
from clawactors.runtime.control.triggers.run import TriggerRun
from clawactors.runtime.dispatcher import Dispatcher
from clawactors.runtime.webhooks import HttpSender, PostSender
from clawactors.systems.triggers import Trigger
from clawactors.systems.triggers.kind import TRIGGERS
from clawactors.systems.triggers.roster import TriggerRoster

__all__ = ["TriggerKeeper"]

_AGAIN_S: Final = 0.2

_log = logging.getLogger(__name__)


class TriggerKeeper:
    """`act` begins and ends runs by what is in `roster`, while this process leads; `stop` ends all.

    `sender`, `secrets` and `pauses_s` are how webhooks are sent, signed and tried again.
    """

    def __init__(self, dispatcher: Dispatcher, requests: Requests, kinds: Kinds, changed: Callable[[], None]) -> None:
        self._dispatcher, self._requests, self._kinds, self._changed = dispatcher, requests, kinds, changed
        self.sender: PostSender = HttpSender()
        self.secrets = secret_of
        self.pauses_s = PAUSES_S
        self.roster = TriggerRoster()
        self._runs: dict[str, TriggerRun] = {}
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
        for serving in self._serving.values():
            serving.cancel()

    async def _serve(self, name: str) -> None:
        try:
            # What this very process has recorded may not be folded here yet: begin with what the log says.
            loaded = await self._dispatcher.snapshots.load(TRIGGERS, name, at_least=-1)
            known: Snapshot[Trigger] = loaded.snapshot
            plan = known.state.plan
            if plan is None or known.state.status != "active":
                return
            deliverer = Deliverer(
                name, plan, self._dispatcher, self._requests, self.sender, self.secrets, self.pauses_s
            )
            run = self._runs[name] = TriggerRun(name, known, plan, deliverer, self._dispatcher, self._kinds)
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
