"""The mirror of a cluster on a second server: kept up while the cluster runs, and taken over when it is gone.

The two servers are connected by one link that the cluster's server dials. Each side knows the other's streams under the
name of its JetStream domain. Decisions: ADR 67.
"""

import asyncio
import logging
from typing import Final
from urllib.parse import urlsplit

from msgspec.structs import replace

from clawactors.app.server.config import PRIMARY, STANDBY
from clawactors.eventlog import EventLogError, Misconfigured, Unavailable
from clawactors.eventlog.jetstream import Address, Connection
from clawactors.eventlog.jetstream.stores.mirrors import MirrorState, create_mirrors, mirror_states, promote

__all__ = ["checked_address", "mirror_streams", "states_of_mirror", "take_over"]

_EVERY_S: Final = 30.0
_AGAIN_S: Final = 1.0

_log = logging.getLogger(__name__)


def checked_address(url: str) -> str:
    """The address of a mirror's server, as its configuration has it. Raises: `Misconfigured`."""
    parts = urlsplit(url)
    if parts.scheme not in ("nats", "nats-leaf", "tls") or not parts.hostname or not parts.port or not parts.username:
        raise Misconfigured(
            f"--mirror {parts.hostname or url[:60]!r} is not an address with user, password and port: "
            "claw up --standby HOST:PORT prints one"
        )
    return url


async def mirror_streams(address: Address) -> None:
    """Makes the mirrors of the cluster at this server, also those of streams that come later; until cancelled."""
    said = ""
    while True:
        try:
            async with await Connection.open(address, "claw-mirror") as source, await _opposite(address) as target:
                while True:
                    for name in await create_mirrors(source, target, f"$JS.{PRIMARY}.API"):
                        _log.warning("the stream %s is mirrored now", name)
                    said = ""
                    await asyncio.sleep(_EVERY_S)
        except EventLogError as error:
            reason = "its server does not answer" if isinstance(error, Unavailable) else str(error)
            if reason != said:
                _log.warning("the cluster is not mirrored: %s", reason)
                said = reason
        await asyncio.sleep(_AGAIN_S)


async def states_of_mirror(address: Address) -> list[MirrorState]:
    """The mirrors of the cluster at this server. Raises: `Unavailable` where the mirror's server does not answer."""
    async with await _opposite(address) as target:
        return await mirror_states(target)


async def take_over(address: Address) -> list[str]:
    """Makes streams of the mirrors at this server. See `promote`."""
    async with await Connection.open(address, "claw-take-over") as connection:
        return await promote(connection)


async def _opposite(address: Address) -> Connection:
    """The JetStream at the other end of the link of this server."""
    return await Connection.open(replace(address, domain=STANDBY), "claw-mirror")
