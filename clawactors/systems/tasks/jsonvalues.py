"""Values of users as JSON: what msgspec does not know is written by its kind, or refused with what to write instead.

1. Dataclasses, structs, times, `Decimal`, `UUID`, enums, bytes, sets and tuples are msgspec's own; `to_json` adds
   pydantic models, paths, fractions, addresses and mappings.
2. A dict with a key that is no text is never changed silently: JSON would make `1` and `"1"` one key.
"""

import collections
import inspect
import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping, ValuesView
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from pathlib import PurePath
from typing import Any, Final

import msgspec

from clawactors.systems.tasks.models import is_model, model_to_json

__all__ = ["AS_TEXT", "encode", "is_uuid", "odd_key", "said_of", "to_json", "unfit_key", "why_unfit"]

_SHOWN: Final = 40
_PATH: Final = re.compile(r" - at `(\$[^`]*)`$")
_PART: Final = re.compile(r"\.([^.\[]+)|\[(\d+)\]|.")
_PLAIN: Final[tuple[tuple[type, Callable[[Any], Any]], ...]] = (
    (str, str.__str__),
    (int, int.__int__),
    (float, float.__float__),
)

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


def is_uuid(kind: type) -> bool:
    """True for `uuid.UUID`, whose module makes ids, so that pure code leaves it alone."""
    return (kind.__module__, kind.__qualname__) == ("uuid", "UUID")


def to_json(value: Any) -> Any:
    """The value as what msgspec can write. Raises: `TypeError` that says what to write instead."""
    if is_model(type(value)):
        return model_to_json(value)
    for kind, plain in _PLAIN:  # a class of its own with the same value, such as a text of an HTML parser
        if isinstance(value, kind):
            return plain(value)
    if isinstance(value, date | time | timedelta) and (plain_time := _plain_time(value)) == value:
        return plain_time
    if isinstance(value, AS_TEXT):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, AbstractSet | collections.deque | collections.UserList | range):
        return list(value)
    if getattr(value, "ndim", None) == 0 and isinstance(item := _item(value), bool | int | float):
        return item
    name = type(value).__qualname__
    article = "an" if name[0].lower() in "aeiou" else "a"
    raise TypeError(f"it holds {article} {name}: {_instead(value)}")


encode: Final = msgspec.json.Encoder(enc_hook=to_json).encode


def _plain_time(value: Any) -> Any:
    """A time of Python's own for one of a class of its own, as those of pandas and of frozen clocks; None without."""
    try:
        match value:
            case datetime():
                return datetime.combine(date(value.year, value.month, value.day), value.timetz())
            case date():
                return date(value.year, value.month, value.day)
            case time():
                return time(value.hour, value.minute, value.second, value.microsecond, value.tzinfo, fold=value.fold)
            case _:
                return timedelta(value.days, value.seconds, value.microseconds)
    except (ValueError, TypeError):  # it stands for no time
        return None


def _item(value: Any) -> Any:
    """The plain value of a scalar of numpy, None where that is not the same."""
    item = value.item() if hasattr(value, "item") else None
    return item if item is not None and bool(item == value) else None


def why_unfit(value: Any, error: Exception) -> str:
    """What is wrong with a value that could not be written, in words of its author."""
    if isinstance(error, RecursionError):
        if _holds_itself(value):
            return "it holds itself: a cycle has no end in JSON, so refer to what is above by its id"
        return "it is nested too deep"
    if isinstance(error, UnicodeEncodeError):
        part = error.object[error.start : error.end]
        return f"it has a text with {part!r}, half of a character: decode bytes with errors='replace'"
    if isinstance(error, TypeError) and (key := odd_key(value, _is_no_key)):
        return f"it has a dict with the key {key}: make the keys texts"
    return str(error)


def _holds_itself(value: Any) -> bool:
    above, done = set[int](), set[int]()
    todo: list[tuple[Any, bool]] = [(value, False)]
    while todo:
        each, is_left = todo.pop()
        if is_left:
            above.discard(id(each))
            done.add(id(each))
            continue
        if id(each) in above:
            return True
        if id(each) in done:
            continue
        inner = list(each.values()) if isinstance(each, dict) else list(_inner(each))
        if inner:
            above.add(id(each))
            todo.append((each, True))
            todo.extend((one, False) for one in inner)
    return False


def said_of(error: msgspec.ValidationError, value: Any) -> str:
    """The error with the part of the value that it is about, in one line."""
    text = " ".join(str(error).split())
    if not text.startswith(("Expected", "Invalid")):
        return text
    place = _PATH.search(text)
    for part in _PART.finditer(place[1][1:] if place else ""):
        name, number = part.groups()
        try:
            value = value[name] if name else value[int(number)]
        except (TypeError, LookupError, ValueError):  # of a key, or of any value of a dict: which one is not said
            return text
    if isinstance(value, dict | list | None):
        return text
    end, shown = place.start() if place else len(text), repr(value)[:_SHOWN]
    return text if shown in text else f"{text[:end]}: {shown}{text[end:]}"


def _is_no_text(key: object) -> bool:
    return not isinstance(key, str)


def _is_no_key(key: object) -> bool:
    return isinstance(key, tuple | frozenset | bool | None)


def odd_key(value: Any, is_odd: Callable[[object], bool] = _is_no_text) -> str:
    """How the first odd key of a dict is written, by default one that is no text; "" without one."""
    todo = [value]
    while todo:
        each = todo.pop()
        if isinstance(each, dict):
            for key in each:
                if is_odd(key):
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


def _is_view(value: Any) -> bool:
    return isinstance(value, ValuesView | map | filter | zip)


def _instead(value: Any) -> str:
    if inspect.isawaitable(value):
        if inspect.iscoroutine(value):
            value.close()
        return "await it, or make the function that returns it `async def`"
    if inspect.isgenerator(value) or inspect.isasyncgen(value) or hasattr(value, "__next__") or _is_view(value):
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
