"""Keeps the admissions of a cluster open while it runs, whatever happens to its server and its control process."""

import asyncio
import logging
from typing import Final

from clawactors.app.client import Client
from clawactors.app.discovery import own_cluster
from clawactors.app.identity.admissions import Admissions
from clawactors.app.server.access import ServerAccess
from clawactors.eventlog import EventLogError
from clawactors.kernel.errors import Refused

__all__ = ["serve_admissions"]

_AGAIN_S: Final = 1.0

_log = logging.getLogger(__name__)


async def serve_admissions(access: ServerAccess, data: str) -> None:
    """Admits who was invited and keeps out who was revoked, until cancelled."""
    address, said = access.address(), ""
    while True:
        try:
            async with Client.of(own_cluster(address, data)) as client:
                admissions = Admissions(client, access)
                try:
                    await admissions.open()
                    access.invitations, said = admissions.judge, ""
                    await admissions.serve()
                finally:
                    access.invitations = None
                    await admissions.aclose()
        except (EventLogError, Refused) as error:
            if str(error) != said:
                said = str(error)
                _log.warning("nobody can join, trying again: %s", said)
        await asyncio.sleep(_AGAIN_S)
