"""What commands do with a server: connect, ask the views, in the words of `Problem` where it fails."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import msgspec

from clawactors.app.cli.problem import EXITS, Problem
from clawactors.app.cli.screen import note
from clawactors.app.client import Client
from clawactors.app.discovery import Found, discover
from clawactors.eventlog import NoResponders, NoSuchLog, Unavailable
from clawactors.kernel.errors import Refused
from clawactors.runtime import recalling
from clawactors.runtime.memory import ASK_S

__all__ = ["ask", "ask_memory", "ask_rows", "explained", "find", "with_client"]

_GIVE_UP_S: Final = 10.0
"""How long a command goes on with a server that has gone away."""

_PAGE: Final = 1000
_LOOK: Final = "claw doctor looks for the cause"


def find(options: Any) -> Found:
    """The server that the global options lead to. Raises: `Unavailable`, `Misconfigured`."""
    found = discover(options.nats, options.data, options.context)
    if found.ignored:
        note(f"{found.ignored}: the server is {found.why}")
    return found


def with_client(options: Any, work: Callable[[Client], Awaitable[int]]) -> int:
    """Runs the work of a command with a client; returns its exit code."""

    async def run() -> int:
        found = find(options)
        try:
            async with Client.at(found, give_up_s=_GIVE_UP_S) as client:
                return await work(client)
        except NoResponders as error:
            raise _without_control(found, error) from error
        except NoSuchLog:
            raise  # it says itself what to do
        except Unavailable as error:
            raise Problem("unavailable", f"{error} (the server: {found.why})", _LOOK) from error

    return asyncio.run(run())


async def ask(client: Client, name: str, **question: Any) -> dict[str, Any]:
    """The answer of the views. Raises: `Problem` with their own words, `Unavailable` where nobody answers."""
    return _checked(await client.ask(name, question))


async def ask_memory(client: Client, name: str, /, timeout_s: float = ASK_S, **question: Any) -> dict[str, Any]:
    """The answer of memory's process. Raises: as `ask`."""
    try:
        subject = f"claw.query.memory.{name}"
        return _checked(await recalling.ask(client.requests, subject, msgspec.json.encode(question), timeout_s))
    except NoResponders as error:
        hint = "claw up starts one, and starts it again when it dies"
        raise Problem("unavailable", f"no memory process answers at {client.found.shown} ({error})", hint) from error


def _checked(encoded: bytes) -> dict[str, Any]:
    answer: dict[str, Any] = msgspec.json.decode(encoded)
    if (error := answer.get("error")) is not None:
        code = error["code"] if error["code"] in EXITS else "unavailable"
        raise Problem(code, error["message"], error.get("hint", ""))
    return answer


@contextmanager
def explained(hint: str) -> Iterator[None]:
    """Adds to a refusal where to look. Raises: `Problem` in place of `Refused`."""
    try:
        yield
    except Refused as refusal:
        raise Problem("refused", str(refusal), hint) from refusal


async def ask_rows(
    client: Client, name: str, most: int | None = None, cursor: str = "", **question: Any
) -> tuple[list[dict[str, Any]], str | None]:
    """The rows of a list, page after page, `most` of them or all; and the cursor to the rest. Raises: as `ask`."""
    rows: list[dict[str, Any]] = []
    while True:
        limit = _PAGE if most is None else min(_PAGE, most - len(rows))
        answer = await ask(client, name, limit=limit, cursor=cursor, **question)
        rows += answer["rows"]
        cursor = answer["cursor"]
        if not cursor or len(rows) == most:
            return rows, cursor


def _without_control(found: Found, error: NoResponders) -> Problem:
    start = "claw down, then claw up" if found.is_own else "claw up with the same --nats starts one"
    return Problem("unavailable", f"no control process answers at {found.shown} ({error})", start)
