"""What hypothesis needs to make any event of a codec, any JSON, and bodies that are nearly right."""

import types
import typing
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from hypothesis import strategies as st

from clawactors.eventlog import Codec
from clawactors.systems.nodes.events import CODEC as NODE_CODEC
from clawactors.systems.nodes.events import NodeEvent
from clawactors.systems.tasks.events import CODEC as TASK_CODEC
from clawactors.systems.tasks.events import TaskEvent

__all__ = ["CODECS", "EVENTS", "JSON", "bodies", "event_types", "nearly", "values_of"]

CODECS: Mapping[str, Codec[Any]] = {"task": TASK_CODEC, "node": NODE_CODEC}

TEXT = st.text(max_size=8) | st.sampled_from(["", "a", "t-1", "\0", "é", "𝄞", '"\\', "task.started"])
NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


def event_types(kind: str) -> tuple[type[msgspec.Struct], ...]:
    """The types of all events of a kind of aggregate."""
    union = {"task": TaskEvent, "node": NodeEvent}[kind]
    types: tuple[type[msgspec.Struct], ...] = union.__value__.__args__
    return types


def values_of(annotation: Any) -> st.SearchStrategy[Any]:
    """Any value that the annotation of a field allows."""
    if isinstance(annotation, typing.TypeAliasType):
        return values_of(annotation.__value__)
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        meta = args[1]
        return st.integers(meta.ge, meta.le)
    if origin is typing.Literal:
        return st.sampled_from(args)
    if origin in (typing.Union, types.UnionType):
        return st.one_of([values_of(part) for part in args])
    if origin is tuple:
        return st.lists(values_of(args[0]), max_size=3).map(tuple)
    if origin is dict:
        return st.dictionaries(TEXT, values_of(args[1]), max_size=3)
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return structs(annotation)
    known: dict[Any, st.SearchStrategy[Any]] = {
        Any: JSON,
        str: TEXT,
        bool: st.booleans(),
        float: st.floats(allow_nan=False, allow_infinity=False),
        type(None): st.none(),
    }
    return known[annotation]


def structs(kind: type[msgspec.Struct]) -> st.SearchStrategy[Any]:
    """Any value of the struct; a field with a default may be left out."""
    hints = typing.get_type_hints(kind, include_extras=True)
    fields = msgspec.structs.fields(kind)
    needed = {field.name: values_of(hints[field.name]) for field in fields if field.required}
    other = {field.name: values_of(hints[field.name]) for field in fields if not field.required}
    return st.fixed_dictionaries(needed, optional=other).map(lambda values: kind(**values))


EVENTS = {kind: st.one_of([structs(each) for each in event_types(kind)]) for kind in CODECS}


def bodies(kind: str) -> st.SearchStrategy[bytes]:
    """Bodies of commits that are right."""
    return st.lists(EVENTS[kind], min_size=1, max_size=4).map(lambda events: CODECS[kind].encode(tuple(events)))


JUNK = st.sampled_from(
    (
        *(b"", b"null", b"true", b"-1", b"1.5", b"1e999", b"NaN", b"Infinity", b"18446744073709551616", b'"1"', b"//"),
        *(b"9" * 400, b"9" * 5000, b"[" * 50 + b"]" * 50, b"[" * 20_000, b"{}", b"[]", b'{"a":1,"a":2}'),
        *(b'"\\ud800"', b'"\\ud800\\udc00"', b'"\xff"', b'"\\u0000"', b"\xef\xbb\xbf"),
        *(b'{"type":7}', b'{"type":"task.started"}', b'{"type":"task.invented"}'),
    )
)
"""What does not belong where it is put."""


@st.composite
def nearly(draw: Callable[..., Any], kind: str) -> bytes:
    """A right body of which a piece was replaced, cut off, doubled or flipped."""
    body: bytes = draw(bodies(kind))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(body)))
        end = draw(st.integers(start, min(len(body), start + 12)))
        piece = body[start:end]
        new: bytes = draw(
            JUNK
            | st.binary(max_size=4)
            | st.just(b"")
            | st.just(piece + piece)
            | st.just(bytes(byte ^ 1 for byte in piece))
            | st.just(piece + body[end:] + piece)
        )
        body = body[:start] + new + body[end:]
    return body
