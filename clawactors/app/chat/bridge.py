"""The loop of a bridge: takes messages in order, does what they say, answers each once.

1. A message is done with when its answer is out; only then may the service forget it. A crash begins with it again.
2. That an answer goes out is on record before it does: after a crash in just this moment it is not sent again.
3. What is done twice after a crash has its effect once: submitted tasks are named by their message.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from clawactors.app.chat.port import ChatPort, IncomingMessage
from clawactors.app.chat.sayings import ChatSayings
from clawactors.eventlog import EventLogError, Misconfigured
from clawactors.kernel.errors import Refused
from clawactors.runtime.client import ClusterClient
from clawactors.runtime.notifications.failure import OutletFailed
from clawactors.systems.bridges import BridgeState, ChatMember
from clawactors.systems.bridges.events import Stranger

__all__ = ["ChatBridge"]

_PAUSES_S: Final = (1.0, 2.0, 5.0, 10.0, 30.0)
_AGAIN_S: Final = 0.5
_LONGEST_S: Final = 60.0

_log = logging.getLogger(__name__)


class ChatBridge:
    """`serve` runs until cancelled. `own` is the client of the bridge itself, `clients` opens one for a user."""

    def __init__(
        self,
        name: str,
        port: ChatPort,
        own: ClusterClient,
        clients: Callable[[str], Awaitable[ClusterClient]],
        pauses_s: tuple[float, ...] = _PAUSES_S,
    ) -> None:
        self._name, self._port, self._own, self._clients, self._pauses_s = name, port, own, clients, pauses_s
        self._sayings = ChatSayings(name, own)
        self._bridge = BridgeState()

    async def serve(self) -> None:
        """Answers for ever.

        Raises: `Misconfigured` where the service refuses the bot; `Refused` where another process is further.
        """
        failures = 0
        await self._load()
        while True:
            try:
                messages = await self._port.receive(self._bridge.place)
                failures = 0
            except OutletFailed as failed:
                if failed.final:
                    raise Misconfigured(str(failed)) from None
                pause_s = self._pause_s(failures, failed)
                failures += 1
                _log.warning("%s: %s; asking again in %g s", self._name, failed, pause_s)
                await asyncio.sleep(pause_s)
                continue
            if messages:
                await self._load()  # who may talk may have changed
                await self._take(messages)

    async def _take(self, messages: Iterable[IncomingMessage]) -> None:
        passed, strangers, place = 0, list[Stranger](), ""
        for message in messages:
            who = self._bridge.member(message.chat, message.member)
            if who is not None and message.direct:
                if place:
                    await self._advance(place, passed, strangers)
                    passed, strangers, place = 0, [], ""
                await self._answer(message, who)
                await self._advance(message.place)
                continue
            place = message.place
            if who is None and message.chat:
                passed += 1
                strangers.append(Stranger(message.chat, message.member, message.called))
        if place:
            await self._advance(place, passed, strangers)

    async def _answer(self, message: IncomingMessage, who: ChatMember) -> None:
        if self._bridge.answering == message.id:
            _log.warning("%s: the answer to message %s may be out, and is not sent again", self._name, message.id)
            return
        try:
            client = await self._clients(who.name)
            pieces = await self._sayings.answer(client, who, message)
        except (EventLogError, OSError) as error:
            pieces = [f"The cluster can't be asked: {error}"]
        except Exception:  # the message would come again after each restart, and nobody else would be answered
            _log.exception("%s: message %s can't be answered", self._name, message.id)
            pieces = ["That did not work: it is a fault of the program, and its log says more."]
        failures = 0
        while True:
            await self._insist(lambda: self._own.bridges.answering(self._name, message.id))
            try:
                await self._port.send(message.chat, pieces)
                return
            except OutletFailed as failed:
                if failed.final:
                    _log.warning("%s: message %s has no answer: %s", self._name, message.id, failed)
                    return
                if not failed.sent_perhaps:
                    await self._insist(lambda: self._own.bridges.answering(self._name, ""))
                pause_s = self._pause_s(failures, failed)
                failures += 1
                await asyncio.sleep(min(pause_s, _LONGEST_S))

    def _pause_s(self, failures: int, failed: OutletFailed) -> float:
        """How long to wait after a failure that so many came before."""
        return max(self._pauses_s[min(failures, len(self._pauses_s) - 1)], failed.retry_after_s)

    async def _advance(self, place: str, ignored: int = 0, strangers: Iterable[Stranger] = ()) -> None:
        after = self._bridge.place
        try:
            self._bridge = await self._insist(
                lambda: self._own.bridges.advance(self._name, after, place, ignored=ignored, strangers=strangers)
            )
        except Refused:
            await self._load()
            if self._bridge.place != place:
                raise

    async def _load(self) -> None:
        self._bridge = await self._insist(lambda: self._own.bridges.state(self._name))

    async def _insist[R](self, call: Callable[[], Awaitable[R]]) -> R:
        while True:
            try:
                return await call()
            except EventLogError as error:
                _log.warning("%s has to wait: %s", self._name, error)
                await asyncio.sleep(_AGAIN_S)
