"""Tries the way out of a rule that notifies, while somebody waits."""

import asyncio
from typing import Final, override

import msgspec

from clawactors.eventlog import Unavailable
from clawactors.eventlog.requests import Requests
from clawactors.kernel.errors import NotFound
from clawactors.runtime.control.triggers.keeper import TriggerKeeper
from clawactors.runtime.notifications import NoticeMessage
from clawactors.runtime.notifications.failure import OutletFailed
from clawactors.runtime.notifying import NOTIFY_TEST, NotifyTestReply, NotifyTestRequest
from clawactors.runtime.serving import RequestEndpoint, answering

__all__ = ["NotifyTestEndpoint"]

_ANSWER_S: Final = 1.0
_KEPT: Final = 100

_decode: Final = msgspec.json.Decoder(NotifyTestRequest).decode
_encode: Final = msgspec.json.Encoder().encode


class NotifyTestEndpoint(RequestEndpoint):
    """`open` it where this process begins to lead."""

    def __init__(self, keeper: TriggerKeeper) -> None:
        super().__init__()
        self._keeper = keeper
        self._jobs: dict[str, asyncio.Task[str]] = {}

    async def open(self, requests: Requests) -> None:
        """Answers from now on. Raises: `PermissionDenied`, `Unavailable`."""
        self._serving = [await requests.answer(f"claw.do.*.{NOTIFY_TEST}", self._answer)]

    @override
    async def aclose(self) -> None:
        """Answers no longer. Order: idempotent."""
        await super().aclose()
        for job in self._jobs.values():
            job.cancel()
        self._jobs.clear()

    @answering(_decode, _encode, NotifyTestReply, "a request to try a notification")
    async def _answer(self, principal: str, asked: NotifyTestRequest) -> NotifyTestReply:
        """Raises: `NotFound`; `Unavailable` where this process leads no longer."""
        key = f"{principal}.{asked.request}"
        job = self._jobs.get(key)
        if job is None:
            rule = self._keeper.roster.known(asked.name).state
            plan = rule.plan
            if plan is None or plan.notify is None or not rule.exists:
                raise NotFound(f"there is no notification {asked.name!r}")
            while len(self._jobs) >= _KEPT:
                self._jobs.pop(next(iter(self._jobs))).cancel()
            job = self._jobs[key] = asyncio.ensure_future(
                self._try(asked.name, plan.notify.to, plan.secret, principal, asked.request)
            )
        await asyncio.wait((job,), timeout=_ANSWER_S)
        if not job.done():
            return NotifyTestReply()
        if job.cancelled():
            raise Unavailable("this process leads no longer")
        return NotifyTestReply(True, job.result())

    async def _try(self, name: str, to: str, secret: str, principal: str, request: str) -> str:
        title = f"test of {name}"
        said = f"This is a test of the notification {name}, asked for by {principal}.\nNothing has happened.\n"
        data = {"type": "notification.test", "id": request, "rule": name, "title": title, "total": 0, "items": []}
        message = NoticeMessage(id=f"test-{request}", title=title, pieces=(said,), data=data)
        try:
            await self._keeper.outlets.send(to, message, name, self._keeper.now_ns() // 1_000_000_000, secret)
        except OutletFailed as failed:
            return str(failed)
        return ""
