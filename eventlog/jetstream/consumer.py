"""Push consumers that acknowledge nothing: created by name, deleted without waiting, and what their messages carry."""

from typing import Any, Final

from eventlog.jetstream.api import call
from eventlog.jetstream.connection import Connection

__all__ = ["create", "delete", "header_number", "header_value"]

INACTIVE_S: Final = 10
"""How long the server keeps a consumer that nobody listens to."""


async def create(
    connection: Connection, stream: str, inbox: str, heartbeat_s: float, **config: Any
) -> tuple[str, dict[str, Any]]:
    """Makes a consumer that delivers to `inbox`; its name and the server's answer."""
    name = inbox.rpartition(".")[2]
    whole = {
        "name": name,
        "deliver_subject": inbox,
        "ack_policy": "none",
        "mem_storage": True,
        "num_replicas": 1,
        "idle_heartbeat": int(heartbeat_s * 1e9),
        "inactive_threshold": INACTIVE_S * 1_000_000_000,
        **config,
    }
    return name, await call(connection, f"CONSUMER.CREATE.{stream}.{name}", {"stream_name": stream, "config": whole})


def delete(connection: Connection, stream: str, name: str) -> None:
    """Gives a consumer back; where that gets lost, the server notices by itself."""
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
