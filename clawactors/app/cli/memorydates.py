"""How the command line reads dates of memories: by its options, by the settings of the owner, by the shell."""

import os
from typing import TYPE_CHECKING, Any, Final

from clawactors.app.client import Client
from clawactors.app.problem import Problem

if TYPE_CHECKING:
    from clawactors.memory.text.date import DateReader

__all__ = ["dates_for", "said_at"]

_LOCALES: Final = ("LC_ALL", "LC_TIME", "LANG")


async def said_at(client: Client, options: Any) -> int:
    """When it happened, by `--at`, ns since 1970; 0 for now. Raises: `Problem` for what is no date."""
    if not options.at:
        return 0
    try:
        return (await dates_for(client, options)).time(options.at)
    except ValueError as error:
        raise Problem("usage", str(error)) from None


async def dates_for(client: Client, options: Any) -> "DateReader":
    """How dates are read: by `--zone` and `--locale`, the settings of the owner, the locale of the shell."""
    from clawactors.memory.text.date import DateReader, zone_named

    owner = options.owner or options.as_user
    settings = await client.memories.settings(owner) if owner and not (options.zone and options.locale) else {}
    locale = options.locale or settings.get("language") or next(filter(None, map(os.environ.get, _LOCALES)), "")
    try:
        return DateReader(zone_named(options.zone or settings.get("zone") or ""), locale)
    except ValueError as error:
        raise Problem("usage", str(error)) from None
