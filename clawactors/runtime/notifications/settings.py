"""How notifications leave: `notify.toml` in the data folder of the control process, read again for each message.

No secret is in it: it names a file that only its owner can read, or a secret of the environment, `CLAW_SECRET_<NAME>`.
"""

import os
import stat
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from clawactors.eventlog import Misconfigured

__all__ = [
    "FILE",
    "MailSettings",
    "NotifySettings",
    "TelegramSettings",
    "read_notify_settings",
    "secret_in",
    "secret_of",
    "secret_variable",
]

FILE: Final = "notify.toml"

type _Port = Annotated[int, msgspec.Meta(ge=0, le=65_535)]
type _Tls = Literal["auto", "starttls", "tls", "none"]


class _Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class MailSettings(_Settings, frozen=True):
    """A server that takes mail. `tls`: `auto` takes STARTTLS where it is offered; for a password it needs
    it, and a certificate that is right.

    `port` 0 is 465 for `tls`, 587 with a user, else 25; `ca_file` has certificates to trust besides the system's.
    """

    host: str = ""
    port: _Port = 0
    tls: _Tls = "auto"
    user: str = ""
    secret: str = "smtp"  # noqa: S105 - a name
    password_file: str = ""
    sender: str = ""
    ca_file: str = ""


class TelegramSettings(_Settings, frozen=True):
    """A bot; `url` is where its API is, for a local Bot API server or a relay."""

    secret: str = "telegram"  # noqa: S105 - a name
    token_file: str = ""
    url: str = "https://api.telegram.org"


class NotifySettings(_Settings, frozen=True):
    """All of `notify.toml`."""

    smtp: MailSettings = MailSettings()
    telegram: TelegramSettings = TelegramSettings()


def read_notify_settings(data: Path) -> NotifySettings:
    """The settings of a data folder, the defaults where there is no file. Raises: `Misconfigured`."""
    path = data / FILE
    try:
        return msgspec.convert(tomllib.loads(path.read_text("utf-8")), NotifySettings)
    except FileNotFoundError:
        return NotifySettings()
    except (OSError, ValueError, msgspec.ValidationError) as error:
        raise Misconfigured(f"{path} can't be used: {error}") from error


def secret_variable(name: str) -> str:
    """The variable of the environment that holds the secret of that name."""
    return f"CLAW_SECRET_{name.upper().replace('-', '_')}"


def secret_of(name: str) -> str | None:
    """The secret of that name, from the environment of this process."""
    return os.environ.get(secret_variable(name))


def secret_in(file: str, name: str, secrets: Callable[[str], str | None], what: str) -> str:
    """The secret of the file, or the one of that name. Raises: `Misconfigured`."""
    if not file:
        found = secrets(name)
        if not found:
            variable = secret_variable(name)
            raise Misconfigured(f"there is no {what}: name a file in {FILE}, or set {variable} where it runs")
        return found.strip()
    path = Path(file).expanduser()
    try:
        mode, text = path.stat().st_mode, path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"can't read the {what} in {path}: {error}") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise Misconfigured(f"the {what} in {path} is readable by others: chmod 600 {path}")
    if not text or len(text.splitlines()) > 1:
        raise Misconfigured(f"{path} should hold the {what} on one line, and nothing else")
    return text
