"""The keys of programs in this process: whom they stand for, what they may do, and how often.

1. A grant is asked for again after a second, so that a revoked key opens nothing from then on, wherever it was revoked.
2. Rates and quotas are counted here: each web process counts its own, and from anew when it is started.
"""

import hashlib
import time
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from clawactors.app.web.problems import HttpProblem
from clawactors.runtime.client import ClusterClient
from clawactors.systems.keys import SCOPES
from clawactors.systems.keys.events import KeyGrant

__all__ = ["ALL", "Asker", "KeyRing"]

ALL: Final = frozenset(SCOPES)
_FRESH_S: Final = 1.0
_FRESH_FOR_STREAMS_S: Final = 5.0
_MOST: Final = 10_000
_DAY_S: Final = 86_400


class Asker(msgspec.Struct, frozen=True):
    """Who asks: whom the client acts for ('' for who runs this process), who is on record, and what they may do.

    `session` is the secret of the browser's session, `key` that of a key, '' for the owner's token; `headers` go with
    the answer.
    """

    user: str = ""
    principal: str = ""
    scopes: frozenset[str] = ALL
    session: str = ""
    csrf: str = ""
    key: str = ""
    headers: tuple[tuple[bytes, bytes], ...] = ()


class _Counted:
    """A key that asks: its grant, when that was looked up, and what is left of its rate and quota."""

    def __init__(self) -> None:
        self.name, self.grant, self.known_s = "", KeyGrant(sha256=""), -_FRESH_FOR_STREAMS_S
        self.tokens, self.refilled_s = 0.0, 0.0
        self.day, self.used = 0, 0


class KeyRing:
    """`client` gives the client that looks keys up."""

    def __init__(
        self,
        client: Callable[[], Awaitable[ClusterClient]],
        monotonic_s: Callable[[], float] = time.monotonic,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._client, self._monotonic_s, self._now_s = client, monotonic_s, now_s
        self._known: dict[bytes, _Counted] = {}

    async def asker(self, secret: str) -> Asker | None:
        """Who holds the key, None for no key. Raises: `HttpProblem` (429), `Unavailable`."""
        if (counted := await self._valid(secret)) is None:
            return None
        grant = counted.grant
        headers = self._count(counted, self._monotonic_s())
        principal = "" if grant.user else f"key-{counted.name}"
        scopes = ALL if "admin" in grant.scopes else frozenset(grant.scopes)
        return Asker(grant.user, principal, scopes, key=secret, headers=headers)

    async def is_valid(self, secret: str) -> bool:
        """True for a key that opens something; counts nothing. Raises: `Unavailable`.

        A grant may be older than that of a request: for those who listen on and on, `forget` comes with each change.
        """
        return await self._valid(secret, _FRESH_FOR_STREAMS_S) is not None

    async def _valid(self, secret: str, fresh_s: float = _FRESH_S) -> _Counted | None:
        digest = hashlib.sha256(secret.encode("utf-8", "replace")).digest()
        counted = self._known.get(digest) or _Counted()
        now_s = self._monotonic_s()
        if now_s - counted.known_s >= fresh_s:
            found = await (await self._client()).keys.grant(secret)
            if found is None:
                self._known.pop(digest, None)
                return None
            is_other, counted.known_s = found[1] != counted.grant, now_s
            counted.name, counted.grant = found
            if is_other:
                counted.tokens, counted.refilled_s = max(1.0, counted.grant.rate_per_s), now_s
            self._known[digest] = counted
            if len(self._known) > _MOST:
                del self._known[next(iter(self._known))]
        return None if 0 < counted.grant.expires_ns <= self._now_s() * 1e9 else counted

    def forget(self, name: str) -> None:
        """Looks the key up again when it is used next."""
        for counted in self._known.values():
            if counted.name == name:
                counted.known_s = -_FRESH_FOR_STREAMS_S

    def _count(self, counted: _Counted, now_s: float) -> tuple[tuple[bytes, bytes], ...]:
        """Takes one request off; returns what is left. Raises: `HttpProblem` (429)."""
        rate, quota = counted.grant.rate_per_s, counted.grant.quota_per_day
        headers: list[tuple[bytes, bytes]] = []
        if rate:
            most = max(1.0, rate)
            counted.tokens = min(most, counted.tokens + (now_s - counted.refilled_s) * rate)
            counted.refilled_s = now_s
            if counted.tokens < 1:
                wait_s = int((1 - counted.tokens) / rate) + 1
                raise _too_many(f"the key {counted.name!r} may ask {rate:g} times a second", int(most), wait_s)
            counted.tokens -= 1
            headers += _limit(int(most), int(counted.tokens), int((most - counted.tokens) / rate) + 1)
        if quota:
            today, left_s = divmod(int(self._now_s()), _DAY_S)
            if counted.day != today:
                counted.day, counted.used = today, 0
            reset_s = _DAY_S - left_s
            if counted.used >= quota:
                raise _too_many(f"the key {counted.name!r} may ask {quota} times a day (UTC)", quota, reset_s)
            counted.used += 1
            if not rate:
                headers += _limit(quota, quota - counted.used, reset_s)
        return tuple(headers)


def _limit(most: int, left: int, reset_s: int) -> list[tuple[bytes, bytes]]:
    return [
        (b"ratelimit-limit", str(most).encode()),
        (b"ratelimit-remaining", str(left).encode()),
        (b"ratelimit-reset", str(reset_s).encode()),
    ]


def _too_many(text: str, most: int, wait_s: int) -> HttpProblem:
    headers = {name.decode(): value.decode() for name, value in _limit(most, 0, wait_s)}
    return HttpProblem(429, "too_many", text, "ask less often", {"Retry-After": str(wait_s), **headers})
