"""Answers `claw.query.<principal>.state`: one aggregate as it is, fresh. Any control process may answer."""

from typing import Any, Final

import msgspec

from clawactors.eventlog import EventLogError, is_id
from clawactors.eventlog.requests import Requests, Serving
from clawactors.kernel.errors import Refused
from clawactors.kernel.kind import Kind
from clawactors.kernel.transfer import encode_state
from clawactors.runtime.asking import Outcome, StateQuestion, failure_of
from clawactors.runtime.snapshots import Snapshots

__all__ = ["StateEndpoint"]

_PART_BYTES: Final = 400_000

_decode: Final = msgspec.json.Decoder(StateQuestion).decode
_encode: Final = msgspec.json.Encoder().encode


class StateEndpoint:
    """States of the kinds that this process folds."""

    def __init__(self, snapshots: Snapshots, kinds: tuple[Kind[Any, Any, Any], ...]) -> None:
        self._snapshots = snapshots
        self._kinds = {kind.name: kind for kind in kinds}
        self._serving: Serving | None = None

    async def open(self, requests: Requests, queue: str) -> None:
        """Answers from now on. Raises: `PermissionDenied`, `Unavailable`."""
        self._serving = await requests.answer("claw.query.*.state", self._answer, queue=queue)

    async def aclose(self) -> None:
        """Answers no longer. Order: idempotent."""
        if self._serving is not None:
            serving, self._serving = self._serving, None
            await serving.aclose()

    async def _answer(self, _principal: str, body: bytes) -> bytes:
        try:
            question = _decode(body)
            if question.kind not in self._kinds or not is_id(question.id):
                raise Refused(f"there is no {question.kind[:60]!r} with the id {question.id[:60]!r}")
            kind = self._kinds[question.kind]
            known = (await self._snapshots.load(kind, question.id, at_least=question.at_least)).snapshot
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            return _encode(Outcome(error=failure_of(Refused(f"not a question: {error}"))))
        except (Refused, EventLogError) as error:
            return _encode(Outcome(error=failure_of(error)))
        encoded = encode_state(known.state)
        if len(encoded) <= _PART_BYTES:
            return _encode(Outcome(known.version, False, msgspec.Raw(encoded), frozen=known.frozen))
        part = encoded[question.after : question.after + _PART_BYTES]
        return _encode(Outcome(known.version, frozen=known.frozen, part=part, size=len(encoded)))
