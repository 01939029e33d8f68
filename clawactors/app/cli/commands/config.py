"""`claw config VERB`: settings of the running cluster."""

import sys
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from clawactors.app.cli.arguments.config import VERBS as HELP
from clawactors.app.cli.output import Table, emit, note
from clawactors.app.cli.session import hinted, with_client
from clawactors.app.cli.settingtables import (
    change_table,
    origin_table,
    setting_card,
    setting_document,
    setting_table,
    value_text,
    why_it_counts,
    with_own,
)
from clawactors.app.client import Client
from clawactors.app.places import place_ns
from clawactors.app.problem import Problem
from clawactors.runtime.client.settingrows import SettingRow
from clawactors.systems.settings.values import checked_name

__all__ = ["run"]

_NUMBER_MAX: Final = 18
_VERSIONS: Final = "claw config history lists them"


def run(options: Any) -> int:
    """Runs the verb and prints what came of it."""
    for option in HELP[options.verb].options ^ _ALL_OPTIONS:
        if getattr(options, option) not in (None, False, ""):
            verbs = ", ".join(verb for verb, help in HELP.items() if option in help.options)
            raise Problem("usage", f"--{option.replace('_', '-')} belongs to: {verbs}", "claw config --help")
    verb, least, most = _VERBS[options.verb]
    if len(options.words) < least or (most is not None and len(options.words) > most):
        raise _usage(options)
    return with_client(options, lambda client: verb(client, options))


def _usage(options: Any) -> Problem:
    return Problem("usage", f"usage: claw config {options.verb} {HELP[options.verb].words}".rstrip())


def _version(options: Any, word: str) -> int:
    if not (word.isascii() and word.isdigit() and len(word) <= _NUMBER_MAX):
        raise Problem("usage", f"{word[:40]!r} is not a version of the settings", _VERSIONS)
    return int(word)


# Reading


async def _list(client: Client, options: Any) -> int:
    rows = await client.config.list(origins=options.origin, **await place_ns(client, options.at))
    rows = [row for row in rows if row.set or not options.set]
    rows = with_own(rows, client) if options.origin else rows
    parts = origin_table if options.origin else setting_table
    emit(options, [setting_document(row) for row in rows], lambda: [parts(rows)])
    return 0


async def _get(client: Client, options: Any) -> int:
    moment = await place_ns(client, options.at)
    row = await client.config.get(options.words[0], origins=options.origin, **moment)
    row = with_own([row], client)[0] if options.origin else row
    emit(options, setting_document(row), lambda: setting_card(row))
    return 0


# Changing


async def _set(client: Client, options: Any) -> int:
    changes = _pairs(options)
    return await _tell(client, options, changes, "set")


async def _unset(client: Client, options: Any) -> int:
    return await _tell(client, options, dict.fromkeys(options.words), "unset")


def _pairs(options: Any) -> dict[str, str]:
    words: list[str] = options.words
    if len(words) == 2 and "=" not in words[0]:
        return {words[0]: words[1]}
    pairs = [word.partition("=") for word in words]
    if wrong := [word for word, (name, sign, _) in zip(words, pairs, strict=True) if not (name and sign)]:
        raise Problem("usage", f"{wrong[0][:40]!r} sets nothing", f"claw config set {HELP['set'].words}")
    if len({name for name, _, _ in pairs}) < len(pairs):
        raise Problem("usage", "a setting is named twice")
    return {name: value for name, _, value in pairs}


async def _tell(client: Client, options: Any, changes: dict[str, Any], verb: str) -> int:
    before = await client.config.version()
    rows = await client.config.change(changes, reason=options.reason, if_version=options.if_version)
    return await _told(client, options, [row for row in rows if row.name in changes], before, verb)


async def _rollback(client: Client, options: Any) -> int:
    before = await client.config.version()
    version = _version(options, options.words[0])
    with hinted(_VERSIONS):
        rows = await client.config.rollback(version, reason=options.reason, if_version=options.if_version)
    return await _told(client, options, [row for row in rows if row.version > before], before, "rolled back")


async def _told(client: Client, options: Any, rows: list[SettingRow], before: int, verb: str) -> int:
    """Prints what was changed, and tells where that does not count, or not yet."""
    counts = {row.name: row for row in with_own(await client.config.list(origins=True), client)}
    emit(options, [setting_document(row) for row in rows], lambda: [setting_table(rows)])
    if not any(row.version > before for row in rows):
        note(f"nothing was changed: it was {verb} already")
    for row in rows:
        for each in counts[row.name].origins or () if row.name in counts else ():
            if each.origin not in ("default", "setting"):
                note(f"{each.process} has {row.name} {each.text} from {why_it_counts(each)}, which hides this")
            elif each.pending:
                note(f"{each.process} still has {row.name} {each.text}: {row.text} takes effect when it starts again")
    return 0


# Its history


async def _history(client: Client, options: Any) -> int:
    changes = await client.config.history(options.words[0] if options.words else "")
    emit(options, changes, lambda: [change_table(changes)])
    return 0


async def _watch(client: Client, options: Any) -> int:
    names = {checked_name(word).name for word in options.words}
    async for change in client.config.watch(options.after):
        if not names or names & change.changes.keys():
            sys.stdout.buffer.write(msgspec.json.encode(change) + b"\n")
            sys.stdout.buffer.flush()
    return 0


async def _diff(client: Client, options: Any) -> int:
    first, last = (*(_version(options, word) for word in options.words), None)[:2]
    with hinted(_VERSIONS):
        changed = await client.config.difference(first or 0, last)
    lines = [(name, value_text(name, value.before), value_text(name, value.after)) for name, value in changed.items()]
    emit(options, changed, lambda: [Table(("SETTING", "BEFORE", "AFTER"), lines, uncut=("SETTING",))])
    return 0


_VERBS: Final[dict[str, tuple[Callable[[Client, Any], Awaitable[int]], int, int | None]]] = {
    "list": (_list, 0, 0),
    "get": (_get, 1, 1),
    "set": (_set, 1, None),
    "unset": (_unset, 1, None),
    "history": (_history, 0, 1),
    "rollback": (_rollback, 1, 1),
    "watch": (_watch, 0, None),
    "diff": (_diff, 1, 2),
}
"""How each verb is run, and how many words it takes."""
_ALL_OPTIONS: Final = frozenset().union(*(help.options for help in HELP.values()))
