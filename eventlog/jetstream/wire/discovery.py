"""The NATS service protocol: what `nats micro ls`, `info` and `stats` show of a process and its endpoints."""

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from clawactors.eventlog.endpoint import INBOX, Endpoint
from clawactors.eventlog.jetstream.wire.connection import Connection

__all__ = ["ServiceDiscovery"]

_NOT_NAME: Final = re.compile(r"[^A-Za-z0-9_-]+")
_INBOX: Final = INBOX.encode()


class ServiceDiscovery:
    """Answers the discovery subjects for all endpoints of a process, which are one instance of a service."""

    def __init__(
        self, connection: Connection, service: str, version: str, description: str, metadata: Mapping[str, str]
    ) -> None:
        self._name = _name(service or connection.name.partition("/")[0])
        self._about = {
            "name": self._name,
            "id": secrets.token_hex(11),
            "version": version,
            "metadata": {"connection": connection.name, **metadata},
        }
        self._description = description
        self._started = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        self._is_announced = False

    def announce(self, connection: Connection, replies: Connection, endpoints: Sequence[tuple[Endpoint, str]]) -> None:
        """Answers from now on, with each endpoint and its queue. Without the permission the process is not listed."""
        if self._is_announced:
            return
        self._is_announced = True
        for verb, tell in (("PING", self._ping), ("INFO", self._info), ("STATS", self._stats)):

            def on_message(
                subject: bytes,
                reply: bytes,
                headers: bytes,
                body: bytes,
                tell: Callable[[Sequence[tuple[Endpoint, str]]], dict[str, Any]] = tell,
            ) -> None:
                if reply.startswith(_INBOX) and endpoints:
                    replies.publish_now(reply, msgspec.json.encode(tell(endpoints)))

            root = f"$SRV.{verb}"
            for each in (root, f"{root}.{self._name}", f"{root}.{self._name}.{self._about['id']}"):
                connection.listen(each, on_message)

    def _ping(self, endpoints: Sequence[tuple[Endpoint, str]]) -> dict[str, Any]:
        return {"type": "io.nats.micro.v1.ping_response", **self._about}

    def _info(self, endpoints: Sequence[tuple[Endpoint, str]]) -> dict[str, Any]:
        return {
            "type": "io.nats.micro.v1.info_response",
            **self._about,
            "description": self._description,
            "endpoints": [_described(*each) | {"metadata": {}} for each in endpoints],
        }

    def _stats(self, endpoints: Sequence[tuple[Endpoint, str]]) -> dict[str, Any]:
        return {
            "type": "io.nats.micro.v1.stats_response",
            **self._about,
            "started": self._started,
            "endpoints": [_described(*each) | _figures(each[0]) for each in endpoints],
        }


def _described(endpoint: Endpoint, queue: str) -> dict[str, Any]:
    return {"name": _name(endpoint.subject), "subject": endpoint.subject, "queue_group": queue}


def _figures(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "num_requests": endpoint.requests,
        "num_errors": endpoint.errors,
        "last_error": endpoint.last_error,
        "processing_time": endpoint.took_ns,
        "average_processing_time": endpoint.took_ns // max(1, endpoint.requests),
    }


def _name(text: str) -> str:
    return _NOT_NAME.sub("-", text).strip("-") or "claw"
