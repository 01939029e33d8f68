"""The log on a server, opened for the kinds of this release."""

from typing import Any

from clawactors.eventlog.jetstream import Address, JetStreamLog
from clawactors.kinds import KINDS


async def open_log(url: Address | str | None = None, name: str = "test", **options: Any) -> JetStreamLog:
    """`JetStreamLog.connect`."""
    return await JetStreamLog.connect(url, name, **{"kinds": KINDS.names} | options)
