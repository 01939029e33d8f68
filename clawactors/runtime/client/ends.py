"""Waiting for tasks to end: the leader tells each client which of its tasks have ended, many in a message.

1. What a client awaits is registered with the leader; the answer names those that have ended already.
2. Notices are numbered. A gap, another leader, three missed heartbeats or a reconnect register everything again.
3. A result that is on record reaches everybody who awaits it, whatever was missed.
"""

import asyncio
from collections.abc import Iterable
from typing import Final

import msgspec

from clawactors.eventlog import UNREADABLE, Closed, Unavailable
from clawactors.kernel.errors import NotFound
from clawactors.runtime.asking import BLOCKED, Ended, EndNotice, RegisterReply, RegisterRequest, checked_reply
from clawactors.runtime.client.openrequests import OpenRequests
from clawactors.runtime.context import ProcessContext

__all__ = ["Ends"]

_TOGETHER: Final = 1000
_BEAT_S: Final = 1.0
_BEATS_MISSED: Final = 3
_AGAIN_S: Final = 0.1
_ANSWER_S: Final = 5.0

_encode: Final = msgspec.json.Encoder().encode
_notice: Final = msgspec.json.Decoder(EndNotice).decode
_reply: Final = msgspec.json.Decoder(RegisterReply).decode


class Ends:
    """The ends that somebody here waits for. `client` names this client among those of its principal."""

    def __init__(self, context: ProcessContext, requests: OpenRequests, principal: str, client: str) -> None:
        self._context, self._requests = context, requests
        self._subject = f"claw.ended.{principal}.{client}"
        self._register_at = f"claw.do.{principal}.await"
        self._client = client
        self._awaited: dict[str, list[asyncio.Future[Ended]]] = {}
        self._or_blocked: set[asyncio.Future[Ended]] = set()
        """Those that a block ends too."""
        self._unregistered: dict[str, None] = {}
        self._forgotten: dict[str, None] = {}
        self._unmade: dict[str, bool] = {}
        """Tasks that are being made, and whether to ask for their end afterwards: before, they would not be found."""
        self._epoch, self._number = "", -1
        self._heard_s = 0.0
        self._open: asyncio.Task[None] | None = None
        self._registering: asyncio.Task[None] | None = None
        self._beat: asyncio.TimerHandle | None = None
        self._stop: object = None

    @property
    def are_awaited(self) -> bool:
        """True while somebody here waits for the end of a task."""
        return bool(self._awaited)

    async def ready(self) -> None:
        """Returns when notices reach this client. Raises: `PermissionDenied`, `Unavailable`."""
        self._requests.check()
        if self._open is None or (self._open.done() and (self._open.cancelled() or self._open.exception())):
            self._open = asyncio.ensure_future(self._listen())
        await asyncio.shield(self._open)

    async def _listen(self) -> None:
        self._stop = await self._requests.subscribe(self._subject, self._on_notice)

    def expect(self, id: str, *, registered: bool = False, or_blocked: bool = False) -> asyncio.Future[Ended]:
        """The end of the task, once it comes; `registered` where the request that makes it says so: tell `on_made`.

        Raises: `Closed`; `RuntimeError` in another event loop.
        """
        self._requests.check()
        future: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()
        if or_blocked:
            self._or_blocked.add(future)
        if (others := self._awaited.get(id)) is not None:
            others.append(future)
            if or_blocked:  # it may be blocked already, which those others do not ask for
                self.register((id,))
        else:
            self._awaited[id] = [future]
            self._forgotten.pop(id, None)
            if registered:
                self._unmade[id] = False
            else:
                self.register((id,))
        self._watch()
        return future

    def on_made(self, id: str, *, may_have_ended: bool) -> None:
        """The task exists now; from here on its end may be asked for. Order: idempotent."""
        if (self._unmade.pop(id, False) or may_have_ended) and id in self._awaited:
            self.register((id,))

    def forget(self, id: str, future: asyncio.Future[Ended]) -> None:
        """Stops waiting with that future. Order: idempotent."""
        self._or_blocked.discard(future)
        futures = self._awaited.get(id)
        if futures is None or future not in futures:
            if future.done() and not future.cancelled():
                future.exception()  # its waiters have it; without any, nobody is interested
            return
        futures.remove(future)
        future.cancel()
        if not futures:
            del self._awaited[id]
            self._unmade.pop(id, None)
            if id in self._unregistered:
                del self._unregistered[id]
            else:
                self._forgotten[id] = None

    def register_all(self) -> None:
        """Registers all awaited tasks again, because a notice may have been missed."""
        self.register(self._awaited)

    def close(self) -> None:
        """Fails everything that still waits with `Closed`."""
        for task in (self._open, self._registering):
            if task is not None:
                task.cancel()
        if self._beat is not None:
            self._beat.cancel()
        if callable(self._stop):
            self._stop()
        for id in list(self._awaited):
            for future in self._awaited.pop(id):
                if not future.done():
                    future.set_exception(Closed())

    # Registering

    def register(self, ids: Iterable[str]) -> None:
        """Asks for these again: they may have ended before."""
        for id in ids:
            if id in self._unmade:
                self._unmade[id] = True
            else:
                self._unregistered[id] = None
        if self._unregistered and (self._registering is None or self._registering.done()):
            self._registering = asyncio.ensure_future(self._register_rest())

    async def _register_rest(self) -> None:
        await asyncio.sleep(0)  # what is awaited in this turn travels together
        while self._unregistered:
            ids = list(self._unregistered)[:_TOGETHER]
            forget, self._forgotten = list(self._forgotten), {}
            try:
                await self.ready()
                body = _encode(RegisterRequest(self._client, ids, forget))
                reply = checked_reply(_reply(await self._requests.request(self._register_at, body, _ANSWER_S)))
            except (Unavailable, msgspec.MsgspecError):
                await asyncio.sleep(_AGAIN_S * (0.5 + self._context.clock.roll()))
                continue
            except Exception as error:  # whatever it is, who waits is told
                await self._fail(ids, error)
                continue
            for id in ids:
                self._unregistered.pop(id, None)
            if reply.epoch != self._epoch or reply.number > self._number:
                # Another leader knows of those alone that were just asked for; else a notice was lost before the reply.
                self._epoch, self._number = reply.epoch, reply.number
                asked = set(ids)
                self.register(id for id in self._awaited if id not in asked)
            self._heard_s = asyncio.get_running_loop().time()
            for ended in reply.ended:
                self._end(ended)
            for id in reply.missing:
                for future in self._awaited.pop(id, ()):
                    if not future.done():
                        future.set_exception(NotFound(f"there is no task {id!r}"))

    async def _fail(self, ids: Iterable[str], error: Exception) -> None:
        if isinstance(error, Unavailable):
            await asyncio.sleep(_AGAIN_S * (0.5 + self._context.clock.roll()))
            return
        for id in ids:
            self._unregistered.pop(id, None)
            for future in self._awaited.pop(id, ()):
                if not future.done():
                    future.set_exception(error)

    # Hearing

    def _on_notice(self, _subject: str, body: bytes) -> None:
        try:
            notice = _notice(body)
        except UNREADABLE:
            return  # published by hand
        self._heard_s = asyncio.get_running_loop().time()
        for ended in notice.ended:
            self._end(ended)
        if notice.epoch != self._epoch:
            self._epoch, self._number = notice.epoch, notice.number
            self.register_all()
        elif notice.number > self._number + bool(notice.ended):
            self._number = notice.number
            self.register_all()
        else:
            self._number = max(self._number, notice.number)

    def _end(self, ended: Ended) -> None:
        self._unregistered.pop(ended.id, None)
        if ended.status == BLOCKED:
            for future in self._or_blocked.intersection(self._awaited.get(ended.id, ())):
                if not future.done():
                    future.set_result(ended)
            return
        for future in self._awaited.pop(ended.id, ()):
            if not future.done():
                future.set_result(ended)

    def _watch(self) -> None:
        if self._beat is None:
            loop = asyncio.get_running_loop()
            self._heard_s = loop.time()
            self._beat = loop.call_later(_BEAT_S, self._check)

    def _check(self) -> None:
        """Asks again when nothing was heard for three heartbeats."""
        self._beat = None
        if not self._awaited:
            return
        loop = asyncio.get_running_loop()
        if loop.time() - self._heard_s > _BEATS_MISSED * _BEAT_S:
            self._heard_s = loop.time()
            self.register_all()
        self._beat = loop.call_later(_BEAT_S, self._check)
