"""`claw chat allow|disallow|list|run`: people ask and answer from a chat."""

import asyncio
import logging
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from clawactors.app.cli.named import print_all
from clawactors.app.cli.output import Facts, Part, Table, emit, note
from clawactors.app.cli.session import explained, find, with_client
from clawactors.app.client import Client
from clawactors.app.problem import Problem
from clawactors.runtime.client.bridges import BridgeRow
from clawactors.runtime.notifications.settings import secret_of

__all__ = ["run"]


def run(options: Any) -> int:
    """Runs the verb."""
    verb = options.verb
    allows = options.as_name is not None or options.submit is not None
    if (allows and verb != "allow") or (options.member and verb not in ("allow", "disallow")):
        raise Problem("usage", f"--as and --submit belong to chat allow, --member to allow and disallow, not to {verb}")
    if (options.token_file or options.api) and verb != "run":
        raise Problem("usage", "--token-file and --api belong to chat run")
    if verb == "list":
        if options.bridge:
            raise Problem("usage", "usage: chat list")
        return print_all(options, lambda client: client.bridges.list(), _table)
    from clawactors.app.chat.running import SERVICES

    if options.bridge not in SERVICES:
        raise Problem("usage", f"usage: chat {verb} {SERVICES[0]} …: there is an adapter for {', '.join(SERVICES)}")
    if verb == "run":
        if options.chat:
            raise Problem("usage", "usage: chat run telegram --token-file FILE")
        return _run(options)
    if not options.chat:
        raise Problem("usage", f"usage: chat {verb} {options.bridge} CHAT", "claw chat list shows who has written")
    return with_client(options, lambda client: _change(client, options))


def _run(options: Any) -> int:
    from clawactors.app.chat.running import run_chat

    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")

    def ready(called: str) -> None:
        note(f"the bot @{called} answers those whom claw chat list shows; Ctrl-C stops it")

    asyncio.run(run_chat(find(options), options.token_file, secret_of, options.api, ready=ready))
    return 0


async def _change(client: Client, options: Any) -> int:
    bridges = client.bridges
    with explained("claw chat list shows who may talk"):
        if options.verb == "allow":
            row = await bridges.allow(
                options.bridge,
                options.chat,
                member=options.member,
                user=options.as_name or "",
                skills=options.submit or (),
            )
        else:
            row = await bridges.disallow(options.bridge, options.chat, member=options.member)
    emit(options, row, lambda: _table([row]))
    return 0


def _table(rows: Iterable[BridgeRow]) -> Iterator[Part]:
    rows = list(rows)
    yield Table(
        ("BRIDGE", "CHAT", "MEMBER", "ACTS AS", "MAY SUBMIT"),
        ((row.name, each.chat, each.member or "all", each.name, each.skills) for row in rows for each in row.members),
        uncut=("CHAT", "MEMBER"),
    )
    for row in rows:
        if row.ignored:
            yield Facts([(f"ignored by {row.name}", f"{row.ignored} messages of strangers, the last of")])
            yield Table(
                ("CHAT", "MEMBER", "CALLED"),
                ((each.chat, each.member, each.called) for each in row.strangers),
                uncut=("CHAT", "MEMBER"),
            )
