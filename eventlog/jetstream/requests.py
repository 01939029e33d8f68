"""Questions and answers between processes, as a service of the NATS service protocol: `nats micro ls`, `info`, `stats`.

A failing handler answers with the protocol's error headers; the one who asked gets `Unavailable` with its words.
"""

import asyncio
import logging
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from clawactors.eventlog.errors import Unavailable
from clawactors.eventlog.jetstream.connection import Connection, RawSubscription
from clawactors.eventlog.record import Record

__all__ = ["JetStreamRequests", "JetStreamServing"]

MOST_AT_ONCE: Final = 1000
_NOT_NAME = re.compile(r"[^A-Za-z0-9_-]+")
_log = logging.getLogger(__name__)

type Handler = Callable[[bytes], Awaitable[bytes]]


class JetStreamRequests:
    """Asks and answers over one connection; all endpoints of a process are one instance of a service."""

    def __init__(
        self,
        connection: Connection,
        service: str = "",
        version: str = "0.0.0",
        description: str = "",
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        self._connection = connection
        self._service = _name(service or connection.name.partition("/")[0])
        self._about = {
            "name": self._service,
            "id": secrets.token_hex(11),
            "version": version,
            "metadata": {"connection": connection.name, **(metadata or {})},
        }
        self._description = description
        self._started = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        self._endpoints: list[JetStreamServing] = []
        self._discovery: list[RawSubscription] = []

    async def request(self, subject: str, body: bytes, timeout_s: float) -> bytes:
        """The answer.

        Raises: `NoResponders` when nobody listens, `Unavailable` when no answer comes in time or the handler failed,
        `PermissionDenied`.
        """
        headers, answer = await self._connection.ask(subject, body, timeout_s=timeout_s)
        if headers:
            failure = Record(0, 0, "", b"", headers).header("Nats-Service-Error")
            if failure:
                raise Unavailable(f"{subject} failed: {failure}")
        return answer

    def tell(self, subject: str, body: bytes) -> None:
        """Says it to whoever hears it now; gone where nobody does, or the connection is away."""
        self._connection.publish_now(subject.encode(), body)

    async def hear(self, pattern: str, on_message: Callable[[str, bytes], None]) -> Callable[[], None]:
        """Calls back with subject and body of what is told; returns what ends that. Raises: `PermissionDenied`."""

        def take(subject: bytes, reply: bytes, headers: bytes, body: bytes) -> None:
            on_message(str(subject, "utf-8", "replace"), body)

        subscription = self._connection.listen(pattern, take)
        await self._connection.confirm(subscription)
        return lambda: self._connection.unlisten(subscription)

    async def serve(self, subject: str, answer: Handler, queue: str = "") -> "JetStreamServing":
        """Answers requests on the subject; with a queue, one of its members gets each.

        Raises: `PermissionDenied`, `Unavailable`. Order: when it returns, requests are seen.
        """
        if not self._discovery:
            self._announce()
        endpoint = JetStreamServing(self._connection, self._endpoints, subject, answer, queue)
        await self._connection.confirm(endpoint.subscription)
        self._endpoints.append(endpoint)
        return endpoint

    def _announce(self) -> None:
        """Answers the discovery subjects; without the permission for them the service is merely not listed."""
        for verb, tell in (("PING", self._ping), ("INFO", self._info), ("STATS", self._stats)):

            def on_message(subject: bytes, reply: bytes, headers: bytes, body: bytes, tell: Any = tell) -> None:
                if reply and self._endpoints:
                    self._connection.publish_now(reply, msgspec.json.encode(tell()))

            root = f"$SRV.{verb}"
            for each in (root, f"{root}.{self._service}", f"{root}.{self._service}.{self._about['id']}"):
                self._discovery.append(self._connection.listen(each, on_message))

    def _ping(self) -> dict[str, Any]:
        return {"type": "io.nats.micro.v1.ping_response", **self._about}

    def _info(self) -> dict[str, Any]:
        return {
            "type": "io.nats.micro.v1.info_response",
            **self._about,
            "description": self._description,
            "endpoints": [endpoint.about | {"metadata": {}} for endpoint in self._endpoints],
        }

    def _stats(self) -> dict[str, Any]:
        return {
            "type": "io.nats.micro.v1.stats_response",
            **self._about,
            "started": self._started,
            "endpoints": [endpoint.about | endpoint.stats() for endpoint in self._endpoints],
        }


class JetStreamServing:
    """An endpoint that answers."""

    def __init__(
        self, connection: Connection, siblings: "list[JetStreamServing]", subject: str, answer: Handler, queue: str
    ) -> None:
        self._connection, self._siblings, self._answer = connection, siblings, answer
        self.about = {"name": _name(subject), "subject": subject, "queue_group": queue}
        self._running: set[asyncio.Task[None]] = set()
        self._requests = self._errors = self._took_ns = 0
        self._last_error = ""
        self.subscription = connection.listen(subject, self._on_request, queue)

    async def aclose(self) -> None:
        """Answers no more. Order: idempotent."""
        self._connection.unlisten(self.subscription)
        if self in self._siblings:
            self._siblings.remove(self)
        for task in list(self._running):
            task.cancel()

    def stats(self) -> dict[str, Any]:
        """Its figures in the words of the service protocol."""
        return {
            "num_requests": self._requests,
            "num_errors": self._errors,
            "last_error": self._last_error,
            "processing_time": self._took_ns,
            "average_processing_time": self._took_ns // max(1, self._requests),
        }

    def _on_request(self, subject: bytes, reply: bytes, headers: bytes, body: bytes) -> None:
        if len(self._running) >= MOST_AT_ONCE:
            self._fail(reply, 503, "too many requests at once")
            return
        task = asyncio.get_running_loop().create_task(self._respond(reply, body))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _respond(self, reply: bytes, body: bytes) -> None:
        start = time.perf_counter_ns()
        try:
            answer = await self._answer(body)
        except Exception as error:
            _log.exception("the endpoint %s failed", self.about["subject"])
            self._fail(reply, 500, f"{type(error).__name__}: {error}")
        else:
            if len(answer) > self._connection.max_payload:
                self._fail(reply, 500, f"an answer of {len(answer)} bytes is too large")
            elif reply:
                self._connection.publish_now(reply, answer)
        finally:
            self._requests += 1
            self._took_ns += time.perf_counter_ns() - start

    def _fail(self, reply: bytes, code: int, text: str) -> None:
        self._errors += 1
        self._last_error = f"{code}:{text}"
        if reply:
            words = " ".join(text.split())[:500]
            headers = f"NATS/1.0\r\nNats-Service-Error: {words}\r\nNats-Service-Error-Code: {code}\r\n\r\n"
            self._connection.publish_now(reply, b"", headers.encode())


def _name(text: str) -> str:
    return _NOT_NAME.sub("-", text).strip("-") or "claw"
