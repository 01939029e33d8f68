"""Settings in a control process: what of them concerns control, and what is asked about them.

Any control process may answer. A client watches by asking for what comes after the version that it knows.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, override

import msgspec

from clawactors.eventlog import Unavailable
from clawactors.eventlog.requests import Requests
from clawactors.runtime.context import ActorContext
from clawactors.runtime.serving import RequestEndpoint, answering
from clawactors.runtime.settings import (
    AFTER,
    ORIGINS,
    Layer,
    LiveSettings,
    ProcessReport,
    SettingsAfterQuestion,
    SettingsAfterReply,
    SettingsOriginsReply,
    settings_subject,
)
from clawactors.systems.placement import ClusterState
from clawactors.systems.placement.policy import QueuePolicy
from clawactors.systems.settings import Settings

__all__ = ["ControlSettings"]

_WAIT_S: Final = 2.0
_REPORT_S: Final = 1.0
_PER_PRINCIPAL: Final = 1000

_decode: Final = msgspec.json.Decoder(SettingsAfterQuestion).decode
_decode_report: Final = msgspec.json.Decoder(ProcessReport).decode
_encode: Final = msgspec.json.Encoder().encode


class ControlSettings(RequestEndpoint):
    """`live` is what this process has; `nodes` are the ids of nodes that live."""

    def __init__(
        self,
        context: ActorContext,
        state: ClusterState,
        wake: Callable[[], None],
        layers: Sequence[Layer],
    ) -> None:
        super().__init__()
        self.live = LiveSettings(context.log, layers, "control")
        self._by, self._state, self._nodes, self._wake = context.by, state, state.nodes.live, wake
        self.live.watch(self._apply)

    def _apply(self, settings: Settings) -> None:
        if settings.task_silence != self._state.silence.limit_s:
            self._state.silence.limit(settings.task_silence)
        self._state.tasks.follow(QueuePolicy.of(settings))
        self._wake()

    async def open(self, requests: Requests, queue: str) -> None:
        """Follows the settings, and answers from now on. Raises: what the log raises."""
        await self.live.open()
        self._requests = requests
        self._serving = [
            await requests.answer(f"claw.query.*.{AFTER}", self._after, queue=queue, most_per_principal=_PER_PRINCIPAL),
            await requests.answer(f"claw.query.*.{ORIGINS}", self._origins, queue=queue),
        ]

    async def serve(self) -> None:
        """Applies what changes, until cancelled. Raises: `Unavailable`."""
        await self.live.serve()

    @override
    async def aclose(self) -> None:
        """Answers no longer, and follows nothing. Order: idempotent."""
        await super().aclose()
        await self.live.aclose()

    @answering(_decode, _encode, SettingsAfterReply, "a question")
    async def _after(self, _principal: str, question: SettingsAfterQuestion) -> SettingsAfterReply:
        return SettingsAfterReply(await self.live.after(question.version, _WAIT_S))

    @answering(bytes, _encode, SettingsOriginsReply, "a question")
    async def _origins(self, _principal: str, _question: bytes) -> SettingsOriginsReply:
        others = ["memory", *sorted(f"node/{id}" for id, _ in self._nodes())]
        told = await asyncio.gather(*(self._ask(process) for process in others))
        return SettingsOriginsReply((self.live.report(self._by), *(each for each in told if each is not None)))

    async def _ask(self, process: str) -> ProcessReport | None:
        """What a process has, None where it does not answer soon, or as another release does."""
        try:
            return _decode_report(await self._requests.request(settings_subject(process), b"{}", _REPORT_S))
        except (Unavailable, msgspec.MsgspecError):
            return None
