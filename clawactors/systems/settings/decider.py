"""The rules of settings.

1. A change names settings that this release has, with values that they take; to set what is set already is quiet.
2. Versions of the settings count up from 1: each commit of changes makes the next one.
3. A guard holds for the settings that a command names: others may have changed meanwhile.
4. What a later release has set stays as it is, and can be unset.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from clawactors.kernel.decider import Decider
from clawactors.kernel.errors import Refused
from clawactors.systems.settings import commands as c
from clawactors.systems.settings import events as e
from clawactors.systems.settings.values import check_no_secret, checked_name, checked_value
from clawactors.systems.tasks.events import Count

__all__ = ["SETTING", "ClusterSettings", "SettingEntry", "decide", "evolve"]

_REASON_MAX: Final = 1000


class SettingEntry(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The value of a setting, None for the default; the version of the settings that made it so, when, who and why."""

    value: Any = None
    version: Count = 0
    at_ns: Count = 0
    by: str = ""
    reason: str = ""


class ClusterSettings(msgspec.Struct, frozen=True, omit_defaults=True):
    """All that was ever set, by name, and the version of the whole; `updated_ns` since 1970."""

    entries: dict[str, SettingEntry] = {}
    version: Count = 0
    updated_ns: Count = 0

    @property
    def exists(self) -> bool:
        """True once anything was set."""
        return self.version > 0

    @property
    def status(self) -> str:
        """For people."""
        return f"at version {self.version}"

    @property
    def values(self) -> dict[str, Any]:
        """What is set now, by name."""
        return {name: entry.value for name, entry in self.entries.items() if entry.value is not None}

    def value(self, name: str) -> Any:
        """What it is set to, None where it is not."""
        entry = self.entries.get(name)
        return None if entry is None else entry.value


def decide(command: c.SettingCommand, settings: ClusterSettings) -> tuple[e.SettingEvent, ...]:
    """The events that the command leads to in this state, none for a repeat. Raises `Refused`."""
    if not command.changes:
        raise Refused("no setting is named: claw config list shows all")
    if command.rolled_back_to > settings.version:
        raise Refused(f"the settings are at version {settings.version}: there is no {command.rolled_back_to} yet")
    changes = {name: _checked(name, value, settings) for name, value in command.changes.items()}
    reason = command.reason[:_REASON_MAX]
    check_no_secret(reason)
    if command.if_version is not None:
        _guard(command.if_version, changes, settings)
    changes = {name: value for name, value in changes.items() if _differs(value, settings.value(name))}
    if not changes:
        return ()
    rolled_back_to = command.rolled_back_to
    return (e.SettingsChanged(changes=changes, reason=reason, rolled_back_to=rolled_back_to, by=command.by),)


def _checked(name: str, value: Any, settings: ClusterSettings) -> Any:
    if value is None and name in settings.entries:
        return None
    setting = checked_name(name)
    return None if value is None else checked_value(setting, value)


def _differs(value: Any, other: Any) -> bool:
    return type(value) is not type(other) or bool(value != other)


def _guard(version: int, changes: Mapping[str, Any], settings: ClusterSettings) -> None:
    if version > settings.version:
        raise Refused(f"the settings are at version {settings.version}: there is no {version} yet")
    for name in changes:
        entry = settings.entries.get(name)
        if entry is not None and entry.version > version:
            who = f" by {entry.by}" if entry.by else ""
            raise Refused(f"{name} has changed since version {version}{who}: it is at {entry.version} now; look first")


def evolve(settings: ClusterSettings, event: e.SettingEvent, at_ns: int) -> ClusterSettings:
    """The state after the event; the same object where the event is illegal in this state."""
    if not event.changes:
        return settings
    version = settings.version + 1
    entries = dict(settings.entries)
    for name, value in event.changes.items():
        entries[name] = SettingEntry(value=value, version=version, at_ns=at_ns, by=event.by, reason=event.reason)
    return replace(settings, entries=entries, version=version, updated_ns=at_ns)


SETTING: Final[Decider[c.SettingCommand, ClusterSettings, e.SettingEvent]] = Decider(
    "setting", ClusterSettings(), decide, evolve
)
