"""Prints what has a name of its own, as schedules and triggers have: one of them, after a change or not, or all."""

from collections.abc import Awaitable, Callable, Iterable
from contextlib import nullcontext
from typing import Any

from clawactors.app.cli.output import Part, emit
from clawactors.app.cli.session import explained, hinted, with_client
from clawactors.app.client import Client

__all__ = ["print_all", "print_one"]


def print_one[R](
    options: Any,
    kind: str,
    ask: Callable[[Client], Awaitable[R]],
    card: Callable[[R], Iterable[Part]],
    *,
    changes: bool,
    command: str = "",
) -> int:
    """Runs what shows or `changes` one; returns the exit code. Its errors name the list of all, by `command` or so."""
    listing = f"claw {command or kind} list shows all {kind}s"

    async def work(client: Client) -> int:
        with hinted(listing), explained(f"nothing was changed; {listing}") if changes else nullcontext():
            row = await ask(client)
        emit(options, row, lambda: card(row))
        return 0

    return with_client(options, work)


def print_all[R](
    options: Any, ask: Callable[[Client], Awaitable[list[R]]], table: Callable[[list[R]], Iterable[Part]]
) -> int:
    """Runs what lists all; returns the exit code."""

    async def work(client: Client) -> int:
        rows = await ask(client)
        emit(options, rows, lambda: table(rows))
        return 0

    return with_client(options, work)
