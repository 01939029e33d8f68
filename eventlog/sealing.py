"""Seals the personal part of commits when they are appended, and opens it when they are read.

1. A sealed commit names its key in the header `Claw-Key`, as `<owner>.<name>`; each of its events holds what is
   personal as one member `sealed`: base64 of a nonce and of the other members, AES-256-GCM, bound to the aggregate.
2. The rest stays plain JSON: without the key an event is read whose personal members are absent.
3. Without its key an event is read with `"erased": true` in place of them. The same record is read alike everywhere.
4. A writer uses a present key for `PRESENT_S` before it asks again: a key that was replaced longer ago seals nothing.
"""

import base64
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from functools import cache
from typing import Any, Final, Protocol

from msgspec.structs import replace

from clawactors.eventlog.errors import Misconfigured
from clawactors.eventlog.keys import Keys, SealingKey
from clawactors.eventlog.log import EventLog
from clawactors.eventlog.record import Draft, Record

__all__ = ["PRESENT_S", "SealedLog", "Sealer", "can_seal"]

PRESENT_S: Final = 2.0
_FOUND_S: Final = 60.0
"""How long a key that was found stays in the memory of a process."""
_KEPT: Final = 4096
_NONCE_BYTES: Final = 12
_HEADER: Final = b"\r\nClaw-Key:"
_PAYLOAD: Final = b"\0claw-sealed "
_ERASED: Final = b'"erased":true'
_SEAL: Final = re.compile(rb'"sealed":"([A-Za-z0-9+/=]+)"')


@cache
def can_seal() -> bool:
    """False where the package that seals is not installed."""
    from importlib.util import find_spec

    return find_spec("cryptography") is not None


class Sealer:
    """The one place of a process that uses keys; a log has one. `erased` counts records read without their key."""

    def __init__(self, keys: Keys, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self.keys = keys
        self.erased = 0
        self._monotonic_s = monotonic_s
        self._present: OrderedDict[str, tuple[SealingKey, float]] = OrderedDict()
        self._found: OrderedDict[tuple[str, str], tuple[Any, float]] = OrderedDict()

    def forget(self, owner: str) -> None:
        """Drops the keys of the owner from memory: they were erased."""
        self._present.pop(owner, None)
        for known in [known for known in self._found if known[0] == owner]:
            del self._found[known]

    # Sealing

    async def seal(self, draft: Draft) -> Draft:
        """The draft as it is stored; as it came where this install can't seal. Raises: what the keys raise."""
        if not draft.parts or not can_seal():
            return draft
        key = await self._present_key(draft.owner)
        cipher, bound = self._cipher(key), draft.aggregate.encode()
        body = bytearray()
        for place, part in enumerate(draft.parts):
            if place % 2:
                nonce = secrets.token_bytes(_NONCE_BYTES)
                body += b'"sealed":"%b"' % base64.b64encode(nonce + cipher.encrypt(nonce, part, bound))
            else:
                body += part
        return replace(draft, body=bytes(body), key=f"{key.owner}.{key.name}", owner="", parts=())

    async def _present_key(self, owner: str) -> SealingKey:
        now_s = self._monotonic_s()
        known = self._present.get(owner)
        if known is not None and known[1] >= now_s:
            return known[0]
        key = await self.keys.present(owner)
        _keep(self._present, owner, (key, now_s + PRESENT_S))
        self._remember(key)
        return key

    async def seal_all(self, drafts: Sequence[tuple[Draft, int]]) -> Sequence[tuple[Draft, int]]:
        """As `seal`, for many; the very same sequence where none of them has anything to seal."""
        if not any(draft.parts for draft, _ in drafts):
            return drafts
        return [(await self.seal(draft), expected) for draft, expected in drafts]

    # Opening

    async def open(self, records: list[Record]) -> list[Record]:
        """The records with what their keys open; the same list where none is sealed. Raises: what the keys raise."""
        if _HEADER not in b"".join([record.headers for record in records]):  # three times as fast as one by one
            return records
        sealed = [place for place, record in enumerate(records) if _HEADER in record.headers]
        opened = list(records)
        for place in sealed:
            opened[place] = await self._open(opened[place])
        return opened

    async def _open(self, record: Record) -> Record:
        cipher = await self._find(*_key_of(record.header("Claw-Key")))
        if cipher is None:
            self.erased += 1
            return replace(record, body=_SEAL.sub(_ERASED, record.body))
        parts = record.subject.split(".", 3)
        bound = "/".join(parts[1:3]).encode()
        return replace(record, body=_SEAL.sub(lambda match: _opened(cipher, match, bound), record.body))

    # Payloads that a copy of the log holds beside it

    async def seal_payload(self, key: str, name: str, body: bytes) -> bytes:
        """The payload of that name, sealed with the key of the records that name it; b"" where that key is gone."""
        cipher = await self._find(*_key_of(key)) if can_seal() else None
        if cipher is None:
            return b""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed: bytes = cipher.encrypt(nonce, body, name.encode())
        return b"%b%b\n%b%b" % (_PAYLOAD, key.encode(), nonce, sealed)

    async def seal_own(self, owner: str, name: str, body: bytes) -> bytes:
        """The payload, sealed with the present key of the owner; as it is where this install can't seal."""
        if not can_seal():
            return body
        key = await self._present_key(owner)
        return await self.seal_payload(f"{key.owner}.{key.name}", name, body)

    async def open_payload(self, name: str, body: bytes) -> bytes | None:
        """The payload as it was; None where it was sealed and its key is gone."""
        if not body.startswith(_PAYLOAD):
            return body
        head, _, sealed = body.partition(b"\n")
        cipher = await self._find(*_key_of(head.removeprefix(_PAYLOAD).decode()))
        if cipher is None:
            return None
        opened: bytes = cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], name.encode())
        return opened

    async def _find(self, owner: str, name: str) -> Any:
        """The cipher of that key, None where it is gone."""
        now_s = self._monotonic_s()
        known = self._found.get((owner, name))
        if known is None or known[1] < now_s:
            key = await self.keys.find(owner, name)
            present = self._present.get(owner)
            if key is not None and present is not None and present[0].name != name:
                del self._present[owner]  # the writer may know a later one
            known = self._remember(key) if key else (None, now_s + _FOUND_S)
            _keep(self._found, (owner, name), known)
        return known[0]

    def _remember(self, key: SealingKey) -> tuple[Any, float]:
        known = (_cipher(key.secret), self._monotonic_s() + _FOUND_S)
        _keep(self._found, (key.owner, key.name), known)
        return known

    def _cipher(self, key: SealingKey) -> Any:
        known = self._found.get((key.owner, key.name))
        return (known or self._remember(key))[0]

    async def reading(self, batches: AsyncGenerator[list[Record]]) -> AsyncGenerator[list[Record]]:
        """The batches, opened."""
        async with aclosing(batches):
            async for batch in batches:
                yield await self.open(batch)


def _key_of(text: str) -> tuple[str, str]:
    owner, _, name = text.partition(".")
    return owner, name


def _keep[K, V](kept: OrderedDict[K, V], key: K, value: V) -> None:
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > _KEPT:
        kept.popitem(last=False)


def _cipher(secret: bytes) -> Any:
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError:
        raise Misconfigured(
            "the package cryptography is missing: install it, personal data is sealed with it"
        ) from None
    return AESGCM(secret)


def _opened(cipher: Any, match: re.Match[bytes], bound: bytes) -> bytes:
    """What was sealed; a text that only looks so, and was never sealed with this key, stays as it is."""
    from cryptography.exceptions import InvalidTag

    try:
        sealed = base64.b64decode(match[1], validate=True)
        opened: bytes = cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound)
    except (ValueError, InvalidTag):
        return match[0]
    return opened


class SealedLog(EventLog, Protocol):
    """A log that seals what it stores."""

    @property
    def sealer(self) -> Sealer:
        """What it seals and opens with."""
        ...

    def sealed(
        self, patterns: Sequence[str], *, after: int = 0, since_ns: int | None = None, until: int | None = None
    ) -> AsyncGenerator[list[Record]]:
        """As `read`, but as stored: for copies, which must become unreadable with the original."""
        ...
