"""What every endpoint does with a request: it checks who asks, bounds the load and always answers.

1. A request whose reply subject is not an inbox of its principal is dropped: an answer sent there could be a command
   to the server (`$JS.API.STREAM.PURGE…`) or an unguarded record (`claw.task.T1.log`).
2. When a handler finishes without waiting, its answer leaves in the same turn of the loop.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

__all__ = ["DEFAULT_PER_PRINCIPAL", "INBOX", "Endpoint", "Handler", "Send"]

INBOX: Final = "_INBOX"
"""The first token of all reply subjects; those of a principal lie under `_INBOX.<principal>.`."""
DEFAULT_PER_PRINCIPAL: Final = 64
_log = logging.getLogger(__name__)

type Handler = Callable[[str, bytes], Awaitable[bytes]]
"""Takes the principal ('' if the subject names none) and the body of a request; returns the body of the answer."""
type Send = Callable[[bytes, bytes, str], None]
"""Sends an answer: reply subject, body, and why the request failed ('' if it did not)."""


class Endpoint:
    """Answers the requests on one subject pattern.

    `principal_token` is the index of the subject token that names the principal, None if there is none. `most` bounds
    the unanswered requests of each principal. `largest` is the size of the largest answer in bytes.
    """

    def __init__(
        self, subject: str, handler: Handler, send: Send, principal_token: int | None, most: int, largest: int
    ) -> None:
        self.subject = subject
        self._handler, self._send, self._token, self._most, self._largest = (
            handler,
            send,
            principal_token,
            most,
            largest,
        )
        self._running: set[asyncio.Task[None]] = set()
        self._unanswered: dict[str, int] = {}
        self._is_closed = False
        self.dropped = 0
        """Requests that were not answered because of their reply subject."""
        self.requests = self.errors = self.took_ns = 0
        self.last_error = ""

    def on_request(self, subject: bytes, reply: bytes, body: bytes) -> None:
        """Takes one request."""
        principal, inbox = "", b"_INBOX"
        if self._token is not None:
            principal = subject.split(b".")[self._token].decode("utf-8", "replace")
            inbox = f"{INBOX}.{principal}.".encode()
        if not reply.startswith(inbox):
            self.dropped += 1
            return
        if self._is_closed:
            self._fail(reply, "closed", f"{self.subject} is no longer served here; ask again")
            return
        waiting = self._unanswered.get(principal, 0)
        if waiting >= self._most:
            self._refuse_busy(reply, principal)
            return
        self._unanswered[principal] = waiting + 1
        loop = asyncio.get_running_loop()
        task = asyncio.Task(self._respond(principal, reply, body), loop=loop, eager_start=True)
        if not task.done():
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    def close(self) -> None:
        """Cancels the running handlers and refuses requests that still arrive; all get an answer. Order: idempotent."""
        self._is_closed = True
        for task in list(self._running):
            task.cancel()

    async def _respond(self, principal: str, reply: bytes, body: bytes) -> None:
        start = time.perf_counter_ns()
        try:
            self._answer(reply, await self._handler(principal, body))
        except asyncio.CancelledError:
            self._fail(reply, "closed", f"{self.subject} is no longer served here; ask again")
            raise
        except Exception as error:
            _log.exception("the endpoint %s failed", self.subject)
            self._fail(reply, "failed", f"{type(error).__name__}: {error}")
        finally:
            self.requests += 1
            self.took_ns += time.perf_counter_ns() - start
            left = self._unanswered[principal] - 1
            if left:
                self._unanswered[principal] = left
            else:
                del self._unanswered[principal]

    def _answer(self, reply: bytes, answer: bytes) -> None:
        if self._token is not None and (not answer or answer == b"{}"):
            self._fail(reply, "failed", f"the handler of {self.subject} gave an empty answer")
        elif len(answer) > self._largest:
            self._fail(reply, "failed", f"an answer of {len(answer)} bytes is too large")
        else:
            self._send(reply, answer, "")

    def _refuse_busy(self, reply: bytes, principal: str) -> None:
        if self._token is None:
            self._fail(reply, "busy", "too many requests at once")
            return
        self.errors += 1
        text = f"{principal} has {self._most} unanswered requests here; ask again when some are answered"
        self._send(reply, _error("busy", text), "")

    def _fail(self, reply: bytes, code: str, message: str) -> None:
        self.errors += 1
        self.last_error = message = " ".join(message.split())[:500]
        self._send(reply, _error(code, message), message)


def _error(code: str, message: str) -> bytes:
    return msgspec.json.encode({"error": {"code": code, "message": message}})
