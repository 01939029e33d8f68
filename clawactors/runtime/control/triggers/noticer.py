"""What one rule that notifies says of an event, and how its messages go out."""

import contextlib
from collections.abc import Awaitable, Callable
from fnmatch import fnmatchcase
from typing import Any, Final

import msgspec

from clawactors.kernel.time import iso
from clawactors.runtime.call import Call
from clawactors.runtime.control.triggers.deliveries import Occurrence, send_patiently
from clawactors.runtime.dispatcher import Dispatcher
from clawactors.runtime.notifications.outlets import Outlets
from clawactors.runtime.notifications.words import Gathered, Happening
from clawactors.systems.alarms.kind import ALARMS
from clawactors.systems.bridges import Ask, BridgeState
from clawactors.systems.bridges.decider import NumberApprovals
from clawactors.systems.bridges.kind import BRIDGES
from clawactors.systems.nodes.kind import NODES
from clawactors.systems.tasks import Task
from clawactors.systems.tasks.approvalevents import ApprovalAsked
from clawactors.systems.tasks.kind import TASKS
from clawactors.systems.triggers import delivery_id
from clawactors.systems.triggers.events import Notification, Place, TriggerPlan
from clawactors.systems.triggers.names import name_of
from clawactors.systems.triggers.notifying import ALARM_NAMES, WHEN

__all__ = ["Noticer"]

_CHATS: Final = "telegram"
"""Where people may answer: the bridge has the same name."""


class Noticer:
    """What one rule tells of an event, and how it goes out."""

    def __init__(
        self, name: str, plan: TriggerPlan, wanted: Notification, outlets: Outlets, dispatcher: Dispatcher
    ) -> None:
        self.name, self.plan, self.wanted = name, plan, wanted
        self._outlets, self._dispatcher = outlets, dispatcher
        self._what = {event: what for what in wanted.when if what not in ALARM_NAMES for event in WHEN[what]}
        self._by_kind: Final[dict[str, Callable[[Occurrence], Awaitable[Happening | None]]]] = {
            ALARMS.name: self._of_alarm,
            NODES.name: self._of_node,
            TASKS.name: self._of_task,
        }

    async def item(self, occurrence: Occurrence) -> Happening | None:
        """What is told of it, None where the rule is about others. Raises: `Unavailable`."""
        return await self._by_kind[occurrence.place.kind](occurrence)

    async def _of_alarm(self, occurrence: Occurrence) -> Happening | None:
        id, event = occurrence.place.id, occurrence.event
        if id not in self.wanted.when:
            return None
        cleared = name_of(event) == "alarm.cleared"
        return Happening(what=id, kind="alarm", id=id, why=event.reason, at_ns=occurrence.at_ns, cleared=cleared)

    async def _of_node(self, occurrence: Occurrence) -> Happening | None:
        id, what = occurrence.place.id, self._what.get(name_of(occurrence.event), "")
        return Happening(what=what, kind="node", id=id, why=occurrence.event.reason, at_ns=occurrence.at_ns)

    async def _of_task(self, occurrence: Occurrence) -> Happening | None:
        place, event, wanted = occurrence.place, occurrence.event, self.wanted
        loaded = await self._dispatcher.snapshots.load(TASKS, place.id, at_least=place.seq)
        task: Task = loaded.snapshot.state
        spec, what = task.spec, self._what.get(name_of(event), "")
        if spec is None or (wanted.skill and not fnmatchcase(spec.skill, wanted.skill)):
            return None
        if (wanted.tag and wanted.tag not in spec.tags) or (wanted.user and wanted.user != spec.user):
            return None
        return Happening(
            what=what,
            kind="task",
            id=place.id,
            why=_why(what, event, task),
            skill=spec.skill,
            user=spec.user,
            asks=event.name if isinstance(event, ApprovalAsked) else "",
            at_ns=occurrence.at_ns,
            number=await self._number(place.id, event) if isinstance(event, ApprovalAsked) else 0,
        )

    async def _number(self, task: str, asked: ApprovalAsked) -> int:
        """The short number by which people in a chat answer it, 0 elsewhere."""
        name, colon, _ = self.wanted.to.partition(":")
        if not colon or name != _CHATS:
            return 0
        ask = Ask(task, asked.name, iso(asked.asked_ns) or "")
        answer = await self._dispatcher.send(Call(BRIDGES, name, (NumberApprovals((ask,)),)))
        bridge: BridgeState = answer.state
        return bridge.number_of(ask)

    async def send(self, gathered: Gathered, place: Place, pauses_s: tuple[float, ...]) -> None:
        """Sends the message; again after each pause while it may help. Raises: `DeliveryFailed`."""
        message, context = gathered.message(delivery_id(self.name, place), self.name), self._dispatcher.context

        async def send() -> None:
            at_s = context.time.now_ns() // 1_000_000_000
            await self._outlets.send(self.wanted.to, message, self.name, at_s, self.plan.secret)

        await send_patiently(send, pauses_s, context.clock)


def _why(what: str, event: Any, task: Task) -> str:
    life = task.life
    match what:
        case "approval":
            return str(event.question)
        case "completed":
            if life.result is None:
                return ""
            with contextlib.suppress(TypeError, ValueError):
                return life.result if isinstance(life.result, str) else msgspec.json.encode(life.result).decode()
            return ""
        case "blocked" if life.blocked_reason:
            return life.blocked_reason
        case _ if life.error is not None:
            return f"{life.error.kind}: {life.error.message}"
        case _:
            return str(getattr(event, "reason", ""))
