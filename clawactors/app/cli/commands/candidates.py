"""`claw __complete WORD …`: prints completions of the last word. Completion scripts call it.

Choices come from the command's own arguments; ids and names come from the cluster. If it does not answer in time
nothing is printed, not even an error: it would garble the line that is being typed.
"""

import argparse
import asyncio
import os
import re
import signal
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Final

from clawactors.app.cli.catalogue import COMMANDS
from clawactors.app.cli.parsing import Parser, split
from clawactors.app.client import Client
from clawactors.app.discovery import discover

__all__ = ["run"]

_PATIENCE_S: Final = 0.3
"""How long Tab waits for the cluster."""
_MOST: Final = 50
_HARMLESS: Final = re.compile(r"[\w.@%+:/-]+", re.ASCII)
"""Characters that no shell interprets: a candidate becomes part of a command line."""


def run(options: Any) -> int:
    """Prints the candidates, one per line."""
    # This ends the process wherever it waits, even for a name server.
    signal.signal(signal.SIGALRM, lambda *_: os._exit(0))
    signal.setitimer(signal.ITIMER_REAL, _PATIENCE_S)
    try:
        found = _candidates(options.words)
    except Exception:  # no cluster, no password, a line that makes no sense yet
        return 0
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    for each in found:
        print(each)
    return 0


def _candidates(line: Sequence[str]) -> list[str]:
    # bash takes --node=n1 and nats://host:4222 apart
    words = _joined_at_colons(word for word in line[:-1] if word != "=")
    current = "" if line[-1] == "=" else line[-1]
    before, name, after = split(words)
    if name not in COMMANDS:
        return []
    parser = Parser(name, "")
    COMMANDS[name].declare(parser)
    option, sign, value = current.partition("=") if current.startswith("--") else ("", "", current)
    action = _option(parser, option) if sign else _expected(parser, after)
    if action is None:
        return []
    head, comma, start = value.rpartition(",")
    if action.choices is not None:
        given: Iterable[str] = map(str, action.choices)
    elif action.metavar == "SETTING":
        from clawactors.systems.settings import REGISTRY

        given = REGISTRY
    elif read := _SOURCES.get(str(action.metavar or action.dest).upper()):
        given = asyncio.run(_asked(_globals(parser, [*before, *after]), read, start))
    else:
        return []
    fits = [each for each in given if each.startswith(start) and _HARMLESS.fullmatch(each)]
    return [f"{option}{sign}{head}{comma}{each}" for each in fits]


def _joined_at_colons(words: Iterable[str]) -> list[str]:
    joined: list[str] = []
    for word in words:
        if joined and (word == ":" or joined[-1].endswith(":")):
            joined[-1] += word
        else:
            joined.append(word)
    return joined


def _option(parser: Parser, name: str) -> argparse.Action | None:
    return parser._option_string_actions.get(name)


def _expected(parser: Parser, words: Sequence[str]) -> argparse.Action | None:
    """The argument that comes after these words; it can be the value of an option."""
    places = [action for action in parser._actions if not action.option_strings]
    at, rest = 0, iter(words)
    for word in rest:
        option = _option(parser, word)
        if option is None:
            at += not word.startswith("-")
        elif option.nargs != 0 and next(rest, None) is None:
            return option
    if at < len(places):
        return places[at]
    return places[-1] if places and places[-1].nargs in ("*", "+") else None


def _globals(parser: Parser, words: Sequence[str]) -> argparse.Namespace:
    """The global options among these words."""
    only = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for name in ("--nats", "--data", "--context"):
        only.add_argument(name)
    return only.parse_known_args(words)[0]


type _Source = Callable[[Client, str], Awaitable[Iterable[str]]]


async def _asked(options: argparse.Namespace, read: _Source, start: str) -> Iterable[str]:
    async with Client.of(discover(options.nats, options.data, options.context), timeout_s=_PATIENCE_S) as client:
        return await read(client, start)


async def _tasks(client: Client, start: str) -> Iterable[str]:
    if start:
        return await client.ids(start, limit=_MOST)
    return [row.id for row in await client.tasks(limit=_MOST)]


async def _nodes(client: Client, start: str) -> Iterable[str]:
    return [row.id for row in await client.nodes(fresh=False)]


async def _nodes_or_set(client: Client, start: str) -> Iterable[str]:
    return ["set", *await _nodes(client, start)]


async def _schedules(client: Client, start: str) -> Iterable[str]:
    return [row.name for row in await client.schedules.list(fresh=False)]


async def _notifications(client: Client, start: str) -> Iterable[str]:
    return [row.name for row in await client.notifications.list(fresh=False)]


async def _triggers(client: Client, start: str) -> Iterable[str]:
    return [row.name for row in await client.triggers.list(fresh=False)]


async def _workflows(client: Client, start: str) -> Iterable[str]:
    return [row.name for row in await client.workflows.list(fresh=False)]


async def _skills(client: Client, start: str) -> Iterable[str]:
    return [row.name for row in await client.skills_known(fresh=False)]


async def _dead_letters(client: Client, start: str) -> Iterable[str]:
    return [row.id for row in await client.dead_letters.list(limit=_MOST)]


_SOURCES: Final[dict[str, _Source]] = {
    "ID": _tasks,
    "ID,…": _tasks,
    "LETTER": _dead_letters,
    "NODE": _nodes,
    "[SET] NODE": _nodes_or_set,
    "NAME [CRON SKILL [JSON|@FILE|-]]": _schedules,
    "TRIGGER": _triggers,
    "NOTIFICATION": _notifications,
    "WORKFLOW": _workflows,
    "SKILL": _skills,
}
"""Where candidates come from, by the argument's name in its help."""
