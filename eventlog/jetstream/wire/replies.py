"""Answers by reply subject: one subscription for all, each answer goes to its request."""

import asyncio
from collections.abc import Callable

from clawactors.eventlog.errors import NoResponders, PermissionDenied, Unavailable
from clawactors.eventlog.jetstream.wire.parser import OnMessage

__all__ = ["NotSent", "Replies", "Reply"]

type Reply = tuple[bytes, bytes]
"""The headers and the body of an answer."""


class NotSent(Unavailable):
    """The connection did not take the request."""


class Replies:
    """The reply subjects under one inbox; `write` sends frames."""

    def __init__(self, inbox: str, write: Callable[[bytes], bool]) -> None:
        self.inbox, self._write = inbox, write
        self._token = 0
        self._waiting: dict[bytes, OnMessage] = {}
        self._requests: dict[str, tuple[str, asyncio.Future[Reply]]] = {}

    def expect(self, on_answer: OnMessage) -> str:
        """A fresh reply subject; its answers go to `on_answer` until it is forgotten."""
        self._token += 1
        self._waiting[b"%d" % self._token] = on_answer
        return f"{self.inbox}.{self._token}"

    def forget(self, reply: str) -> None:
        """Ignores further answers to this reply subject."""
        self._waiting.pop(reply[len(self.inbox) + 1 :].encode(), None)

    def on_message(self, subject: bytes, reply: bytes, headers: bytes, body: bytes) -> None:
        """Handles a message to the inbox."""
        on_answer = self._waiting.get(subject[len(self.inbox) + 1 :])
        if on_answer is not None:
            on_answer(subject, reply, headers, body)

    async def ask(self, subject: str, body: bytes, headers: bytes, timeout_s: float) -> Reply:
        """One request, one answer. Raises: `NoResponders`, `Unavailable`, `NotSent`, `PermissionDenied`."""
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()

        def take(subject: bytes, reply: bytes, headers: bytes, body: bytes) -> None:
            if not answer.done():
                answer.set_result((headers, body))

        inbox = self.expect(take)
        self._requests[inbox] = subject, answer
        verb, sizes = ("HPUB", f"{len(headers)} {len(headers) + len(body)}") if headers else ("PUB", str(len(body)))
        try:
            if not self._write(b"%b%b%b\r\n" % (f"{verb} {subject} {inbox} {sizes}\r\n".encode(), headers, body)):
                raise NotSent(f"the connection was lost before {subject!r} was asked")
            async with asyncio.timeout(timeout_s):
                got = await answer
        except TimeoutError:
            raise Unavailable(f"no answer on {subject!r} within {timeout_s:g} s") from None
        finally:
            self.forget(inbox)
            del self._requests[inbox]
        if got[0].startswith(b"NATS/1.0 503"):
            raise NoResponders(f"nobody answers on {subject!r}")
        return got

    def deny(self, subject: str) -> None:
        """Fails the requests on a subject that this user may not publish to."""
        for asked, answer in self._requests.values():
            if asked == subject and not answer.done():
                answer.set_exception(PermissionDenied(subject))

    def lose(self) -> None:
        """Fails all requests: their answers are lost."""
        for asked, answer in self._requests.values():
            if not answer.done():
                answer.set_exception(Unavailable(f"the connection was lost before {asked!r} answered"))
