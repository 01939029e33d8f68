"""Push consumers without acknowledgements: created by name, deleted without waiting; and their headers."""

from typing import Any, Final

from clawactors.eventlog.errors import Unavailable
from clawactors.eventlog.jetstream.wire.api import call
from clawactors.eventlog.jetstream.wire.connection import Connection

__all__ = ["create", "delete", "header_number", "header_value"]

INACTIVE_S: Final = 10
"""The server removes a consumer that nobody has listened to for so long."""
_TIMEOUT_S: Final = 5.0
_TRIES_AMONG_MANY_S: Final = (0.5, 1.0, 1.5, 2.0)
"""A cluster may place a consumer on a server that has just died: then only a consumer of another name works."""


async def create(
    connection: Connection, stream: str, inbox: str, heartbeat_s: float, **config: Any
) -> tuple[str, dict[str, Any]]:
    """Creates a consumer that delivers to `inbox`; its name and the server's answer."""
    name = inbox.rpartition(".")[2]
    whole = {
        "deliver_subject": inbox,
        "ack_policy": "none",
        "mem_storage": True,
        "num_replicas": 1,
        "idle_heartbeat": int(heartbeat_s * 1e9),
        "inactive_threshold": INACTIVE_S * 1_000_000_000,
        **config,
    }
    *tries_s, last_s = _TRIES_AMONG_MANY_S if connection.is_clustered else (_TIMEOUT_S,)

    # A filter in the subject is one that the server can hold a user to; it refuses another one in the request.
    only = f".{config['filter_subject']}" if config.get("filter_subject") else ""

    async def attempt(name: str, timeout_s: float) -> tuple[str, dict[str, Any]]:
        asked = {"stream_name": stream, "config": {"name": name, **whole}}
        return name, await call(connection, f"CONSUMER.CREATE.{stream}.{name}{only}", asked, timeout_s)

    for number, timeout_s in enumerate(tries_s, 1):
        again = f"{name}-{number}"
        try:
            return await attempt(again, timeout_s)
        except Unavailable:
            delete(connection, stream, again)
    return await attempt(name, last_s)


def delete(connection: Connection, stream: str, name: str) -> None:
    """Deletes a consumer without waiting; if the request is lost, the server removes the idle consumer."""
    subject = f"{connection.address.api}.CONSUMER.DELETE.{stream}.{name}"
    connection.publish_request(subject, connection.expect_nothing())


def header_value(headers: bytes, name: bytes) -> bytes:
    """The value of a header of a status message, b'' when it is absent; `name` ends with a colon."""
    start = headers.find(name)
    if start < 0:
        return b""
    start += len(name)
    return headers[start : headers.find(b"\r\n", start)].strip()


def header_number(headers: bytes, name: bytes) -> int | None:
    """The number in a header, None when there is none."""
    value = header_value(headers, name)
    return int(value) if value.isdigit() else None
