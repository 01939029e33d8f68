"""Reads a task request from the options of `submit` or from a line of a batch; field names are the same."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec

from clawactors.app.problem import Problem
from clawactors.eventlog import UNREADABLE
from clawactors.kernel.errors import Refused
from clawactors.kernel.time import duration_s, time_ns
from clawactors.runtime.client.submitting import TaskRequest
from clawactors.runtime.naming import id_of_key, new_id
from clawactors.systems.tasks.events import OnDead
from clawactors.systems.tasks.submission import checked_id, spec_of

__all__ = [
    "RequestLine",
    "id_in",
    "object_of",
    "params_of",
    "request_of",
    "request_of_line",
    "request_of_options",
    "value_of",
]


class RequestLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of a batch; fields are named like the options, or like the fields of a row."""

    skill: str
    params: dict[str, Any] = {}
    id: str | None = None
    key: str | None = None
    name: str = ""
    description: str = ""
    user: str = ""
    priority: str | int = "normal"
    requires: str | tuple[str, ...] = ()
    prefers: str | tuple[str, ...] = ()
    affinity: dict[str, str] = {}
    tag: str | tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    metadata: dict[str, Any] = {}
    after: str | tuple[str, ...] = ()
    on_dead: OnDead = "block"
    delay: str | None = None
    at: str | None = None
    deadline: str | None = None
    timeout: str | None = None
    timeout_s: float | None = None
    retries: int | None = None
    max_retries: int | None = None


class _Named(msgspec.Struct):
    id: str | None = None


_lines = msgspec.json.Decoder(RequestLine)


def request_of_line(line: bytes) -> TaskRequest:
    """The task that a line of a batch asks for. Raises: `Refused`."""
    try:
        given = _lines.decode(line)
    except UNREADABLE as error:
        raise Refused(f"not a task: {error}") from None
    return request_of(given, type="batch")


def request_of(given: RequestLine, *, key: str = "", type: str = "single") -> TaskRequest:
    """The task that is asked for; `key` is an idempotency key that came beside it. Raises: `Refused`."""
    timeout_s = given.timeout_s if given.timeout is None else _read("timeout", duration_s, given.timeout)
    spec = spec_of(
        given.skill,
        given.params,
        name=given.name,
        description=given.description,
        user=given.user,
        type=type,
        priority=given.priority,
        requires=_words(given.requires),
        prefers=_words(given.prefers),
        affinity=given.affinity,
        tags=((given.tag,) if isinstance(given.tag, str) else given.tag) + given.tags,
        metadata=given.metadata,
        after=_words(given.after),
        on_dead=given.on_dead,
        not_before_ns=_read("at", time_ns, given.at) or 0,
        deadline_ns=_read("deadline", time_ns, given.deadline) or 0,
        timeout_s=timeout_s,
        max_retries=given.max_retries if given.retries is None else given.retries,
    )
    if key and (given.id is not None or given.key not in (None, key)):
        raise Refused("the idempotency key names the task: leave out id and key")
    return TaskRequest(_id(given.id, key or given.key), spec, _read("delay", duration_s, given.delay))


def id_in(line: bytes) -> str | None:
    """The id in a line, even if the rest is invalid."""
    try:
        return msgspec.json.decode(line, type=_Named).id
    except UNREADABLE:
        return None


def request_of_options(options: Any) -> TaskRequest:
    """The task that the options of `submit` ask for. Raises: `Refused`, `Problem`."""
    spec = spec_of(
        options.skill,
        params_of(options.params),
        name=options.name,
        description=options.description,
        user=options.user,
        priority=options.priority,
        requires=options.requires,
        prefers=options.prefers,
        affinity=dict(options.affinity),
        tags=options.tag,
        metadata=object_of(options.metadata, "--metadata"),
        after=options.after,
        on_dead=options.on_dead,
        not_before_ns=options.at or 0,
        deadline_ns=options.deadline or 0,
        timeout_s=options.timeout,
        max_retries=options.retries,
    )
    return TaskRequest(_id(options.id, options.key), spec, options.delay)


def params_of(text: str | None) -> dict[str, Any]:
    """Parameters given as JSON, as `@FILE` or as `-` for standard input. Raises: `Problem`."""
    if text is None:
        return {}
    what = "standard input" if text == "-" else text[1:] if text.startswith("@") else "the parameters"
    return object_of(_content(text), what)


def value_of(text: str | None, what: str) -> Any:
    """Any JSON value, given as such, as `@FILE` or as `-` for standard input; None if omitted.

    Raises: `Problem`.
    """
    if text is None:
        return None
    content = _content(text)
    try:
        return msgspec.json.decode(content.encode() if isinstance(content, str) else content)
    except (*UNREADABLE, UnicodeEncodeError) as error:
        raise Problem("usage", f"{what}: {error}", "write JSON: text needs double quotes") from None


def _content(text: str) -> str | bytes:
    if text == "-":
        import sys

        return sys.stdin.buffer.read()
    if not text.startswith("@"):
        return text
    try:
        return Path(text[1:]).expanduser().read_bytes()
    except OSError as error:
        raise Problem("usage", f"can't read {text[1:]}: {error.strerror}", "name a JSON file") from None


def object_of(text: str | bytes | None, what: str) -> dict[str, Any]:
    """A JSON object, empty if omitted. Raises: `Problem`."""
    if text is None:
        return {}
    try:
        return msgspec.json.decode(text.encode() if isinstance(text, str) else text, type=dict[str, Any])
    except (*UNREADABLE, UnicodeEncodeError) as error:
        raise Problem("usage", f"{what}: {error}", 'write a JSON object, as in \'{"text": "hi"}\'') from None


def _id(id: str | None, key: str | None) -> str:
    if id is not None and key is not None:
        raise Refused("give an id or a key, not both")
    if key is not None:
        return id_of_key(key)
    return checked_id(id) if id is not None else f"t-{new_id()}"


def _read[T](name: str, read: Callable[[str], T], text: str | None) -> T | None:
    try:
        return None if text is None else read(text)
    except ValueError as error:
        raise Refused(f"{name}: {error}") from None


def _words(given: str | Iterable[str]) -> Iterable[str]:
    return [word.strip() for word in given.split(",") if word.strip()] if isinstance(given, str) else given
