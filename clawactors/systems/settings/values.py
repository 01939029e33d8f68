"""Values of settings: checked, of what people and programs write; and shown, as people write them.

1. A value that was checked is JSON, and checking it again gives the same value.
2. Nothing is guessed: what is out of range or of another type is refused with what would do.
"""

import difflib
import re
from collections.abc import Mapping
from typing import Any, Final

from clawactors.eventlog import Misconfigured
from clawactors.kernel.errors import Refused
from clawactors.kernel.time import duration_s
from clawactors.systems.settings.registry import REGISTRY, Setting, Settings
from clawactors.systems.settings.weights import weights_of

__all__ = ["check_no_secret", "checked_name", "checked_value", "effective", "own_check", "shown"]

_OFF: Final = ("off", "never")
_FLAGS: Final = {"true": True, "on": True, "yes": True, "false": False, "off": False, "no": False}
_NUMBER: Final = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_UNITS: Final = ((86_400, "d"), (3600, "h"), (60, "m"))
_TEXT_MAX: Final = 1000
_SHOWN: Final = 60
_NAME_PARTS: Final = re.compile(
    r"passw(or)?d|passphrase|secret|token|credential|api[-_.]?key|private[-_.]?key|access[-_.]?key", re.IGNORECASE
)
_SECRETS: Final = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY|\b(sk|pk|rk)[-_](live|test|ant|proj|or)?[-_]?[A-Za-z0-9]{16,}"
    r"|\bgh[pousr]_[A-Za-z0-9]{20,}|\bxox[abprs]-|\b(AKIA|ASIA)[0-9A-Z]{16}\b|\beyJ[\w-]{8,}\.[\w-]{8,}\."
    r"|://[^/\s:@]*:[^/\s@]+@|\b(password|passwd|secret|token|api[-_]?key)\s*[=:]\s*\S",
    re.IGNORECASE,
)
_WHERE: Final = (
    "secrets are never settings, which everybody can read: put it in the file of claw up --secrets, or in the "
    "environment as CLAW_SECRET_NAME"
)


def checked_name(name: str) -> Setting:
    """The setting of that name. Raises: `Refused` with the nearest one."""
    if (setting := REGISTRY.get(name)) is not None:
        return setting
    if _NAME_PARTS.search(name):
        raise Refused(f"{name[:_SHOWN]!r} looks like the name of a secret: {_WHERE}")
    near = difflib.get_close_matches(name[:200].lower().replace("_", "-"), REGISTRY, 1, 0.5)
    hint = f"did you mean {near[0]}?" if near else "claw config list names all"
    raise Refused(f"there is no setting {name[:_SHOWN]!r}: {hint}")


def check_no_secret(text: str) -> None:
    """Raises: `Refused` for what looks like a secret; it is not repeated in the reason."""
    if _SECRETS.search(text):
        raise Refused(f"this looks like a secret: {_WHERE}")


def checked_value(setting: Setting, value: Any) -> Any:
    """The value as it is recorded. Raises: `Refused`."""
    match setting.type:
        case "duration":
            return _duration(setting, value)
        case "number":
            return _number(setting, value)
        case "flag":
            return _flag(setting, value)
        case "choice":
            word = value.strip().lower() if isinstance(value, str) else value
            if word not in setting.choices:
                raise _wrong(setting, value, f"one of {', '.join(setting.choices)}")
            return word
        case "folder":
            return _folder(setting, value)
        case "weights":
            return _weights(setting, value)


def _wrong(setting: Setting, value: Any, wanted: str) -> Refused:
    given = repr(value)
    given = given if len(given) <= _SHOWN else f"{given[:_SHOWN]}…"
    return Refused(f"{setting.name} can't be {given}: use {wanted}")


def _duration(setting: Setting, value: Any) -> float:
    wanted = f"{shown(setting, setting.least)} to {shown(setting, setting.most)}{', or off' if setting.off else ''}"
    off = setting.off and value == 0 and not isinstance(value, bool)  # as it is recorded
    if isinstance(value, str):
        word = value.strip().lower()
        if setting.off and word in _OFF:
            return 0.0
        try:
            seconds = duration_s(word)
        except ValueError:
            raise _wrong(setting, value, f"a duration with its unit, as in 30s, 5m, 2h or 7d, {wanted}") from None
    elif isinstance(value, int | float) and not isinstance(value, bool):
        seconds = value
    else:
        raise _wrong(setting, value, f"a duration, {wanted}")
    if not off and not setting.least <= seconds <= setting.most:
        raise _wrong(setting, value, wanted)
    return float(seconds)


def _number(setting: Setting, value: Any) -> int:
    wanted = f"a number from {setting.least:.0f} to {setting.most:.0f}"
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not setting.least <= value <= setting.most:
        raise _wrong(setting, value, wanted)
    return value


def _flag(setting: Setting, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and (flag := _FLAGS.get(value.strip().lower())) is not None:
        return flag
    raise _wrong(setting, value, "true or false")


def _folder(setting: Setting, value: Any) -> str:
    if not isinstance(value, str) or len(value) > _TEXT_MAX or "\0" in value or not value.isprintable():
        raise _wrong(setting, value, "a path of up to 1000 characters")
    if value and not value.startswith("/"):
        raise _wrong(setting, value, "a whole path, which begins with /")
    check_no_secret(value)
    return value


def _weights(setting: Setting, value: Any) -> str:
    if not isinstance(value, str) or len(value) > _TEXT_MAX or not value.isprintable():
        raise _wrong(setting, value, "users with their weights, as in maya=3 ci=0.5, up to 1000 characters")
    try:
        return " ".join(f"{user}={weight:.10g}" for user, weight in weights_of(value).items())
    except ValueError as error:
        raise _wrong(setting, value, str(error)) from None


def shown(setting: Setting, value: Any) -> str:
    """The value as people write it: `30d`, `off`, `true`."""
    if setting.type == "flag":
        return "true" if value else "false"
    if setting.type != "duration":
        return str(value)
    if not value:
        return "off" if setting.off else "0s"
    for size, unit in _UNITS:
        if value >= size and value % size == 0:
            return f"{value / size:.0f}{unit}"
    return f"{value:.10g}s"


def effective(values: Mapping[str, Any]) -> tuple[Settings, dict[str, str]]:
    """The settings with these values, the default for all others; and why any of them can't be used, by name.

    A log may hold names and values of a later release: they change nothing here.
    """
    fields: dict[str, Any] = {}
    unfit: dict[str, str] = {}
    for name, value in values.items():
        setting = REGISTRY.get(name)
        if setting is None:
            unfit[name] = "this release has no such setting"
            continue
        try:
            fields[setting.field] = checked_value(setting, value)
        except Refused as refusal:
            unfit[name] = str(refusal)
    return Settings(**fields), unfit


def own_check(name: str, value: Any, source: str) -> Any:
    """A value that a file, a variable or an option gives a process. Raises: `Misconfigured`, which names the source."""
    try:
        return checked_value(checked_name(name), value)
    except Refused as refusal:
        raise Misconfigured(f"{source}: {refusal}") from None
