"""Answers `claw.query.<principal>.state`: one aggregate as it is, fresh. Any control process may answer.

The memory process answers for its own kinds, on `claw.query.<principal>.memory.state`, and tells a principal only
what is its own, a node of any memory.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import msgspec

from clawactors.eventlog import is_id
from clawactors.eventlog.requests import Requests
from clawactors.kernel.errors import NotFound, Refused
from clawactors.kernel.kind import Home, Kinds
from clawactors.kernel.transfer import encode_state
from clawactors.runtime.asking import STATE, Outcome, StateQuestion
from clawactors.runtime.serving import RequestEndpoint, answering
from clawactors.runtime.snapshots import Snapshots

__all__ = ["StateEndpoint"]

_PART_BYTES: Final = 400_000
_HELD_MAX_BYTES: Final = 32 << 20

_decode: Final = msgspec.json.Decoder(StateQuestion).decode
_encode: Final = msgspec.json.Encoder().encode


class _LargeState(msgspec.Struct, frozen=True):
    """A state that is asked for part by part: it is loaded and encoded once for all of them."""

    version: int
    frozen: str
    encoded: bytes


class StateEndpoint(RequestEndpoint):
    """States of the kinds that have their home in this process; `tells(principal, state)`: may that one know it?"""

    def __init__(
        self, snapshots: Snapshots, kinds: Kinds, home: Home, tells: Callable[[str, object], bool] | None = None
    ) -> None:
        super().__init__()
        self._tells = tells
        self._snapshots, self._home = snapshots, home
        self._kinds = {kind.name: kind for kind in kinds.of(home)}
        self._large: OrderedDict[tuple[str, str, bool], _LargeState] = OrderedDict()

    async def open(self, requests: Requests, queue: str) -> None:
        """Answers from now on. Raises: `PermissionDenied`, `Unavailable`."""
        self._serving = [await requests.answer(f"claw.query.*.{STATE[self._home]}", self._answer, queue=queue)]

    @answering(_decode, _encode, Outcome, "a question")
    async def _answer(self, principal: str, question: StateQuestion) -> Outcome:
        if question.kind not in self._kinds or not is_id(question.id):
            raise Refused(f"there is no {question.kind[:60]!r} with the id {question.id[:60]!r}")
        if self._tells is not None:
            known = await self._snapshots.load(self._kinds[question.kind], question.id, brief=True)
            if not self._tells(principal, known.snapshot.state):
                raise NotFound(f"there is no {question.kind} {question.id!r}")
        return self._next_part(question) or await self._first(question)

    async def _first(self, question: StateQuestion) -> Outcome:
        """The whole state, or the part of a large one. Raises: `Unavailable`."""
        kind = self._kinds[question.kind]
        known = (
            await self._snapshots.load(kind, question.id, at_least=question.at_least, brief=question.brief)
        ).snapshot
        encoded = encode_state(known.state)
        if len(encoded) <= _PART_BYTES:
            return Outcome(known.version, False, msgspec.Raw(encoded), frozen=known.frozen)
        self._large[question.kind, question.id, question.brief] = large = _LargeState(
            known.version, known.frozen, encoded
        )
        while len(self._large) > 1 and sum(len(each.encoded) for each in self._large.values()) > _HELD_MAX_BYTES:
            self._large.popitem(last=False)
        return _part_of(large, question.after)

    def _next_part(self, question: StateQuestion) -> Outcome | None:
        """A later part of a state of which this process has given one; None where it has to be loaded."""
        key = question.kind, question.id, question.brief
        large = self._large.get(key)
        if large is None or not question.after or question.at_least != large.version:
            return None
        if question.after + _PART_BYTES >= len(large.encoded):
            del self._large[key]
        return _part_of(large, question.after)


def _part_of(large: _LargeState, after: int) -> Outcome:
    part = large.encoded[after : after + _PART_BYTES]
    return Outcome(large.version, frozen=large.frozen, part=part, size=len(large.encoded))
