"""Where webhooks and notifications may go: addresses are checked before they are in the log."""

import re
from typing import Final

from clawactors.kernel.errors import Refused

__all__ = ["DESKTOP", "MAIL", "TELEGRAM", "check_target", "check_url", "is_url", "recipients"]

DESKTOP: Final = "desktop"
MAIL: Final = "mailto:"
TELEGRAM: Final = "telegram:"
_URL: Final = re.compile(
    r"https?://(?P<user>[^/?#@\s]*@)?([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:(?P<port>[0-9]{1,5}))?([/?][!-~]*)?"
)
_MAILBOX: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[\w-]+(\.[\w-]+)*")
_CHAT: Final = re.compile(r"-?[0-9]{1,20}|@[A-Za-z][A-Za-z0-9_]{3,40}")
_RECIPIENTS_MAX: Final = 20


def is_url(target: str) -> bool:
    """True for the address of a webhook."""
    return target.startswith(("https://", "http://"))


def check_url(url: str) -> None:
    """Raises: `Refused` where this can't be the address of a webhook."""
    parts = _URL.fullmatch(url)
    if parts is None or not 0 < int(parts["port"] or 1) < 65_536:
        raise Refused(f"{url[:100]!r} is no address for a webhook: write http(s)://host/path")
    if parts["user"]:
        raise Refused("a webhook's address holds no user or password: they would stand in the log; sign it (--secret)")


def recipients(target: str) -> tuple[str, ...]:
    """The mailboxes of `mailto:a@example.org,b@example.org`."""
    return tuple(each.strip() for each in target.removeprefix(MAIL).split(","))


def check_target(target: str) -> None:
    """Raises: `Refused` where nobody can be told there."""
    if is_url(target):
        check_url(target)
    elif target.startswith(MAIL):
        to = recipients(target)
        if "?" in target or len(to) > _RECIPIENTS_MAX or not all(_MAILBOX.fullmatch(each) for each in to):
            raise Refused(
                f"{target[:100]!r} is no address for mail: write mailto:ops@example.org, up to "
                f"{_RECIPIENTS_MAX} with commas between them"
            )
    elif target.startswith(TELEGRAM):
        if not _CHAT.fullmatch(target.removeprefix(TELEGRAM)):
            raise Refused(f"{target[:100]!r} is no chat: write telegram:123456, or telegram:@channel")
    elif target != DESKTOP:
        raise Refused(
            f"{target[:100]!r} is nowhere to send to: write https://…, mailto:ops@example.org, desktop or telegram:CHAT"
        )
