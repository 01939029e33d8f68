"""The view of conversations: their states as folded from `claw.chat.>`, so that commands can be decided on them.

A state holds the ids of messages, never their text.
"""

from typing import Final

import msgspec

from clawactors.eventlog import Corrupt
from clawactors.eventlog.decoding import Commit
from clawactors.projections.engine.answers import AnswerTable, answers_of
from clawactors.projections.engine.faults import Faults
from clawactors.projections.engine.folding import answers_key, fold_commit
from clawactors.projections.engine.store import Reading, Writing
from clawactors.projections.engine.view import StoredState
from clawactors.systems.chats import CHAT
from clawactors.systems.chats.conversation import Conversation
from clawactors.systems.chats.kind import CHATS

__all__ = ["ChatsView"]

_CONVERSATIONS: Final = "chat.conversations"
"""id → version and state."""
_ANSWERS: Final = "chat.answers"
"""id, version → time and ids of commands; see `answers`."""
_VERSION_BYTES: Final = 8

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Conversation).decode

type _Stored = tuple[int, Conversation]


class ChatsView:
    """Implements `SnapshotView`."""

    name = "chats"
    kind = "chat"
    tables = (_CONVERSATIONS, _ANSWERS)

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._touched: dict[str, _Stored] = {}
        self._answers = AnswerTable(_ANSWERS)

    def believes(self, id: str, writer: str, txn: Writing) -> bool:
        """See `View`."""
        stored = self._touched.get(id) or _load(txn, id)
        return CHATS.believes(id, stored[1] if stored else CHAT.initial, writer)

    def fold(self, commit: Commit, txn: Writing) -> None:
        """See `View`."""
        _, before = self._touched.get(commit.id) or _load(txn, commit.id) or (0, CHAT.initial)
        after = fold_commit(CHATS, commit, before, txn, self._faults, self._answers, _illegal)
        if after is not CHAT.initial:
            self._touched[commit.id] = commit.record.seq, after

    def write(self, txn: Writing) -> None:
        """See `View`."""
        rows = [
            (id.encode(), version.to_bytes(_VERSION_BYTES, "big") + _encode(state))
            for id, (version, state) in self._touched.items()
        ]
        txn.put_all(_CONVERSATIONS, rows)
        self._touched.clear()
        self._answers.write(txn)

    def load(self, reading: Reading, id: str, *, brief: bool = False) -> StoredState | None:
        """See `SnapshotView`. Raises: `Corrupt`."""
        stored = _load(reading, id)
        if stored is None:
            return None
        version, state = stored
        return StoredState(state, version, answers_of(reading, _ANSWERS, answers_key(id)))

    def forget(self) -> None:
        """See `View`."""
        self._touched.clear()
        self._answers.forget()


def _illegal(_conversation: Conversation) -> str:
    return "is a repeat or names no message"


def _load(reading: Reading, id: str) -> _Stored | None:
    row = reading.get(_CONVERSATIONS, id.encode())
    if row is None:
        return None
    try:
        return int.from_bytes(row[:_VERSION_BYTES], "big"), _decode(row[_VERSION_BYTES:])
    except msgspec.MsgspecError as error:
        raise Corrupt(f"the row of conversation {id} is damaged: {error}") from error
