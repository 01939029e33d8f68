"""Answers `claw.query.<principal>.key`: nodes seal and open what belongs to owners. Any control process may answer."""

from typing import Final

import msgspec

from clawactors.eventlog import is_id
from clawactors.eventlog.requests import Requests
from clawactors.eventlog.sealing import Sealer
from clawactors.kernel.errors import Refused
from clawactors.kernel.principals import is_node
from clawactors.runtime.keyasking import KEY, KeyQuestion, KeyReply
from clawactors.runtime.serving import RequestEndpoint, answering

__all__ = ["KeyEndpoint"]

_decode: Final = msgspec.json.Decoder(KeyQuestion).decode
_encode: Final = msgspec.json.Encoder().encode


class KeyEndpoint(RequestEndpoint):
    """Keys of owners, for nodes."""

    def __init__(self, sealer: Sealer) -> None:
        super().__init__()
        self._keys = sealer.keys

    async def open(self, requests: Requests, queue: str) -> None:
        """Answers from now on. Raises: `PermissionDenied`, `Unavailable`."""
        self._serving = [await requests.answer(f"claw.query.*.{KEY}", self._answer, queue=queue)]

    @answering(_decode, _encode, KeyReply, "a question for a key")
    async def _answer(self, principal: str, question: KeyQuestion) -> KeyReply:
        if not is_node(principal):
            raise Refused("keys are for nodes")
        if not is_id(question.owner):
            raise Refused(f"{question.owner[:60]!r} is the id of no owner")
        if not question.name:
            key = await self._keys.present(question.owner)
            return KeyReply(key.name, key.secret)
        found = await self._keys.find(question.owner, question.name)
        return KeyReply(found.name, found.secret) if found is not None else KeyReply()
