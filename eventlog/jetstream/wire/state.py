"""Whether a connection is up, and the callbacks for its changes."""

import asyncio
import logging
import re
from collections.abc import Callable

from clawactors.eventlog.errors import PermissionDenied, Unavailable
from clawactors.eventlog.jetstream.wire.refusals import is_refusal, text_of
from clawactors.eventlog.jetstream.wire.replies import Replies

__all__ = ["ConnectionState", "shown"]

_log = logging.getLogger(__name__)


class ConnectionState:
    """The state of a connection, from what the client reports; `where` names the server. Callbacks must be quick."""

    def __init__(self, name: str, where: str) -> None:
        self._name, self._where = name, where
        self._back = asyncio.Event()
        self._was_up = False  # stays True until the callbacks for a loss were called
        self._is_closed: Callable[[], bool] = lambda: False
        self._replies: Replies | None = None
        self.reported: Exception | None = None
        self.on_lost: list[Callable[[], None]] = []
        self.on_back: list[Callable[[], None]] = []
        self.on_denied: list[Callable[[PermissionDenied], None]] = []

    def begin(self, is_closed: Callable[[], bool], replies: Replies) -> None:
        """The connection is up for the first time; a loss fails the requests of `replies`."""
        self._is_closed, self._replies = is_closed, replies
        self._was_up = True
        self._back.set()

    @property
    def is_up(self) -> bool:
        """True from each connect to the next loss."""
        return self._back.is_set()

    @property
    def is_refused(self) -> bool:
        """True while trying again soon does not help."""
        return self.reported is not None and is_refusal(self.reported)

    async def wait_up(self, timeout_s: float) -> None:
        """Returns when it is up, or closed. Raises: `Unavailable` after the timeout."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._back.wait()
        except TimeoutError:
            why = f": {text_of(self.reported)}" if self.reported is not None else ""
            raise Unavailable(f"no connection to {self._where} for {timeout_s:g} s{why}") from None

    def note_broken(self) -> None:
        """It is down from here on; the callbacks follow."""
        self._back.clear()

    def note_denied(self, error: PermissionDenied) -> None:
        """Fails the requests to a forbidden subject, and calls back."""
        if self._replies is not None and error.action == "publish to":
            self._replies.deny(error.subject)
        for on_denied in list(self.on_denied):
            on_denied(error)

    async def note_error(self, error: Exception) -> None:
        """Stores the reason why there is no connection; who opens it for the first time tells a refusal itself."""
        if self._replies is None and self.is_refused:
            return  # the server ends the connection after it has said why
        if self._replies is not None and is_refusal(error) and not self.is_refused:
            _log.warning("connection %r is refused at %s: %s", self._name, self._where, text_of(error))
        self.reported = error
        _log.debug("connection %r: %s", self._name, error)

    async def note_lost(self) -> None:
        """Fails the waiting requests, and calls back."""
        if self._is_closed():
            self._back.set()  # those who wait for the connection are told that it is closed
        elif self._was_up:
            self._back.clear()
            _log.warning("connection %r to %s is lost, trying again", self._name, self._where)
        else:
            return
        self._was_up = False
        if self._replies is not None:
            self._replies.lose()
        for on_lost in list(self.on_lost):
            on_lost()

    async def note_back(self) -> None:
        """Calls back."""
        self._was_up = True
        self.reported = None
        self._back.set()
        _log.info("connection %r is back at %s", self._name, self._where)
        for on_back in list(self.on_back):
            on_back()


def shown(url: str) -> str:
    """The address without the password."""
    return re.sub(r"//[^@/]*@", "//", url)
