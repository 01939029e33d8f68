"""One event for one trigger: does it match, and if so, what follows.

1. What follows is named by trigger and event: done twice, it makes one task, and a receiver can tell.
2. A task carries the triggers that led to it; a trigger that leads to itself, or is `LOOP_DEPTH` deep, is stopped.
3. A webhook is tried once and again after each of `PAUSES_S`; what fails then is told, with the reason.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from clawactors.eventlog.requests import Requests
from clawactors.kernel.errors import Exists, Refused
from clawactors.kernel.time import iso
from clawactors.runtime.call import Call
from clawactors.runtime.clock import Clock
from clawactors.runtime.dispatcher import Dispatcher
from clawactors.runtime.expressions import Expression, Template
from clawactors.runtime.notifications import Outlets
from clawactors.runtime.notifications.failure import OutletFailed
from clawactors.systems.nodes.kind import NODES
from clawactors.systems.nodes.row import NodeWork
from clawactors.systems.nodes.row import row as node_row
from clawactors.systems.tasks import commands as tc
from clawactors.systems.tasks.events import Spec
from clawactors.systems.tasks.kind import TASKS
from clawactors.systems.tasks.row import row as task_row
from clawactors.systems.tasks.spec import as_event
from clawactors.systems.tasks.submission import checked_spec
from clawactors.systems.triggers import delivery_id
from clawactors.systems.triggers.events import Place, TriggerPlan
from clawactors.systems.triggers.names import name_of
from clawactors.systems.triggers.planning import LOOP_DEPTH

__all__ = ["CHAIN", "PAUSES_S", "Deliverer", "DeliveryFailed", "LoopFound", "Occurrence", "send_patiently"]

CHAIN: Final = "triggers"
"""The key in a task's metadata: the names of the triggers that led to it, the first one first."""
PAUSES_S: Final = (5.0, 30.0, 120.0, 445.0)
_AT_ONCE: Final = 8
"""Requests of one trigger that are open at once."""
_ANCESTORS: Final = 64

_encode = msgspec.json.Encoder().encode


class DeliveryFailed(Exception):
    """It can't be delivered, for good; `tries` were made."""

    def __init__(self, reason: str, tries: int = 1) -> None:
        super().__init__(reason)
        self.tries = tries


class LoopFound(DeliveryFailed):
    """The trigger would set itself off again."""


async def send_patiently(send: Callable[[], Awaitable[None]], pauses_s: Iterable[float], clock: Clock) -> None:
    """Sends, and again after each pause while that may help. Raises: `DeliveryFailed`."""
    for tries, pause_s in enumerate((*pauses_s, None), 1):
        try:
            await send()
            return
        except OutletFailed as failed:
            if failed.final or pause_s is None:
                raise DeliveryFailed(str(failed), tries) from None
            wait_s = max(pause_s * (0.8 + 0.4 * clock.roll()), failed.retry_after_s)
        await asyncio.sleep(wait_s)


class Occurrence(msgspec.Struct, frozen=True):
    """An event that a trigger was told about."""

    place: Place
    event: Any
    at_ns: int


class Deliverer:
    """Delivers for one trigger. Raises in `deliver`: `DeliveryFailed`; `Unavailable` while the log is away."""

    def __init__(
        self,
        name: str,
        plan: TriggerPlan,
        dispatcher: Dispatcher,
        requests: Requests,
        outlets: Outlets,
        pauses_s: tuple[float, ...],
    ) -> None:
        self._name, self._plan = name, plan
        self._dispatcher, self._requests = dispatcher, requests
        self._outlets, self._pauses_s = outlets, pauses_s
        self._open = asyncio.Semaphore(_AT_ONCE)
        self._rows: dict[str, Callable[[Place], Awaitable[tuple[dict[str, Any], Spec | None]]]] = {
            NODES.name: self._node,
            TASKS.name: self._task,
        }
        self._wrong = ""
        self._where: Expression | None = None
        self._template: Template | None = None
        try:
            self._where = Expression.parse(plan.where) if plan.where else None
            self._template = Template.parse(plan.task.params) if plan.task else None
        except Refused as refusal:  # another program wrote it, or the library is not installed here
            self._wrong = str(refusal)

    async def deliver(self, delivery: Occurrence) -> bool:
        """Does what the plan says; False where the condition does not hold."""
        if self._wrong:
            raise DeliveryFailed(self._wrong)
        try:
            variables, spec = await self._variables(delivery)
            if self._where is not None and not self._where.holds(variables):
                return False
            if self._plan.task is not None:
                await self._submit(delivery, self._plan.task, variables, spec)
            elif self._plan.webhook:
                await self._post(delivery, variables)
            else:
                self._requests.publish(self._plan.publish, self._body(delivery, variables))
        except Refused as refusal:
            raise DeliveryFailed(str(refusal)) from None
        return True

    async def _variables(self, delivery: Occurrence) -> tuple[dict[str, Any], Spec | None]:
        """What expressions see: the `event`, and the `task` or `node` now, as rows of `claw task` and `claw nodes`."""
        place, event = delivery.place, delivery.event
        fields = msgspec.to_builtins(event)
        said = fields | {"type": name_of(event), "seq": place.seq, "at": iso(delivery.at_ns), "id": place.id}
        row, spec = await self._rows[place.kind](place)
        return {"event": said, place.kind: row}, spec

    async def _node(self, place: Place) -> tuple[dict[str, Any], None]:
        node = (await self._dispatcher.snapshots.load(NODES, place.id, at_least=place.seq)).snapshot
        return msgspec.to_builtins(node_row(place.id, node.state, NodeWork())), None

    async def _task(self, place: Place) -> tuple[dict[str, Any], Spec | None]:
        task = (await self._dispatcher.snapshots.load(TASKS, place.id, at_least=place.seq)).snapshot
        spec, recalled = task.state.spec, task.state.life.recalled
        cause = None if spec is None else replace(as_event(spec, Spec), recalled=recalled)
        return task_row(place.id, task.version, task.state), cause

    async def _submit(self, delivery: Occurrence, task: Spec, variables: Mapping[str, Any], cause: Spec | None) -> None:
        chain = await self._chain(cause)
        if self._name in chain and not self._plan.allow_loop:
            path = " → ".join((*chain[chain.index(self._name) :], self._name))
            raise LoopFound(f"it sets itself off: {path}; narrow it by --where, or add it with --allow-loop")
        if len(chain) >= LOOP_DEPTH:
            raise LoopFound(f"{LOOP_DEPTH} triggers set each other off: {' → '.join(chain)}; narrow one by --where")
        params = task.params if self._template is None else self._template.fill(variables)
        metadata = task.metadata | {CHAIN: [*chain, self._name]}
        # What fills the template may repeat what the task was answered with.
        recalled = cause.recalled if cause else ()
        spec = checked_spec(replace(task, params=params, metadata=metadata, recalled=recalled))
        try:
            await self._dispatcher.send(Call(TASKS, delivery_id(self._name, delivery.place), (tc.Submit(spec),)))
        except Exists:
            return  # made before, from what its task was then

    async def _chain(self, cause: Spec | None) -> tuple[str, ...]:
        """The triggers that led to a task, or to a task above it."""
        for _ in range(_ANCESTORS):
            if cause is None:
                break
            chain = cause.metadata.get(CHAIN)
            if isinstance(chain, list) and all(isinstance(each, str) for each in chain):
                return tuple(chain)
            if not cause.parent:
                break
            cause = (await self._dispatcher.snapshots.load(TASKS, cause.parent)).snapshot.state.spec
        return ()

    async def _post(self, delivery: Occurrence, variables: Mapping[str, Any]) -> None:
        context, plan = self._dispatcher.context, self._plan
        body, id = self._body(delivery, variables), delivery_id(self._name, delivery.place)

        async def post() -> None:
            async with self._open:
                at_s = context.time.now_ns() // 1_000_000_000
                await self._outlets.post(plan.webhook, body, id, at_s, plan.secret)

        await send_patiently(post, self._pauses_s, context.clock)

    def _body(self, delivery: Occurrence, variables: Mapping[str, Any]) -> bytes:
        place = delivery.place
        return _encode(
            {
                "type": name_of(delivery.event),
                "id": delivery_id(self._name, place),
                "trigger": self._name,
                "timestamp": iso(delivery.at_ns),
                "data": variables,
            }
        )
