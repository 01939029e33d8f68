"""What a function returns or takes, by its annotations: JSON from the record becomes the same value on every run.

1. An annotation that JSON has anyway (text, numbers, lists, dicts with text keys, `Any`) changes and checks nothing.
2. One that can't be told from JSON (two dataclasses in a union, a class that only its author knows) changes nothing.
3. Everything else is made from the record as `msgspec.convert` does, with pydantic models and paths besides.
"""

import collections.abc
import inspect
import sys
import types
import typing
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Any, Final

import msgspec

from clawactors.kernel.errors import Refused
from clawactors.systems.skills.callables import unwrapped
from clawactors.systems.tasks.jsonvalues import AS_TEXT, is_uuid, said_of
from clawactors.systems.tasks.models import adapter_of, is_model, model_from, validate

__all__ = ["JSON", "Returns", "as_annotated", "construct", "returns_of"]

_RICH: Final = (
    bytes, bytearray, memoryview, tuple, set, frozenset, datetime, date, time, timedelta, Decimal, Enum,
    msgspec.Struct, *AS_TEXT,
)  # fmt: skip
_PLAIN: Final = frozenset(
    (None, "None", type(None), Any, object, str, "str", int, "int", float, "float", bool, "bool", dict, "dict", list)
)
_AWAITED: Final = (Awaitable, collections.abc.Coroutine)


def construct(kind: type, value: Any) -> Any:
    """What msgspec does not know (a model, `Path`, `Fraction` …) is made from the value by its own class."""
    if isinstance(value, typing.get_origin(kind) or kind):
        return value
    return model_from(kind, value) if is_model(kind) else kind(value)


class Returns:
    """The type that a function's annotation names, None where JSON is all there is to say.

    `adapter` is pydantic's, where its rules alone make the value.
    """

    __slots__ = ("_adapter", "_type")

    def __init__(self, type: Any = None, adapter: Any = None) -> None:
        self._type, self._adapter = type, adapter

    def restored(self, value: Any, whose: str) -> Any:
        """The value of the annotated type, from JSON. Raises: `Refused` where it is none."""
        return self.made(value, f"{whose} has a result that")

    def made(self, value: Any, what: str) -> Any:
        """The value of the annotated type, from JSON. Raises: `Refused` that says `what` it is."""
        if self._type is None:
            return value
        try:
            if self._adapter is not None:
                return validate(self._adapter.validate_python, value)
            return msgspec.convert(value, self._type, str_keys=True, dec_hook=construct)
        except (msgspec.ValidationError, ValueError) as error:
            shown = getattr(self._type, "__qualname__", None) or str(self._type)
            why = said_of(error, value) if isinstance(error, msgspec.ValidationError) else str(error)
            raise Refused(f"{what} is no {shown}, as it is annotated: {why}") from None

    def restores(self, decoded: Any, value: Any) -> bool:
        """True where that gives back this very value."""
        try:
            return self._type is not None and bool(self.restored(decoded, "it") == value)
        except Exception:  # a comparison may raise anything
            return False


JSON: Final = Returns()
"""No annotation, or one that JSON has anyway."""


def returns_of(function: Callable[..., Any]) -> Returns:
    """What the function returns, as of its annotation."""
    try:
        annotations = getattr(function, "__annotations__", None)
        if not isinstance(annotations, dict) or "return" not in annotations:
            function = unwrapped(function)
            annotations = getattr(function, "__annotations__", {})
        return _of(annotations.get("return"), function)
    except Exception:  # an annotation may be anything, and raise anything
        return JSON


def as_annotated(
    function: Callable[..., Any],
    args: Iterable[Any],
    kwargs: Mapping[str, Any],
    otherwise: tuple[tuple[Any, ...], dict[str, Any]] | None = None,
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Arguments from the record, each as the function annotates it. Raises: `Refused` where one is none.

    `otherwise` are the same ones as they are taken by a parameter without an annotation.
    """
    args, kwargs = tuple(args), dict(kwargs)
    try:
        bound = inspect.signature(function).bind(*args, **kwargs)
        other = bound if otherwise is None else bound.signature.bind(*otherwise[0], **otherwise[1])
    except (TypeError, ValueError):  # the call itself says what does not fit
        return args, kwargs
    inner = unwrapped(function)
    for name, given in bound.arguments.items():
        parameter = bound.signature.parameters[name]
        what = f"the argument {name!r} of {getattr(inner, '__qualname__', inner)!r}"
        returns = _taken(parameter, inner)
        match parameter.kind:
            case _ if parameter.annotation is parameter.empty:
                bound.arguments[name] = other.arguments[name]
            case inspect.Parameter.VAR_POSITIONAL:
                bound.arguments[name] = tuple(returns.made(value, what) for value in given)
            case inspect.Parameter.VAR_KEYWORD:
                bound.arguments[name] = {key: returns.made(value, what) for key, value in given.items()}
            case _:
                bound.arguments[name] = returns.made(given, what)
    return bound.args, bound.kwargs


def _taken(parameter: inspect.Parameter, function: Callable[..., Any]) -> Returns:
    try:
        return _of(parameter.annotation, function)
    except Exception:  # an annotation may be anything, and raise anything
        return JSON


def _of(annotation: Any, function: Callable[..., Any]) -> Returns:
    """What the annotation in that function says. Raises anything."""
    if annotation in _PLAIN:
        return JSON
    return _named(annotation, function.__module__) if isinstance(annotation, str) else _known(annotation)


@lru_cache(1024)
def _named(annotation: str, module: str) -> Returns:
    return _known(eval(annotation, vars(sys.modules[module])))  # noqa: S307 # as `inspect.get_annotations` does


@lru_cache(1024)
def _known(annotation: Any) -> Returns:
    if typing.get_origin(annotation) in _AWAITED:
        annotation = typing.get_args(annotation)[-1]
    if (adapter := adapter_of(annotation)) is not None:
        return Returns(annotation, adapter)
    if not _is_rich(annotation):
        return JSON
    msgspec.json.Decoder(annotation)  # raises for what it can't tell apart
    return Returns(annotation)


def _is_rich(annotation: Any) -> bool:
    if isinstance(annotation, typing.TypeAliasType):
        return _is_rich(annotation.__value__)
    if isinstance(annotation, typing.NewType):
        return _is_rich(annotation.__supertype__)
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _is_rich(args[0])
    if origin in (typing.Union, types.UnionType):
        return any(map(_is_rich, args))
    if origin is typing.Literal:
        return any(isinstance(value, Enum | bytes) for value in args)
    kind = origin or annotation
    if not isinstance(kind, type):
        return False
    if typing.is_typeddict(kind):
        return any(map(_is_rich, typing.get_type_hints(kind).values()))
    if is_dataclass(kind) or is_model(kind) or is_uuid(kind) or issubclass(kind, _RICH):
        return True
    if issubclass(kind, collections.abc.Mapping) and args and args[0] not in (str, Any):
        return True
    return any(map(_is_rich, args))
