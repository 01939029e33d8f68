"""Settings as people and scripts read them. The keys are promises: extend freely, drop none."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from clawactors.kernel.errors import Refused
from clawactors.kernel.time import iso
from clawactors.runtime.settings import ProcessReport, ProcessSetting
from clawactors.systems.settings import REGISTRY, ClusterSettings, Setting, SettingEntry
from clawactors.systems.settings.values import checked_value, shown

__all__ = ["SettingChange", "SettingOrigin", "SettingRow", "ValueChange", "setting_rows", "with_origins"]


class SettingOrigin(msgspec.Struct, frozen=True, kw_only=True):
    """What counts in one process: the value, where it comes from, and what it hides, the strongest first.

    `pending`: another value takes effect when that process starts again.
    """

    process: str
    value: Any
    text: str
    origin: str
    source: str
    hides: tuple[dict[str, Any], ...]
    pending: bool


class SettingRow(msgspec.Struct, frozen=True, kw_only=True):
    """A setting and what the cluster has it set to, by default the default; `text` is that as people write it.

    `version` is that of the settings that made it so, 0 where it was never set. `problem` is why this release can't use
    what is set; of a setting that it does not have nothing else is known. `origins` only where they were asked for.
    """

    name: str
    value: Any
    text: str
    set: bool
    default: Any
    type: str
    unit: str
    least: float | None
    most: float | None
    choices: tuple[str, ...]
    meaning: str
    read_by: str
    takes_effect: str
    version: int
    set_at: str | None
    by: str
    reason: str
    problem: str = ""
    origins: tuple[SettingOrigin, ...] | None = None


class ValueChange(msgspec.Struct, frozen=True):
    """A value before and after, None where the default counted."""

    before: Any
    after: Any


class SettingChange(msgspec.Struct, frozen=True, kw_only=True):
    """One commit of changes, which made this version of the settings; `rolled_back_to`: 0 if it was no rollback."""

    version: int
    seq: int
    at: str | None
    by: str
    reason: str
    rolled_back_to: int
    changes: dict[str, ValueChange]


def setting_rows(settings: ClusterSettings) -> list[SettingRow]:
    """All settings by name, with those of later releases that were set."""
    rows = [_row(setting, settings.entries.get(name)) for name, setting in REGISTRY.items()]
    later = (name for name, entry in settings.entries.items() if name not in REGISTRY and entry.value is not None)
    return sorted([*rows, *(_unknown(name, settings.entries[name]) for name in later)], key=lambda row: row.name)


def _row(setting: Setting, entry: SettingEntry | None) -> SettingRow:
    entry = entry or SettingEntry()
    value, problem = setting.default, ""
    if is_set := entry.value is not None:
        try:
            value = checked_value(setting, entry.value)
        except Refused as refusal:
            problem = str(refusal)
    ranged = setting.type in ("duration", "number")
    return SettingRow(
        name=setting.name,
        value=value,
        text=shown(setting, value),
        set=is_set,
        default=setting.default,
        type=setting.type,
        unit=setting.unit,
        least=setting.least if ranged else None,
        most=setting.most if ranged else None,
        choices=setting.choices,
        meaning=setting.meaning,
        read_by=setting.read_by,
        takes_effect=setting.takes_effect,
        version=entry.version,
        set_at=iso(entry.at_ns),
        by=entry.by,
        reason=entry.reason,
        problem=problem,
    )


def _unknown(name: str, entry: SettingEntry) -> SettingRow:
    return SettingRow(
        name=name,
        value=entry.value,
        text=msgspec.json.encode(entry.value).decode(),
        set=True,
        default=None,
        type="unknown",
        unit="",
        least=None,
        most=None,
        choices=(),
        meaning="",
        read_by="",
        takes_effect="never in this release",
        version=entry.version,
        set_at=iso(entry.at_ns),
        by=entry.by,
        reason=entry.reason,
        problem="this release has no such setting",
    )


def with_origins(rows: Iterable[SettingRow], reports: Iterable[ProcessReport]) -> list[SettingRow]:
    """The rows with what counts in each process that the setting concerns."""
    known = list(reports)
    return [msgspec.structs.replace(row, origins=tuple(_origins(row, known))) for row in rows]


def _origins(row: SettingRow, reports: list[ProcessReport]) -> Iterator[SettingOrigin]:
    setting = REGISTRY.get(row.name)
    for report in reports:
        if setting is not None and (said := report.settings.get(row.name)) is not None:
            yield SettingOrigin(
                process=report.process,
                value=said.value,
                text=shown(setting, said.value),
                origin=said.origin,
                source=said.source,
                hides=tuple(_hidden(each) for each in said.hides),
                pending=said.pending,
            )


def _hidden(said: ProcessSetting) -> dict[str, Any]:
    return {"value": said.value, "origin": said.origin, "source": said.source}
