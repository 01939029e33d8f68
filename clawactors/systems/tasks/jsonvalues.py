"""Values of users as JSON: what msgspec does not know is written by its kind, or refused with what to write instead.

1. Dataclasses, structs, times, `Decimal`, `UUID`, enums, bytes, sets and tuples are msgspec's own; `to_json` adds
   pydantic models, paths, fractions, addresses and mappings.
2. A dict with a key that is no text is never changed silently: JSON would make `1` and `"1"` one key.
"""

import collections
import inspect
import ipaddress
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from fractions import Fraction
from pathlib import PurePath
from typing import Any, Final

import msgspec

__all__ = ["AS_TEXT", "encode", "is_model", "is_uuid", "odd_key", "to_json", "unfit_key"]

AS_TEXT: Final = (
    PurePath,
    Fraction,
    complex,
    ipaddress.IPv4Address,
    ipaddress.IPv6Address,
    ipaddress.IPv4Network,
    ipaddress.IPv6Network,
)
"""Classes that are written as text and made from it again."""


def is_model(kind: type) -> bool:
    """True for pydantic's models, without importing it."""
    return hasattr(kind, "__pydantic_validator__") and hasattr(kind, "model_validate")


def is_uuid(kind: type) -> bool:
    """True for `uuid.UUID`, whose module makes ids, so that pure code leaves it alone."""
    return (kind.__module__, kind.__qualname__) == ("uuid", "UUID")


def to_json(value: Any) -> Any:
    """The value as what msgspec can write. Raises: `TypeError` that says what to write instead."""
    if is_model(type(value)):
        return value.model_dump(mode="json")
    if isinstance(value, AS_TEXT):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, AbstractSet | collections.deque | range):
        return list(value)
    name = type(value).__qualname__
    article = "an" if name[0].lower() in "aeiou" else "a"
    raise TypeError(f"it holds {article} {name}: {_instead(value)}")


encode: Final = msgspec.json.Encoder(enc_hook=to_json).encode


def odd_key(value: Any) -> str:
    """How the first key that is no text is written, "" where all are texts."""
    todo = [value]
    while todo:
        each = todo.pop()
        if isinstance(each, dict):
            for key in each:
                if not isinstance(key, str):
                    return repr(key)[:40]
            todo.extend(each.values())
        else:
            todo.extend(_inner(each))
    return ""


def unfit_key(value: Any, stored: Any) -> str:
    """What is wrong with the first key that JSON would change, "" without one; `stored` is what JSON gives back."""
    key = "" if stored == value else odd_key(value)
    return (
        f"{key} is the key of a dict: write the keys as texts, an annotation `dict[int, …]` restores them"
        if key
        else ""
    )


def _inner(value: Any) -> Iterator[Any]:
    if isinstance(value, list | tuple | set | frozenset | collections.deque):
        yield from (each for each in value if not isinstance(each, str | int | float | bytes | None))
    elif isinstance(value, msgspec.Struct):
        yield from (getattr(value, name) for name in value.__struct_fields__)
    elif is_dataclass(value) and not isinstance(value, type):
        yield from (getattr(value, field.name, None) for field in fields(value))


def _instead(value: Any) -> str:
    if inspect.isawaitable(value):
        if inspect.iscoroutine(value):
            value.close()
        return "await it, or make the function that returns it `async def`"
    if inspect.isgenerator(value) or inspect.isasyncgen(value) or hasattr(value, "__next__"):
        return "return list(…) of it"
    if hasattr(value, "tolist"):
        return "return its .tolist()"
    if hasattr(value, "to_dict"):
        return "return its .to_dict(…)"
    if isinstance(value, BaseException):
        return "raise it, or return its text"
    if isinstance(value, type) or callable(value):
        return "return its name"
    return "make it a dataclass, a msgspec.Struct or a pydantic model, or return a dict or text"
