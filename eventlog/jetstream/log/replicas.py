"""How often each stream is stored: three times on a cluster, once on a single server; raised, never lowered."""

import logging
from typing import Any

from clawactors.eventlog.errors import Misconfigured, Unavailable
from clawactors.eventlog.jetstream.log.streams import Store
from clawactors.eventlog.jetstream.wire.api import Refusal, call
from clawactors.eventlog.jetstream.wire.connection import Connection

__all__ = ["replicas_of", "replicated", "update"]

_log = logging.getLogger(__name__)


def replicas_of(connection: Connection) -> int:
    """Three on a cluster, one on a single server."""
    return 3 if connection.is_clustered else 1


async def update(connection: Connection, config: Store) -> dict[str, Any]:
    """Changes a stream; returns the server's description. Raises: `Misconfigured`, `Unavailable`."""
    try:
        updated: dict[str, Any] = await call(connection, f"STREAM.UPDATE.{config['name']}", config, timeout_s=15)
    except Refusal as refusal:
        raise Misconfigured(f"the stream {config['name']} can't be changed: {refusal.description}") from None
    return updated


async def replicated(connection: Connection, store: Store, info: dict[str, Any]) -> dict[str, Any]:
    """With as many replicas as the servers allow. Servers that are away now must not keep a cluster from starting."""
    have, wanted = info["config"].get("num_replicas", 1), store["num_replicas"]
    if have >= wanted:
        return info
    try:
        info = await update(connection, info["config"] | {"num_replicas": wanted})
    except (Misconfigured, Unavailable) as error:
        _log.error("%s stays at %d of %d replicas: %s", store["name"], have, wanted, error)
    else:
        _log.warning("%s gets %d replicas where it had %d", store["name"], wanted, have)
    return info
