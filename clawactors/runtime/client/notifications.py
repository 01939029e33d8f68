"""Notifications: rules that tell people what happens. Each is a trigger that tells instead of doing."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import msgspec

from clawactors.kernel.errors import NotFound, Refused
from clawactors.kernel.fold import Snapshot
from clawactors.kernel.time import duration_s
from clawactors.runtime.asking import checked_reply
from clawactors.runtime.client.named import NamedChanges
from clawactors.runtime.client.rows import Page
from clawactors.runtime.client.triggerrows import AlarmRow, NotificationRow, TriggerRow
from clawactors.runtime.client.triggers import trigger_row
from clawactors.runtime.naming import new_id
from clawactors.runtime.notifying import NOTIFY_TEST, NotifyTestReply, NotifyTestRequest
from clawactors.systems.triggers import Trigger
from clawactors.systems.triggers import external as x
from clawactors.systems.triggers.events import Notification
from clawactors.systems.triggers.notifying import notification_plan
from clawactors.systems.triggers.planning import checked_plan, checked_trigger_name

if TYPE_CHECKING:
    from clawactors.runtime.client.client import ClusterClient

__all__ = ["Notifications"]

_FOR_EVER_NS: Final = 2**62
_TRY_S: Final = 120.0
_PAUSE_S: Final = 0.2

_decode: Final = msgspec.json.Decoder(NotifyTestReply).decode
_encode: Final = msgspec.json.Encoder().encode


class Notifications(NamedChanges[Trigger]):
    """The notifications of a cluster, as its client sees them."""

    def __init__(self, client: "ClusterClient") -> None:
        super().__init__(client, "trigger", Trigger, checked_trigger_name)

    async def add(
        self,
        name: str,
        when: str | Iterable[str],
        to: str,
        *,
        skill: str = "",
        tag: str = "",
        user: str = "",
        every: str | float = 60.0,
        secret: str = "",
    ) -> NotificationRow:
        """Adds a rule: whenever something of `when` happens, `to` is told, once at most in `every` (seconds, or `10m`).

        `when` has `dead`, `failed`, `blocked`, `approval`, `completed`, `cancelled`, `node-lost`, `lag`, `disk`. `to`
        is `https://…`, `mailto:ops@example.org`, `desktop` or `telegram:CHAT`. Of tasks, only those with this `skill`
        (which may hold `*`), `tag` and `user`. `secret` names what signs a webhook.
        Raises: `Refused` (unknown name or target; the name is taken by another rule or a trigger).
        """
        checked_trigger_name(name)
        for option, given in {"to": to, "skill": skill, "tag": tag, "user": user, "secret": secret}.items():
            if not isinstance(given, str):
                raise Refused(f"{option} of a notification is a text, not {repr(given)[:40]}")
        wanted = Notification(
            to=to,
            when=(when,) if isinstance(when, str) else tuple(when),
            every_s=_seconds(every),
            skill=skill,
            tag=tag,
            user=user,
        )
        plan = checked_plan(notification_plan(wanted, secret))
        return _row(name, await self._ask(name, x.AddTriggerRequest(plan=plan)))

    async def mute(self, name: str, duration: str | float | None = None) -> NotificationRow:
        """Tells nothing of what happens from now on, for so long (seconds, or `2h`), or until `unmute`.

        Raises: `NotFound`.
        """
        until_ns = _FOR_EVER_NS
        if duration is not None:
            until_ns = await self._client.now_ns() + int(_seconds(duration) * 1e9)
        return await self._changed(name, x.MuteTriggerRequest(until_ns=until_ns))

    async def unmute(self, name: str) -> NotificationRow:
        """Tells again what happens from now on. Raises: `NotFound`."""
        return await self._changed(name, x.MuteTriggerRequest(until_ns=0))

    async def remove(self, name: str) -> NotificationRow:
        """Removes the rule. Raises: `NotFound`."""
        return await self._changed(name, x.RemoveTriggerRequest())

    async def redrive(self, name: str) -> NotificationRow:
        """Sends again what could not be sent and is kept. Raises: `NotFound`."""
        return await self._changed(name, x.RedriveTriggerRequest())

    async def test(self, name: str) -> None:
        """Sends a message to where the rule sends, and returns once it is there.

        Raises: `NotFound`; `Refused` with the reason why it was not sent; `Unavailable`.
        """
        body, end_s = _encode(NotifyTestRequest(checked_trigger_name(name), new_id())), _clock() + _TRY_S
        while True:
            reply = checked_reply(_decode(await self._client.questions.ask(NOTIFY_TEST, body, verb="do")))
            if reply.done:
                break
            if _clock() > end_s:
                raise Refused(f"the message was not sent within {_TRY_S:g} s")
            await asyncio.sleep(_PAUSE_S)
        if reply.failure:
            raise Refused(f"the message was not sent: {reply.failure}")

    async def alarms(self, *, fresh: bool = True) -> "list[AlarmRow]":
        """What was ever wrong with the cluster as a whole, by name, and whether it is over. Raises: `Unavailable`."""
        return list(await self._client.views.answer(Page[AlarmRow], "alarms", fresh=fresh))

    async def list(self, *, fresh: bool = True) -> "list[NotificationRow]":
        """All rules, by name. Raises: `Unavailable`."""
        rows = await self._client.views.answer(Page[TriggerRow], "triggers", fresh=fresh)
        return [_of(row, row.notify) for row in rows if row.notify is not None]

    async def get(self, name: str, *, fresh: bool = True) -> NotificationRow:
        """One rule. Raises: `NotFound`, `Unavailable`."""
        row = await self._client.views.row(TriggerRow, "trigger", id=name, fresh=fresh)
        if row.notify is None:
            raise NotFound(f"there is no notification {name!r}; a trigger has that name")
        return _of(row, row.notify)

    async def _changed(
        self, name: str, request: x.MuteTriggerRequest | x.RemoveTriggerRequest | x.RedriveTriggerRequest
    ) -> NotificationRow:
        known: Snapshot[Trigger] = await self._client.state("trigger", checked_trigger_name(name), Trigger)
        if not known.state.exists or known.state.plan is None or known.state.plan.notify is None:
            raise NotFound(f"there is no notification {name!r}")
        return _row(name, await self._ask(name, request))


def _row(name: str, known: Snapshot[Trigger]) -> NotificationRow:
    row = trigger_row(name, known)
    if row.notify is None:
        raise Refused(f"{name!r} is a trigger, no notification")
    return _of(row, row.notify)


def _of(row: TriggerRow, wanted: Notification) -> NotificationRow:
    return NotificationRow(
        name=row.name,
        status="muted" if row.status == "active" and row.muted_until and not _is_over(row.muted_until) else row.status,
        when=wanted.when,
        to=wanted.to,
        skill=wanted.skill or None,
        tag=wanted.tag or None,
        user=wanted.user or None,
        every_s=wanted.every_s,
        secret=row.secret,
        muted_until=row.muted_until,
        sent=row.fired,
        failed=row.failed,
        failures=row.failures,
        last_at=row.last_at,
        added_at=row.added_at,
        version=row.version,
    )


def _is_over(until: str) -> bool:
    return datetime.fromisoformat(until) <= datetime.now(UTC)


def _clock() -> float:
    return asyncio.get_running_loop().time()


def _seconds(given: str | float) -> float:
    try:
        seconds = duration_s(given) if isinstance(given, str) else float(given)
    except (ValueError, TypeError) as error:
        raise Refused(str(error)) from None
    if not 0 <= seconds <= 3_153_600_000:
        raise Refused(f"{given!r} is no duration: write 30s, 10m or 2h")
    return seconds
