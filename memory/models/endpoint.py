"""A server that speaks the protocol of OpenAI, asked with patience and trusted with nothing.

1. A request has a deadline for all of it: a server that sends a byte now and then is given up like one that is silent.
2. What may pass is tried again, after what `Retry-After` asks for, else after 0.5, 1, 2 … seconds: no connection, a
   time-out, 408, 409, 425, 429, 5xx, an answer that is no JSON.
3. After a failure nobody is kept waiting: searches do without the model until the endpoint has rested.
4. An answer is bounded in size, and of the shape that was asked for, or an error.
"""

import os
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from clawactors.eventlog import Misconfigured
from clawactors.kernel.time import retry_after_s
from clawactors.memory.models.errors import ModelError, TextRefused
from clawactors.memory.models.settings import EndpointSettings

__all__ = ["ModelEndpoint"]

_FIRST_WAIT_S: Final = 0.5
_LONGEST_WAIT_S: Final = 60.0
_REST_S: Final = 15.0
_ASKED_MAX_S: Final = 86_400.0
_BYTES_MAX: Final = 64 * 1024 * 1024
_PASSING: Final = frozenset((408, 409, 425, 429))
_REFUSING: Final = frozenset((400, 413, 422))
_SHOWN: Final = 120


class _Passing(Exception):
    """May succeed when it is tried again, at the earliest after `wait_s`."""

    def __init__(self, why: str, wait_s: float = 0.0) -> None:
        super().__init__(why)
        self.wait_s = wait_s


class ModelEndpoint:
    """Thread-safe; connections are kept. `trouble` is '' while all is well, else the last failure, for people."""

    def __init__(
        self,
        name: str,
        settings: EndpointSettings,
        environment: Mapping[str, str] = os.environ,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Raises: `Misconfigured`."""
        try:
            import httpx
        except ImportError as error:
            raise Misconfigured(f"endpoints need httpx: pip install 'clawactors[models]' ({error})") from None
        if not settings.url.startswith(("http://", "https://")):
            raise Misconfigured(
                f"the url of endpoint {name} is {settings.url!r}: it must begin with http:// or https://"
            )
        headers = {"accept": "application/json"}
        if settings.key_env:
            key = environment.get(settings.key_env, "")
            if not key:
                raise Misconfigured(f"endpoint {name} takes its key from {settings.key_env}, which is not set")
            headers["authorization"] = f"Bearer {key}"
        self.name, self.settings, self.trouble = name, settings, ""
        self._sleep = sleep
        self._errors: tuple[type[Exception], ...] = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError)
        self._client: Any = httpx.Client(headers=headers, follow_redirects=False)
        self._lock = threading.Lock()
        self._next_at = 0.0
        self._rests_until = 0.0

    def ask[T](self, path: str, body: Mapping[str, Any], shape: type[T], *, question: bool = False) -> T:
        """The answer in that shape. For a `question` that somebody waits for there is one short attempt.

        Raises: `TextRefused`, `ModelError`.
        """
        if question and time.monotonic() < self._rests_until:
            raise ModelError(f"endpoint {self.name} rests after a failure: {self.trouble}")
        attempts = 1 if question else self.settings.attempts
        limit_s = self.settings.question_timeout_s if question else self.settings.timeout_s
        for attempt in range(1, attempts + 1):
            try:
                answer = self._once(path, msgspec.json.encode(body), shape, limit_s, wait=not question)
            except _Passing as failure:
                wait_s = max(failure.wait_s, _FIRST_WAIT_S * 2 ** (attempt - 1))
                if attempt == attempts or wait_s > _LONGEST_WAIT_S:
                    self._failed(str(failure), failure.wait_s)
                    raise ModelError(f"endpoint {self.name}: {failure}") from None
                self._sleep(wait_s)
            except TextRefused:
                raise
            except ModelError as error:
                self._failed(str(error), 0.0)
                raise
            else:
                self.trouble, self._rests_until = "", 0.0
                return answer
        raise AssertionError("there is at least one attempt")

    def wrong(self, why: str) -> ModelError:
        """The error for an answer of the right shape with wrong content, which is now this endpoint's trouble."""
        self._failed(why, 0.0)
        return ModelError(f"endpoint {self.name}: {why}")

    def _failed(self, why: str, wait_s: float) -> None:
        self.trouble = why
        self._rests_until = time.monotonic() + max(wait_s, _REST_S)

    def _once[T](self, path: str, body: bytes, shape: type[T], limit_s: float, *, wait: bool) -> T:
        self._keep_to_rate(wait=wait)
        deadline = time.monotonic() + limit_s
        url = self.settings.url.rstrip("/") + path
        headers = {"content-type": "application/json"}
        content = bytearray()
        try:
            with self._client.stream("POST", url, content=body, headers=headers, timeout=limit_s) as response:
                for chunk in response.iter_bytes():
                    content += chunk
                    if time.monotonic() > deadline:
                        raise _Passing(f"no whole answer in {limit_s:g} s")
                    if len(content) > _BYTES_MAX:
                        raise ModelError(f"endpoint {self.name}: an answer of more than {_BYTES_MAX} bytes")
                status, retry_after = int(response.status_code), str(response.headers.get("retry-after", ""))
        except self._errors as error:
            raise _Passing(f"{type(error).__name__}: {str(error)[:_SHOWN]}".rstrip(": ")) from None
        if status != 200:
            self._refuse(status, bytes(content), retry_after)
        try:
            return msgspec.json.decode(bytes(content), type=shape)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise _Passing(f"an answer that is not what was asked for: {error}: {_shown(content)}") from None

    def _refuse(self, status: int, content: bytes, retry_after: str) -> None:
        why = f"status {status}: {_shown(content)}"
        if status in _PASSING or status >= 500:
            raise _Passing(why, min(retry_after_s(retry_after, datetime.now(UTC)), _ASKED_MAX_S))
        if status in _REFUSING:
            raise TextRefused(f"endpoint {self.name}: {why}")
        raise ModelError(f"endpoint {self.name}: {why}")

    def _keep_to_rate(self, *, wait: bool) -> None:
        """Waits for the turn of this request; a question that would wait does without."""
        if not self.settings.requests_per_minute:
            return
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next_at)
            if turn > now and not wait:
                raise ModelError(
                    f"endpoint {self.name}: all {self.settings.requests_per_minute:g} requests a minute are used"
                )
            self._next_at = turn + 60 / self.settings.requests_per_minute
        if turn > now:
            self._sleep(turn - now)

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()


def _shown(content: bytes | bytearray) -> str:
    text = " ".join(bytes(content[: 4 * _SHOWN]).decode(errors="replace").split())
    return f"{text[:_SHOWN]!r}"
