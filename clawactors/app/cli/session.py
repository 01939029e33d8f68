"""Connects commands to the server, resolves id prefixes, and turns errors into `Problem`."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from clawactors.app.cli.output import note
from clawactors.app.client import Client
from clawactors.app.discovery import Found, discover
from clawactors.app.problem import Problem
from clawactors.eventlog import NoResponders, NoSuchLog, Unavailable
from clawactors.kernel.errors import InvalidQuery, NotFound, Refused
from clawactors.runtime.client.listing import Listing

__all__ = ["ask_memory", "by_id", "change_by_id", "explained", "find", "hinted", "with_client"]

_TIMEOUT_S: Final = 10.0
"""How long a command waits for a server or a control process that has gone."""

_LOOK: Final = "claw doctor looks for the cause"
_GENERATED: Final = re.compile(r"t-[0-9a-z]{21}|key-[0-9a-f]{32}")


def find(options: Any) -> Found:
    """Finds the server that the global options select. Raises: `Unavailable`, `Misconfigured`."""
    found = discover(options.nats, options.data, options.context)
    if found.ignored:
        note(f"{found.ignored}: the server is {found.why}")
    return found


def with_client(options: Any, work: Callable[[Client], Awaitable[int]], user: str = "") -> int:
    """Runs the work of a command with a client, which acts for `user`; returns its exit code."""

    async def run() -> int:
        found = find(options)
        try:
            async with Client.of(found, user=user, timeout_s=_TIMEOUT_S) as client:
                if client.unanswered:
                    note(f"no control process answers at {found.shown} yet: waiting up to {_TIMEOUT_S:g} s")
                return await work(client)
        except NoResponders as error:
            start = "claw down, then claw up" if found.is_own else "claw up with the same --nats starts one"
            raise Problem("unavailable", f"no control process answers at {found.shown} ({error})", start) from error
        except NoSuchLog:
            raise  # it says itself what to do
        except Unavailable as error:
            raise Problem("unavailable", f"{error} (the server: {found.why})", _LOOK) from error

    return asyncio.run(run())


async def by_id[T](client: Listing, id: str, work: Callable[[str], Awaitable[T]]) -> T:
    """Does the work on the task with that id, or on the only task whose id starts so. Raises: what the work raises."""
    try:
        return await work(id)
    except NotFound:
        full = await _completed(client, id)
        if full is None:
            raise
        return await work(full)


async def change_by_id[T](client: Client, id: str, work: Callable[[str], Awaitable[T]]) -> T:
    """The same for a change; only generated ids may be abbreviated: `job-1` must not cancel `job-10`."""
    try:
        return await work(id)
    except NotFound:
        full = await _completed(client, id)
        if full is None:
            raise
        if not _GENERATED.fullmatch(full):
            raise Problem("not_found", f"there is no task {id!r}", f"to change {full}, give its whole id") from None
        note(f"{id} is {full}")
        return await work(full)


async def _completed(client: Listing, start: str) -> str | None:
    try:
        full = await client.resolve(start)
    except (NoResponders, Unavailable):
        return None
    except InvalidQuery as error:
        raise Problem("usage", str(error), "give more of the id") from error
    return None if full == start else full


async def ask_memory(client: Client, name: str, /, timeout_s: float = 20.0, **question: Any) -> dict[str, Any]:
    """Asks the memory process. Raises: `Refused`, `NotFound`, `Problem` where it does not answer."""
    try:
        return await client.memories.ask(f"memory.{name}", timeout_s, **question)
    except NoResponders as error:
        hint = "claw up starts one and restarts it if it dies"
        raise Problem("unavailable", f"no memory process answers at {client.found.shown} ({error})", hint) from error


@contextmanager
def hinted(hint: str) -> Iterator[None]:
    """Adds to "not found" where to look. Raises: `Problem` in place of `NotFound`."""
    try:
        yield
    except NotFound as error:
        raise Problem("not_found", str(error), hint) from error


@contextmanager
def explained(hint: str | Callable[[str], str]) -> Iterator[None]:
    """Adds a hint to a refusal, or one made of its words. Raises: `Problem` in place of `Refused`."""
    try:
        yield
    except (InvalidQuery, NotFound):
        raise
    except Refused as refusal:
        said = hint if isinstance(hint, str) else hint(str(refusal))
        raise Problem("refused", str(refusal), said) from refusal
