"""What the server's own files say of its accounts and streams."""

import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from clawactors.app.identity.authority import ACCOUNT
from clawactors.app.identity.tokens import claims_in
from clawactors.app.server.config import ACCOUNTS

__all__ = ["adopt_streams", "revoked_users", "stored_bytes"]

_log = logging.getLogger(__name__)

_STREAMS: Final = "jetstream"


def revoked_users(home: Path, account: str) -> dict[str, int]:
    """The users' keys that the server refuses already, with the time (s since 1970) of the refusal."""
    try:
        claims = claims_in((home / ACCOUNTS / f"{account}.jwt").read_bytes())
        return {str(key): int(at_s) for key, at_s in claims["nats"].get("revocations", {}).items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        _log.error("the accounts of the server can't be read, revoked keys are refused once control is up: %s", error)
        return {}


def adopt_streams(home: Path, account: str) -> None:
    """Gives the streams of a folder from before accounts had keys to the account of this key."""
    before, now = home / _STREAMS / ACCOUNT, home / _STREAMS / account
    if before.is_dir() and not now.exists():
        before.rename(now)


def stored_bytes(home: Path) -> int:
    """Bytes in the files of all streams; what goes away meanwhile counts nothing."""
    total = 0
    for at, _, names in os.walk(home / _STREAMS):
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(at, name)).st_size
    return total
