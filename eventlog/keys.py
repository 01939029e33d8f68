"""Keys that the personal part of commits is sealed with, one owner's apart from another's: the port, and in memory.

1. A key is never in the log: what it sealed is unreadable for ever, in every copy, once the key is erased.
2. One key of an owner is the present one, made when it is first needed; an erased name never comes back.
"""

import secrets
from typing import Final, Protocol

import msgspec

__all__ = ["KEY_BYTES", "InProcessKeys", "Keys", "SealingKey", "new_key"]

KEY_BYTES: Final = 32
_NAME_BYTES: Final = 8


class SealingKey(msgspec.Struct, frozen=True):
    """A key of the owner with that id; `name` tells it from the owner's other ones."""

    owner: str
    name: str
    secret: bytes


def new_key(owner: str) -> SealingKey:
    """A key that nobody has yet."""
    return SealingKey(owner, secrets.token_hex(_NAME_BYTES), secrets.token_bytes(KEY_BYTES))


class Keys(Protocol):
    """The keys of all owners. All raise `Unavailable` and `PermissionDenied`."""

    async def present(self, owner: str) -> SealingKey:
        """The key to seal with; made where the owner has none."""
        ...

    async def find(self, owner: str, name: str) -> SealingKey | None:
        """That key, None where it is not there: it was erased, or lost."""
        ...

    async def replace(self, owner: str) -> SealingKey:
        """A new present key; the ones before it stay until they are erased."""
        ...

    async def names(self, owner: str) -> tuple[str, ...]:
        """The names of all keys of the owner that are there."""
        ...

    async def erase(self, owner: str, name: str) -> None:
        """Removes a key for good. Order: idempotent."""
        ...


class InProcessKeys:
    """Keys that live as long as the process."""

    def __init__(self) -> None:
        self._keys: dict[tuple[str, str], SealingKey] = {}
        self._present: dict[str, SealingKey] = {}

    async def present(self, owner: str) -> SealingKey:
        """The key to seal with; made where the owner has none."""
        return self._present.get(owner) or await self.replace(owner)

    async def find(self, owner: str, name: str) -> SealingKey | None:
        """That key, None where it is not there."""
        return self._keys.get((owner, name))

    async def replace(self, owner: str) -> SealingKey:
        """A new present key."""
        key = new_key(owner)
        self._keys[owner, key.name] = self._present[owner] = key
        return key

    async def names(self, owner: str) -> tuple[str, ...]:
        """The names of all keys of the owner."""
        return tuple(name for of, name in self._keys if of == owner)

    async def erase(self, owner: str, name: str) -> None:
        """Removes a key. Order: idempotent."""
        self._keys.pop((owner, name), None)
        if (present := self._present.get(owner)) is not None and present.name == name:
            del self._present[owner]
