"""Settings as tables and cards, and as documents for scripts."""

from collections.abc import Iterator
from typing import Any

import msgspec

from clawactors.app.cli.output import Facts, Part, Table, cell, when
from clawactors.app.client import Client
from clawactors.app.layers import layers_of
from clawactors.runtime.client.settingrows import SettingChange, SettingOrigin, SettingRow, with_origins
from clawactors.runtime.settings import Layer, ProcessReport, explained
from clawactors.systems.settings import REGISTRY, ClusterSettings, SettingEntry
from clawactors.systems.settings.values import shown

__all__ = [
    "change_table",
    "origin_table",
    "setting_card",
    "setting_document",
    "setting_table",
    "value_text",
    "why_it_counts",
    "with_own",
]


def setting_document(row: SettingRow) -> dict[str, Any]:
    """The row for scripts; with origins where they were asked for."""
    document: dict[str, Any] = msgspec.to_builtins(row)
    if row.origins is None:
        del document["origins"]
    return document


def setting_table(rows: list[SettingRow]) -> Table:
    """One line a setting."""
    return Table(
        ("NAME", "VALUE", "SET BY", "AT", "TAKES EFFECT", "MEANING"),
        [(row.name, row.text, row.by, when(row.set_at), row.takes_effect, row.problem or row.meaning) for row in rows],
        uncut=("NAME", "VALUE"),
    )


def origin_table(rows: list[SettingRow]) -> Table:
    """One line for each process that reads a setting."""
    lines = [
        (row.name, each.process, each.text, why_it_counts(each), _hides(row, each))
        for row in rows
        for each in _origins_of(row)
    ]
    return Table(("NAME", "PROCESS", "VALUE", "ORIGIN", "HIDES"), lines, uncut=("NAME", "VALUE", "ORIGIN"))


def _origins_of(row: SettingRow) -> tuple[SettingOrigin, ...]:
    if row.origins:
        return row.origins
    # Read by processes of which none runs.
    origin = "setting" if row.set else "default"
    return (
        SettingOrigin(
            process=row.read_by, value=row.value, text=row.text, origin=origin, source="", hides=(), pending=False
        ),
    )


def with_own(rows: list[SettingRow], client: Client) -> list[SettingRow]:
    """Adds to settings that commands read what this command was given."""
    layers = layers_of(client.found.data)
    return [_own(row, layers) if row.read_by == "commands" else row for row in rows]


def _own(row: SettingRow, layers: tuple[Layer, ...]) -> SettingRow:
    state = ClusterSettings({row.name: SettingEntry(value=row.value)} if row.set else {})
    said = explained(REGISTRY[row.name], state, layers)
    return with_origins([row], [ProcessReport(process="claw", version=row.version, settings={row.name: said})])[0]


def why_it_counts(each: SettingOrigin) -> str:
    """Where the value comes from."""
    pending = ", until it starts again" if each.pending else ""
    return f"{each.origin}{f' {each.source}' if each.source else ''}{pending}"


def _hides(row: SettingRow, each: SettingOrigin) -> str:
    setting = REGISTRY.get(row.name)
    hidden = (f"{hid['origin']} {shown(setting, hid['value'])}" for hid in each.hides if setting is not None)
    return ", ".join(hidden)


def setting_card(row: SettingRow) -> Iterator[Part]:
    """All about one."""
    given = REGISTRY.get(row.name)
    takes = ", ".join(row.choices)
    if given is not None and row.least is not None and row.most is not None:
        takes = f"{shown(given, row.least)} to {shown(given, row.most)}{', or off' if given.off else ''}"
    yield Facts(
        [
            ("setting", row.name),
            ("value", row.text),
            ("meaning", row.meaning),
            ("problem", row.problem),
            ("default", None if given is None else shown(given, row.default)),
            ("takes", takes),
            ("takes effect", row.takes_effect),
            ("version", row.version or None),
            ("set by", row.by),
            ("at", when(row.set_at)),
            ("reason", row.reason),
        ]
    )
    if row.origins is not None:
        yield origin_table([row])


def change_table(changes: list[SettingChange]) -> Table:
    """One line for each value that changed."""
    lines = [
        (
            change.version,
            when(change.at),
            change.by,
            name,
            value_text(name, value.before),
            value_text(name, value.after),
            _reason(change),
        )
        for change in changes
        for name, value in change.changes.items()
    ]
    return Table(("VERSION", "AT", "BY", "SETTING", "BEFORE", "AFTER", "REASON"), lines, uncut=("SETTING",))


def value_text(name: str, value: Any) -> str:
    """A value as people write it."""
    if value is None:
        return "default"
    return shown(REGISTRY[name], value) if name in REGISTRY else cell(value)


def _reason(change: SettingChange) -> str:
    back = f"rolled back to {change.rolled_back_to}" if change.rolled_back_to else ""
    return ": ".join(filter(None, (back, change.reason)))
