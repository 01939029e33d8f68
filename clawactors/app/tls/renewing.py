"""Keeps the certificate of a server that runs for months valid, for the addresses that its machine has now."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Final, Protocol

from clawactors.eventlog import Misconfigured

__all__ = ["Renewer", "renew_always"]

_log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 60.0


class Renewer(Protocol):
    """What `CertificateAuthority` does."""

    def renew(self, names: Iterable[str]) -> bool:
        """Replaces the server's file if it is not for all of these names or soon expires; True if it did."""
        ...


async def renew_always(
    authority: Renewer,
    names: Callable[[], Iterable[str]],
    reload: Callable[[], None],
    look_every_s: float = LOOK_EVERY_S,
) -> None:
    """Looks once a minute, without end; `reload` has the server read the new certificate.

    A machine that slept or moved to another network is looked at within that minute.
    """
    told = ""
    while True:
        await asyncio.sleep(look_every_s)
        try:
            if await asyncio.to_thread(lambda: authority.renew(names())):
                _log.info("the server's certificate was renewed")
                reload()
            told = ""
        except Misconfigured as error:
            if str(error) != told:
                _log.error("the server's certificate can't be renewed: %s", error)
            told = str(error)
