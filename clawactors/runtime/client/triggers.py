"""Changes of triggers: add, pause, resume, redrive, remove."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Unpack

import msgspec

from clawactors.kernel.errors import Refused
from clawactors.kernel.fold import Snapshot
from clawactors.runtime.client.named import NamedChanges
from clawactors.runtime.client.rows import Page
from clawactors.runtime.client.triggerrows import TriggerRow
from clawactors.runtime.expressions import Expression, Template
from clawactors.systems.tasks.options import RepeatedOptions
from clawactors.systems.tasks.submission import spec_of
from clawactors.systems.triggers import Trigger
from clawactors.systems.triggers import external as x
from clawactors.systems.triggers.events import RATE, TriggerPlan
from clawactors.systems.triggers.planning import checked_plan, checked_trigger_name
from clawactors.systems.triggers.row import row

if TYPE_CHECKING:
    from clawactors.runtime.client.client import ClusterClient

__all__ = ["Triggers", "trigger_row"]


def trigger_row(name: str, known: Snapshot[Trigger]) -> TriggerRow:
    """The row of a trigger in that state."""
    return msgspec.convert(row(name, known.version, known.state), TriggerRow)


def _places(name: str, deliveries: Iterable[str]) -> tuple[str, ...]:
    """What the ids of deliveries say behind the name of the trigger."""
    return tuple(id.removeprefix(f"{name}-") for id in deliveries)


class Triggers(NamedChanges[Trigger]):
    """The triggers of a cluster, as its client sees them."""

    def __init__(self, client: "ClusterClient") -> None:
        super().__init__(client, "trigger", Trigger, checked_trigger_name)

    async def add(
        self,
        name: str,
        on: str | Iterable[str],
        *,
        submit: str = "",
        params: Mapping[str, Any] | None = None,
        webhook: str = "",
        secret: str = "",
        publish: str = "",
        where: str = "",
        allow_loop: bool = False,
        rate: int = RATE,
        **options: Unpack[RepeatedOptions],
    ) -> Snapshot[Trigger]:
        """Adds a trigger: for each event of a name in `on`, for which `where` holds, one of three things follows.

        `submit` names the skill of a task whose `params` may hold `${expression}`, `webhook` the address of a POST that
        the secret named `secret` signs, `publish` a subject. Adding the same one again changes nothing.
        Raises: `Refused` (unknown event, wrong expression, name taken), `TypeError` for an unknown option.
        """
        checked_trigger_name(name)
        texts = {"submit": submit, "webhook": webhook, "secret": secret, "publish": publish, "where": where}
        for option, given in texts.items():
            if not isinstance(given, str):
                raise Refused(f"{option} of a trigger is a text, not {repr(given)[:40]}")
        if where:
            Expression.parse(where)
        Template.parse(params or {})
        plan = TriggerPlan(
            on=(on,) if isinstance(on, str) else tuple(on),
            where=where,
            task=spec_of(submit, params, **options) if submit else None,
            webhook=webhook,
            secret=secret,
            publish=publish,
            allow_loop=allow_loop,
            rate=rate,
        )
        return await self._ask(name, x.AddTriggerRequest(plan=checked_plan(plan)))

    async def pause(self, name: str) -> Snapshot[Trigger]:
        """Holds the trigger; what happens meanwhile is kept for it. Raises: `NotFound`."""
        return await self._change(name, x.PauseTriggerRequest())

    async def resume(self, name: str) -> Snapshot[Trigger]:
        """Lets a paused or stopped trigger go on where it was. Raises: `NotFound`."""
        return await self._change(name, x.ResumeTriggerRequest())

    async def redrive(self, name: str, deliveries: Iterable[str] = ()) -> Snapshot[Trigger]:
        """Delivers again what failed and is kept: all, or the `deliveries` with these ids. Raises: `NotFound`."""
        return await self._change(name, x.RedriveTriggerRequest(deliveries=_places(name, deliveries)))

    async def drop(self, name: str, deliveries: Iterable[str]) -> Snapshot[Trigger]:
        """Keeps these failed deliveries no longer; they stay in its history. Raises: `NotFound`."""
        return await self._change(name, x.DropDeliveriesRequest(deliveries=_places(name, deliveries)))

    async def remove(self, name: str) -> Snapshot[Trigger]:
        """Removes the trigger; its tasks stay. Raises: `NotFound`."""
        return await self._change(name, x.RemoveTriggerRequest())

    async def list(self, *, fresh: bool = True) -> "list[TriggerRow]":
        """All triggers, by name. Raises: `Unavailable`."""
        return list(await self._client.views.answer(Page[TriggerRow], "triggers", fresh=fresh))

    async def get(self, name: str, *, fresh: bool = True) -> TriggerRow:
        """One trigger. Raises: `NotFound`, `Unavailable`."""
        return await self._client.views.row(TriggerRow, "trigger", id=name, fresh=fresh)
