"""What every request passes before it reaches a path: which host it names, where it comes from, who asks.

1. A page of another site reaches nothing: the `Host` must be this server (DNS rebinding), and a change that comes with
   a cookie must come from a page of this server.
2. Nobody is anonymous: a path of the API needs a session or a key.
3. Wrong keys and links are counted; after ten within a minute the next is told to wait. The right one always opens,
   so that who guesses shuts nobody out.
4. A body that stops coming, or drips, is waited for half a minute; one that nobody reads ends its connection.
5. Only so many calls are answered at a time, and streams do not count among them.
6. Every answer has the headers that keep a browser from running what is not ours.
"""

import re
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from clawactors.app.problem import problem_of
from clawactors.app.web.arriving import ArrivingBody
from clawactors.app.web.health import HEALTH
from clawactors.app.web.keyring import ALL, Asker, KeyRing
from clawactors.app.web.limits import WebLimits
from clawactors.app.web.problems import HttpProblem, refuse, told
from clawactors.app.web.streams import STREAM, OpenStreams
from clawactors.app.web.unknown import spelled
from clawactors.app.weblogin import WebLogin
from clawactors.app.webport import hosts_at
from clawactors.eventlog import EventLogError
from clawactors.runtime.client.keys import name_in

__all__ = ["Guard", "cookie_name"]

type Headers = list[tuple[bytes, bytes]]

_API: Final = "/api/"
_SLASHES: Final = re.compile("//+")
_CONTROL: Final = re.compile("[\\x00-\\x1f\\x7f]")
_SAFE: Final = frozenset(("GET", "HEAD", "OPTIONS"))
_ELSEWHERE: Final = (b"cross-site", b"same-site")
_OF_STREAM: Final = (b"content-type", f"{STREAM}; charset=utf-8".encode())
_TRIES: Final = 10
_LOCKED_S: Final = 60.0
_POLICY: Final = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    b"font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_SECURITY: Final[Headers] = [
    (b"content-security-policy", _POLICY),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
]


def cookie_name(port: int) -> str:
    """Cookies are shared by all ports of a host, so that of each server has a name of its own."""
    return f"claw_{port}"


class Guard:
    """Wraps an ASGI application. `hosts` are the names and ports that this server goes by."""

    def __init__(
        self,
        application: Any,
        login: WebLogin,
        keys: KeyRing,
        port: int,
        limits: WebLimits = WebLimits(),  # noqa: B008 # frozen
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._application, self._login, self._keys, self._monotonic_s = application, login, keys, monotonic_s
        self._hosts = hosts_at(port)
        self._origins = frozenset(b"http://" + host for host in self._hosts)
        self._cookie = cookie_name(port)
        self._wrong: deque[float] = deque(maxlen=_TRIES)
        self._calls, self._most_calls = set[object](), limits.calls
        self.streams = OpenStreams(self.still, limits.streams)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answers, or hands on with `scope["state"]["asker"]`."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return

        call, body = object(), ArrivingBody(scope["headers"], receive, self._monotonic_s)

        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start":
                private = [] if scope["path"].startswith("/assets/") else [(b"cache-control", b"no-store")]
                known = {name.lower() for name, _ in message.get("headers", ())}
                extra = [each for each in (*_SECURITY, *private) if each[0] not in known]
                asker = scope.get("state", {}).get("asker")
                extra += asker.headers if asker is not None else ()
                if body.is_unread and b"connection" not in known:
                    extra.append((b"connection", b"close"))
                if _OF_STREAM in message.get("headers", ()):
                    self._calls.discard(call)
                message = {**message, "headers": [*message.get("headers", ()), *extra]}
            await send(message)

        try:
            try:
                self._enter(call, scope["path"])
                await self._check(scope)
            except HttpProblem as problem:
                await refuse(problem, sending)
                return
            except EventLogError as error:  # a key could not be looked up
                await refuse(told(problem_of(error)), sending)
                return
            scope["path"] = spelled(scope["path"], scope["method"])
            await self._application(scope, body.receive, sending)
        finally:
            self._calls.discard(call)

    def _enter(self, call: object, path: str) -> None:
        """Counts it until it is answered, or has become a stream. Raises: `HttpProblem` (503) for too many."""
        if len(self._calls) >= self._most_calls and path not in HEALTH:
            again = {"Retry-After": "1", "Connection": "close"}
            raise HttpProblem(503, "unavailable", f"{self._most_calls} calls are under way", "try again soon", again)
        self._calls.add(call)

    async def _check(self, scope: Any) -> None:
        """Raises: `HttpProblem`."""
        headers: dict[bytes, bytes] = {}
        for name, value in scope["headers"]:
            if name in headers and name in (b"host", b"authorization", b"content-length", b"transfer-encoding"):
                raise HttpProblem(400, "usage", f"the header {name.decode()} is there twice")
            headers[name] = value if name not in headers else headers[name] + b"; " + value
        if headers.get(b"host", b"").lower() not in self._hosts:
            raise HttpProblem(
                403, "forbidden", "the Host header does not name this server", "use the address that claw login prints"
            )
        if headers.get(b"sec-fetch-site") in _ELSEWHERE and headers.get(b"sec-fetch-dest") != b"document":
            raise HttpProblem(403, "forbidden", "a page of another site asks", "scripts send a token, not a cookie")
        if b"content-length" in headers and b"transfer-encoding" in headers:
            raise HttpProblem(400, "usage", "a request has a Content-Length or a Transfer-Encoding, not both")
        if _CONTROL.search(scope["path"]):
            raise HttpProblem(400, "usage", "the path has a control character")
        path = scope["path"] = _SLASHES.sub("/", scope["path"])  # as the router reads it: `//api` is `/api`
        state = scope.setdefault("state", {})
        state["guard"] = self
        state["asker"] = asker = await self._asker(headers, needed=path.startswith(_API))
        if asker is not None and scope["method"] not in _SAFE and asker.session:
            self._check_origin(headers, asker)

    async def _asker(self, headers: dict[bytes, bytes], *, needed: bool) -> Asker | None:
        given = headers.get(b"authorization", b"").decode("latin-1")
        if given:
            return await self._by_key(given)
        secret = self._secret(headers.get(b"cookie", b"").decode("latin-1"))
        if (session := self._login.session(secret)) is not None:
            return Asker(session.user, "", ALL, secret, session.csrf)
        if needed:
            raise HttpProblem(
                401,
                "signed_out",
                "your session has ended" if secret else "nobody has signed in",
                f"claw login prints a link for the browser; scripts send the token in {self._login.token_file}",
                {"WWW-Authenticate": 'Bearer realm="claw"'},
            )
        return None

    async def _by_key(self, given: str) -> Asker:
        kind, _, secret = given.partition(" ")
        if kind.lower() == "bearer":
            if self._login.is_token(secret.strip()):
                return Asker()
            if name_in(secret.strip()) and (asker := await self._keys.asker(secret.strip())) is not None:
                return asker
        self.count_wrong()
        raise HttpProblem(
            401, "signed_out", "the key is not valid", "claw key list shows the keys", {"WWW-Authenticate": "Bearer"}
        )

    def _secret(self, cookies: str) -> str:
        """That of our cookie among those of all that runs on this machine, which may be of any form."""
        found = [
            value
            for name, _, value in (each.strip().partition("=") for each in cookies.split(";"))
            if name == self._cookie
        ]
        return found[-1].strip('"') if found else ""

    def _check_origin(self, headers: dict[bytes, bytes], asker: Asker) -> None:
        """A change with a cookie comes from a page of this server, or brings the session's token. Raises: 403."""
        origin, site = headers.get(b"origin"), headers.get(b"sec-fetch-site")
        if origin is not None:
            comes_from_here = origin in self._origins
        elif site is not None:
            comes_from_here = site == b"same-origin"
        else:
            comes_from_here = headers.get(b"x-csrf-token", b"").decode("latin-1") == asker.csrf
        if not comes_from_here:
            raise HttpProblem(
                403, "forbidden", "this change comes from a page of another site", "scripts send a token, not a cookie"
            )

    async def still(self, asker: Asker) -> bool:
        """False once the session or the key of who asked has ended; True while that can't be told."""
        if asker.session:
            return self._login.session(asker.session) is not None
        with suppress(EventLogError):
            return not asker.key or await self._keys.is_valid(asker.key)
        return True

    async def key_changed(self, name: str) -> None:
        """Looks again at once who may still listen with the key of that name."""
        self._keys.forget(name)
        await self.streams.check_key(name)

    def count_wrong(self) -> None:
        """Counts a wrong key or link. Raises: `HttpProblem` (429) where there were too many."""
        self.check_locked()
        self._wrong.append(self._monotonic_s())

    def check_locked(self) -> None:
        """Raises: `HttpProblem` (429) while no key or link is tried."""
        now_s = self._monotonic_s()
        if len(self._wrong) == _TRIES and now_s - self._wrong[0] < _LOCKED_S:
            wait_s = int(_LOCKED_S - (now_s - self._wrong[0])) + 1
            raise HttpProblem(
                429, "too_many", "too many wrong keys or links", "wait a minute", {"Retry-After": str(wait_s)}
            )
