"""`claw key add|list|show|revoke`: keys of programs that ask over HTTP."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from clawactors.app.cli.output import Facts, Part, Table, card, emit, note, when
from clawactors.app.cli.session import explained, hinted, with_client
from clawactors.app.client import Client
from clawactors.app.problem import Problem
from clawactors.runtime.client.keys import KeyRow

__all__ = ["run"]

_LISTING: Final = "claw key list shows all keys"
_ADD: Final = ("scope", "user", "expires", "rate", "quota")


def run(options: Any) -> int:
    """Runs the verb and prints what it gives."""
    verb, name = options.verb, options.name
    given = [option for option in _ADD if getattr(options, option) is not None]
    if bool(name) is (verb == "list") or (given and verb != "add"):
        raise Problem("usage", f"usage: key {verb}{'' if verb == 'list' else ' NAME'}", "claw key --help")

    async def work(client: Client) -> int:
        with hinted(_LISTING), explained(f"nothing was changed; {_LISTING}"):
            match verb:
                case "list":
                    rows = await client.keys.list()
                    emit(options, rows, lambda: _table(rows))
                case "add":
                    await _add(client, options)
                case "show":
                    row = await client.keys.get(name)
                    emit(options, row, lambda: [card(row)])
                case _:
                    row = await client.keys.revoke(name)
                    emit(options, row, lambda: [card(row)])
        return 0

    return with_client(options, work)


async def _add(client: Client, options: Any) -> None:
    expires = None if options.expires is None else await client.now_ns() + int(options.expires * 1e9)
    added = await client.keys.add(
        options.name,
        options.scope or ("read",),
        user=options.user or "",
        expires=expires,
        rate_per_s=options.rate or 0.0,
        quota_per_day=options.quota or 0,
    )
    document = msgspec.to_builtins(added.key) | {"secret": added.secret}
    emit(options, document, lambda: [card(added.key), Facts([("secret", added.secret)])])
    note("the secret is shown once: send it as Authorization: Bearer SECRET")


def _table(rows: Iterable[KeyRow]) -> Iterator[Part]:
    yield Table(
        ("NAME", "STATUS", "SCOPES", "USER", "EXPIRES", "RATE", "QUOTA", "ADDED", "BY"),
        (
            (
                row.name,
                row.status,
                row.scopes,
                row.user,
                when(row.expires_at),
                f"{row.rate_per_s:g}/s" if row.rate_per_s else "",
                f"{row.quota_per_day}/d" if row.quota_per_day else "",
                when(row.added_at),
                row.added_by,
            )
            for row in rows
        ),
    )
