"""Makes forks on request, and finishes those that were left half way: a fork is whole in the end, or never begun."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from clawactors.eventlog import EventLogError
from clawactors.eventlog.requests import Requests
from clawactors.kernel.errors import NotFound, Refused
from clawactors.runtime.asking import ForkRequest, Outcome
from clawactors.runtime.call import Call
from clawactors.runtime.dispatcher import Dispatcher
from clawactors.runtime.fork import fork
from clawactors.runtime.serving import RequestEndpoint, answering
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks.kind import TASKS
from clawactors.systems.tasks.submission import checked_id

__all__ = ["ForkKeeper"]

_THEIRS_S: Final = 2.0
"""For so long the process that began a fork may finish it."""

_decode: Final = msgspec.json.Decoder(ForkRequest).decode
_encode: Final = msgspec.json.Encoder().encode
_log = logging.getLogger(__name__)


class ForkKeeper(RequestEndpoint):
    """Call `finish` with the forks that wait for their steps when this process leads; `done` is called after each."""

    def __init__(self, dispatcher: Dispatcher, done: Callable[[], None]) -> None:
        super().__init__()
        self._dispatcher, self._done = dispatcher, done
        self._finishing: dict[str, asyncio.Task[None]] = {}

    async def open(self, requests: Requests) -> None:
        """Makes forks on request from now on. Raises: `PermissionDenied`, `Unavailable`."""
        self._serving = [await requests.answer("claw.do.*.fork", self._answer)]

    @answering(_decode, _encode, Outcome, "a request for a fork")
    async def _answer(self, principal: str, asked: ForkRequest) -> Outcome:
        for id in (asked.id, asked.new_id):
            checked_id(id)
        forked = await fork(self._dispatcher, asked.id, asked.step, asked.new_id, f"client/{principal}")
        return Outcome(forked.version, True)

    def finish(self, ids: Iterable[str]) -> None:
        """Begins with all that it has not begun with."""
        for id in ids:
            if id not in self._finishing:
                self._finishing[id] = asyncio.create_task(self._finish(id))

    async def _finish(self, id: str) -> None:
        try:
            await asyncio.sleep(_THEIRS_S)
            await self._copy(id)
        except EventLogError as error:
            _log.info("the fork %s has to wait: %s", id, error)
        finally:
            del self._finishing[id]
            self._done()

    async def _copy(self, id: str) -> None:
        dispatcher = self._dispatcher
        known = (await dispatcher.snapshots.load(TASKS, id, brief=True)).snapshot
        spec, life = known.state.spec, known.state.life
        if spec is None or known.frozen or (life.status, life.waiting_for) != ("waiting", "fork"):
            return
        try:
            await fork(dispatcher, spec.fork_of, spec.fork_step, id)
        except (Refused, NotFound) as refusal:
            with contextlib.suppress(Refused):
                await dispatcher.send(Call(TASKS, id, (c.Block(f"its steps can't be copied: {refusal}"),)))
