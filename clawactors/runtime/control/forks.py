"""Finishes forks that whoever began them has left half way: a fork is whole in the end, or was never begun."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable
from typing import Final

from clawactors.eventlog import EventLogError
from clawactors.kernel.errors import NotFound, Refused
from clawactors.runtime.actor import ActorContext
from clawactors.runtime.fork import fork
from clawactors.runtime.taskactor import actor_of
from clawactors.systems.tasks import commands as c

__all__ = ["ForkKeeper"]

_THEIRS_S: Final = 2.0
"""So long whoever began is left to finish."""

_log = logging.getLogger(__name__)


class ForkKeeper:
    """Call `finish` with the forks that wait for their steps when this process leads; `done` is called after each."""

    def __init__(self, context: ActorContext, done: Callable[[], None]) -> None:
        self._context, self._done = context, done
        self._finishing: dict[str, asyncio.Task[None]] = {}

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
        actor = actor_of(self._context, id)
        with contextlib.suppress(Refused):  # a later release has written to it
            await actor.catch_up()
        spec, life = actor.state.spec, actor.state.life
        if spec is None or actor.frozen or (life.status, life.waiting_for) != ("waiting", "fork"):
            return
        try:
            await fork(self._context, spec.fork_of, spec.fork_step, id)
        except (Refused, NotFound) as refusal:
            with contextlib.suppress(Refused):
                await actor.handle(c.Block(f"its steps can't be copied: {refusal}"))
