"""Answers the server's questions about those who connect with a user and a password instead of signed credentials.

It does so in a thread of its own: a program that embeds a cluster may block the loop that supervises it, and nobody
could connect meanwhile.
"""

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final

from clawactors.app.identity.authority import Authority, Login
from clawactors.app.identity.roles import Role
from clawactors.eventlog.jetstream import Address, Connection

__all__ = ["Logins", "Verdict"]

_log = logging.getLogger(__name__)

_SUBJECT: Final = "$SYS.REQ.USER.AUTH"

type Verdict = tuple[Role | None, str, str]
"""The role and the name of a user (no role: one of the system account), or the reason why nobody is let in."""


class Logins:
    """The thread with the connection on which the server asks; `judge` is called there and must be quick."""

    def __init__(self, address: Address, authority: Authority, judge: Callable[[Login], Verdict]) -> None:
        self._address, self._authority, self._judge = address, authority, judge
        self._opened: Future[None] = Future()
        self._loop = asyncio.new_event_loop()
        self._closing = asyncio.Event()
        self._connection: Connection | None = None

    async def open(self) -> None:
        """Returns once the server asks here. Raises: `Unavailable`, `Misconfigured`."""
        threading.Thread(target=self._run, name="logins", daemon=True).start()
        await asyncio.wrap_future(self._opened)

    def close(self) -> None:
        """Ends it soon: from then on passwords are refused. Order: idempotent."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._closing.set)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        try:
            connection = self._connection = await Connection.open(self._address, "claw-logins")
            try:
                await connection.confirm(connection.listen(_SUBJECT, self._on_question))
                self._opened.set_result(None)
                await self._closing.wait()
            finally:
                await connection.aclose()
        except Exception as error:
            if self._opened.done():
                _log.exception("passwords are not answered any more")
            else:
                self._opened.set_exception(error)

    def _on_question(self, subject: bytes, reply: bytes, headers: bytes, body: bytes) -> None:
        try:
            login, answer = self._authority.question(body)
        except (ValueError, KeyError, TypeError) as error:
            _log.warning("a question about a login can't be read: %s", error)
            return
        if self._connection is not None:
            self._connection.publish_now(reply, answer(*self._judge(login)))
