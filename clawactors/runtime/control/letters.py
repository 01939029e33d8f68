"""Tells and drops dead letters. Any control process answers."""

from typing import Final

import msgspec

from clawactors.eventlog.dead import DeadLetter, DeadLetters
from clawactors.eventlog.requests import Requests
from clawactors.kernel.errors import InvalidQuery, NotFound
from clawactors.runtime.deadletters import (
    BODY_MAX_BYTES,
    DropLetters,
    DropReply,
    Letter,
    LettersQuestion,
    LettersReply,
)
from clawactors.runtime.serving import RequestEndpoint, answering

__all__ = ["LettersEndpoint"]

_LOOKED_AT: Final = 500
"""So many letters are looked at for one page."""
_LIMIT: Final = 200
_COMMANDS: Final = "claw.cmd."

_encode: Final = msgspec.json.Encoder().encode


class LettersEndpoint(RequestEndpoint):
    """Reads the store of dead letters, the newest first."""

    def __init__(self, dead: DeadLetters) -> None:
        super().__init__()
        self._dead = dead

    async def open(self, requests: Requests, queue: str) -> None:
        """Answers from now on. Raises: `PermissionDenied`, `Unavailable`."""
        self._serving = [
            await requests.answer("claw.query.*.letters", self._tell, queue=queue),
            await requests.answer("claw.do.*.letters", self._drop, queue=queue),
        ]

    @answering(msgspec.json.Decoder(LettersQuestion).decode, _encode, LettersReply, "a question")
    async def _tell(self, _principal: str, question: LettersQuestion) -> LettersReply:
        """Raises: `InvalidQuery`, `NotFound`; what the store raises."""
        if question.seq:
            found = await self._dead.at(question.seq)
            if found is None:
                raise NotFound(f"there is no dead letter {question.seq}")
            return LettersReply(letters=[_letter(found, body=True)])
        if not 1 <= question.limit <= _LIMIT:
            raise InvalidQuery(f"a page has 1 to {_LIMIT} dead letters, not {question.limit}")
        first, last = await self._dead.bounds()
        at = min(last, question.before - 1) if question.before else last
        lowest = max(first, at - _LOOKED_AT + 1)
        letters: list[Letter] = []
        for seq in range(at, lowest - 1, -1):
            found = await self._dead.at(seq)
            if found is None:
                continue
            letter = _letter(found)
            if question.since_ns is not None and letter.at_ns < question.since_ns:
                return LettersReply(letters=letters)
            if question.commands in (None, letter.is_command):
                letters.append(letter)
                if len(letters) == question.limit:
                    return LettersReply(letters=letters, before=seq if seq > first else 0)
        return LettersReply(letters=letters, before=lowest if lowest > first else 0)

    @answering(msgspec.json.Decoder(DropLetters).decode, _encode, DropReply, "a request")
    async def _drop(self, _principal: str, request: DropLetters) -> DropReply:
        """Raises: what the store raises."""
        return DropReply(dropped=[seq for seq in request.seqs if await self._dead.drop(seq)])


def _letter(found: DeadLetter, *, body: bool = False) -> Letter:
    return Letter(
        seq=found.seq,
        at_ns=found.at_ns,
        subject=found.subject,
        of_seq=found.of_seq,
        reason=found.reason,
        size=len(found.body),
        is_command=found.subject.startswith(_COMMANDS),
        body=found.body[:BODY_MAX_BYTES] if body else None,
    )
