"""What a server needs in order to hold the log, and whether it syncs before it acknowledges."""

import asyncio
from typing import Any, Final

import msgspec

from clawactors.eventlog.errors import EventLogError, Misconfigured, NoResponders, PermissionDenied
from clawactors.eventlog.jetstream.wire.api import check
from clawactors.eventlog.jetstream.wire.connection import Connection

__all__ = ["lacking", "syncs_always", "why_too_old"]

OLDEST_SERVER: Final = (2, 12)
LEAST_PAYLOAD: Final = 1 << 20
"""What every server takes that was not told otherwise; pages, parts of large values and commits are cut for it."""
SURVEY_S: Final = 0.5


async def lacking(connection: Connection) -> list[str]:
    """What this server lacks, one sentence each; empty if it is suitable. See also `syncs_always`.

    Raises: `PermissionDenied` (this user may not ask), `Unavailable`.
    """
    found = []
    if too_old := why_too_old(connection):
        return [too_old]
    if (max_payload := connection.max_payload) < LEAST_PAYLOAD:
        found.append(
            f"the server takes messages of at most {max_payload >> 10} KB: set max_payload: 1MB in its configuration"
        )
    try:
        subject = f"{connection.address.api}.INFO"
        check(subject, (await connection.ask(subject, timeout_s=2))[1])
    except PermissionDenied:
        raise
    except Misconfigured as error:
        found.append(str(error))
    except NoResponders:
        found.append("the server runs without JetStream (start it with a `jetstream {}` block or `-js`)")
    return found


def why_too_old(connection: Connection) -> str:
    """Says so of a server that is too old; "" for any other. No right is needed to know it."""
    if connection.version >= OLDEST_SERVER:
        return ""
    shown, needed = (".".join(map(str, version)) for version in (connection.version, OLDEST_SERVER))
    return f"nats-server {shown} is too old: {needed} or newer is needed"


async def syncs_always(system: Connection | None) -> bool | None:
    """True when every server syncs before it acknowledges, so that a power cut loses nothing acknowledged.

    Only a user of the system account may ask; None if it is not known.
    """
    if system is None:
        return None
    answers: list[bytes] = []
    inbox = system.expect(lambda _subject, _reply, _headers, body: answers.append(body))
    system.publish_request("$SYS.REQ.SERVER.PING.JSZ", inbox)
    try:
        first = await system.ask("$SYS.REQ.SERVER.PING.JSZ", timeout_s=2)
        if system.is_clustered:
            await asyncio.sleep(SURVEY_S)  # the number of answers is not known
    except EventLogError:
        return None
    finally:
        system.forget(inbox)
    configs = [msgspec.json.decode(answer).get("data", {}).get("config") for answer in (first[1], *answers) if answer]
    seen: list[Any] = [config for config in configs if config is not None]
    return all(config.get("sync_always", False) for config in seen) if seen else None
