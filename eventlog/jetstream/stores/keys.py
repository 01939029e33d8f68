"""Keys of owners in the bucket `claw-keys`: `<owner>.<name>` is a key, `<owner>.present` names the one to seal with.

1. A key is written before any name points to it; of two processes that make one, both use the one that was first.
2. Erased is overwritten: the server fills the bytes of the message in its files with others.
3. Whether a key is there is asked of the stream's leader, never of a server that may lag.
"""

import asyncio
from typing import Final

import msgspec

from clawactors.eventlog.errors import Misconfigured, NoResponders, Unavailable
from clawactors.eventlog.jetstream.log.provision import ensure_store
from clawactors.eventlog.jetstream.log.streams import KEYS
from clawactors.eventlog.jetstream.wire.api import ApiError, Refusal, StoredMessage, call, last_message
from clawactors.eventlog.jetstream.wire.codes import IN_FLIGHT, NO_MESSAGE, NO_STREAM, WRONG_LAST_SEQUENCE
from clawactors.eventlog.jetstream.wire.connection import Connection
from clawactors.eventlog.keys import KEY_BYTES, SealingKey, new_key
from clawactors.eventlog.record import is_id

__all__ = ["JetStreamKeys"]

_PREFIX: Final = "$KV.claw-keys."
_PRESENT: Final = "present"
_TIMEOUT_S: Final = 2.0
_ELECTION_S: Final = 5.0
_LOOK_AGAIN_S: Final = 0.05


class _KeyAnswer(msgspec.Struct):
    error: ApiError | None = None


class JetStreamKeys:
    """The keys of one server or cluster. Raises: `Unavailable`, `PermissionDenied`, `Misconfigured`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def present(self, owner: str) -> SealingKey:
        """The key to seal with; made where the owner has none."""
        while True:
            named = await self._last(f"{owner}.{_PRESENT}")
            if named is not None and (key := await self.find(owner, named.data.decode())) is not None:
                return key
            if (made := await self._make(owner, named.seq if named else 0)) is not None:
                return made

    async def find(self, owner: str, name: str) -> SealingKey | None:
        """That key, None where it is not there."""
        if not (is_id(owner) and is_id(name)):
            return None
        found = await self._last(f"{owner}.{name}")
        return SealingKey(owner, name, found.data) if found is not None and len(found.data) == KEY_BYTES else None

    async def replace(self, owner: str) -> SealingKey:
        """A new present key."""
        while True:
            named = await self._last(f"{owner}.{_PRESENT}")
            if (made := await self._make(owner, named.seq if named else 0)) is not None:
                return made

    async def names(self, owner: str) -> tuple[str, ...]:
        """The names of all keys of the owner."""
        subject, offset, names = f"{_PREFIX}{owner}.", 0, list[str]()
        while True:
            question = {"subjects_filter": f"{subject}*", "offset": offset}
            info = await call(self._connection, f"STREAM.INFO.{KEYS}", question, _TIMEOUT_S)
            page = info["state"].get("subjects") or {}
            names += (each.removeprefix(subject) for each in page)
            offset += len(page)
            if not page or offset >= info.get("total", 0):
                return tuple(sorted(name for name in names if name != _PRESENT))

    async def erase(self, owner: str, name: str) -> None:
        """Removes a key and overwrites its bytes. Order: idempotent."""
        while (found := await self._last(f"{owner}.{name}")) is not None:
            try:
                await call(self._connection, f"STREAM.MSG.DELETE.{KEYS}", {"seq": found.seq}, _ELECTION_S)
            except Refusal as refusal:
                if refusal.err_code != NO_MESSAGE:  # another process was first
                    raise

    async def _make(self, owner: str, after: int) -> SealingKey | None:
        """A new present key; None where another one has come behind the revision `after`."""
        key = new_key(owner)
        if not await self._put(f"{owner}.{key.name}", key.secret, 0):
            return None
        if await self._put(f"{owner}.{_PRESENT}", key.name.encode(), after):
            return key
        await self.erase(owner, key.name)
        return None

    async def _put(self, name: str, value: bytes, revision: int) -> bool:
        """Stores it where it has that revision, durable when this returns."""
        headers = f"NATS/1.0\r\nNats-Expected-Last-Subject-Sequence: {revision}\r\n\r\n".encode()
        clock = asyncio.get_running_loop().time
        end_s = clock() + _ELECTION_S
        while True:
            try:
                _, answer = await self._connection.ask(f"{_PREFIX}{name}", value, headers, timeout_s=_TIMEOUT_S)
            except NoResponders:
                if clock() > end_s:
                    raise
                await ensure_store(self._connection, KEYS)
                await asyncio.sleep(_LOOK_AGAIN_S)
                continue
            error = msgspec.json.decode(answer, type=_KeyAnswer).error
            if error is None:
                return True
            if error.err_code == WRONG_LAST_SEQUENCE:
                return False
            if error.code < 500 and error.err_code != IN_FLIGHT:
                raise Misconfigured(f"the keys can't be written: {error.description}")
            raise Unavailable(f"the keys can't be written: {error.description}")

    async def _last(self, name: str) -> StoredMessage | None:
        try:
            return await last_message(self._connection, KEYS, f"{_PREFIX}{name}")
        except Refusal as refusal:
            if refusal.err_code != NO_STREAM:
                raise
            return None  # it is made again with the next key; what it held is lost, and `claw doctor` says so
