"""What a skill takes, as data that travels: derived from annotations, checked without the function at hand."""

import inspect
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Final

import msgspec

from clawactors.kernel.errors import Refused
from clawactors.systems.nodes.events import Offer, Parameter
from clawactors.systems.skills.callables import is_async, unwrapped
from clawactors.systems.skills.returns import Returns, construct
from clawactors.systems.tasks.files import FILE_KEY, is_file
from clawactors.systems.tasks.jsonvalues import AS_TEXT, is_uuid
from clawactors.systems.tasks.models import adapter_of, is_model, root_of

__all__ = ["Conversion", "check_params", "described", "named_parameters", "parameters_of"]

_JSON_TYPES: dict[type, str] = {
    str: "string",
    bytes: "string",
    bytearray: "string",
    memoryview: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    list: "array",
    tuple: "array",
    set: "array",
    frozenset: "array",
    dict: "object",
    type(None): "null",
}
_JSON_ABCS: tuple[tuple[type, str], ...] = (
    (Mapping, "object"),
    (msgspec.Struct, "object"),
    (Sequence, "array"),
    (AbstractSet, "array"),
    (Decimal, "integer|number|string"),
)


_WRITTEN_AS_TEXT: Final = (datetime, date, time, timedelta, *AS_TEXT)


def _json_type(annotation: Any) -> str:
    """The JSON types that an annotation takes, `any` where that can't be said."""
    if annotation is None:
        return "null"
    if isinstance(annotation, typing.TypeAliasType):
        return _json_type(annotation.__value__)
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _json_type(args[0])
    if origin is typing.Literal:
        return "|".join(sorted({_JSON_TYPES.get(type(value), "any") for value in args}))
    if origin in (typing.Union, types.UnionType):
        parts = {kind for part in args for kind in _json_type(part).split("|")}
        return "any" if "any" in parts else "|".join(sorted(parts))
    kind = origin or annotation
    return _json_type_of_class(kind) if isinstance(kind, type) else "any"


def _json_type_of_class(kind: type) -> str:
    if is_model(kind) and (root := root_of(kind)) is not None:
        return _json_type(root)
    if is_dataclass(kind) or is_model(kind):
        return "object"
    if issubclass(kind, Enum):
        return "|".join(sorted({_json_type_of(member.value) for member in kind})) or "any"
    if is_uuid(kind) or issubclass(kind, _WRITTEN_AS_TEXT):
        return "string"
    for ancestor in kind.__mro__:
        if ancestor in _JSON_TYPES:
            return _JSON_TYPES[ancestor]
    return next((name for abc, name in _JSON_ABCS if issubclass(kind, abc)), "any")


def named_parameters(function: Callable[..., Any], *, handle: bool = True) -> list[inspect.Parameter]:
    """The parameters, annotations resolved where they can be; with `handle` those behind the task's."""
    try:
        signature = inspect.signature(function, eval_str=True)
    except Exception:  # an annotation may say anything; what can't be evaluated takes anything
        signature = inspect.signature(function)
    parameters = list(signature.parameters.values())
    if not handle:
        return parameters
    if not parameters or parameters[0].kind in (parameters[0].KEYWORD_ONLY, parameters[0].VAR_KEYWORD):
        raise TypeError(f"{described(function)} must take the task's handle as its first parameter")
    return parameters[1:]


def described(function: Callable[..., Any]) -> str:
    """The function by its name, as in `greet` or `async greet`."""
    inner = unwrapped(function)
    name = getattr(inner, "__qualname__", repr(inner))
    return f"async {name}" if is_async(function) else name


def parameters_of(function: Callable[..., Any], *, handle: bool = True) -> tuple[tuple[Parameter, ...], bool]:
    """The parameters that a task of this skill may pass, and whether it takes further ones (`**kwargs`).

    Without `handle` the function takes no task.
    """
    named, takes_more = [], False
    for parameter in named_parameters(function, handle=handle):
        match parameter.kind:
            case inspect.Parameter.VAR_KEYWORD:
                takes_more = True
            case inspect.Parameter.VAR_POSITIONAL | inspect.Parameter.POSITIONAL_ONLY:
                raise TypeError(f"{described(function)}: parameters are passed by name, {parameter} can't be")
            case _:
                required = parameter.default is inspect.Parameter.empty
                named.append(Parameter(parameter.name, _json_type(parameter.annotation), required))
    return tuple(named), takes_more


class Conversion:
    """Given parameters as the annotations of a function want them; an annotation that is no type takes what comes."""

    def __init__(self, function: Callable[..., Any], *, handle: bool = True) -> None:
        parameters = named_parameters(function, handle=handle)
        takes_more = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters)
        fields = [  # named by number: a parameter may have a name that a class can't give to a field
            (f"p{number}", _or_unset(parameter.annotation), msgspec.field(default=msgspec.UNSET, name=parameter.name))
            for number, parameter in enumerate(parameters)
            if parameter.kind is not inspect.Parameter.VAR_KEYWORD
        ]
        self._is_closed = not takes_more
        self._fields = {parameter.name: f"p{number}" for number, parameter in enumerate(parameters[: len(fields)])}
        self._struct = msgspec.defstruct("Params", fields, kw_only=True, forbid_unknown_fields=not takes_more)
        self._adapted = {each.name: Returns(each.annotation, made) for each in parameters if (made := _adapted(each))}

    def __call__(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments; files that no parameter takes are left out. Raises: `msgspec.ValidationError`; `Refused`."""
        if self._is_closed and any(type(value) is dict and FILE_KEY in value for value in params.values()):
            params = {name: value for name, value in params.items() if name in self._fields or not is_file(value)}
        converted, fields = msgspec.convert(params, self._struct, str_keys=True, dec_hook=construct), self._fields
        made = {name: getattr(converted, fields[name]) if name in fields else value for name, value in params.items()}
        for name in self._adapted.keys() & params.keys():
            made[name] = self._adapted[name].made(params[name], f"the parameter {name!r}")
        return made


def _adapted(parameter: inspect.Parameter) -> Any:
    try:
        return adapter_of(parameter.annotation)
    except Exception:  # what an annotation raises is its own business
        return None


def _or_unset(annotation: Any) -> Any:
    if annotation is inspect.Parameter.empty:
        return Any
    try:
        optional = typing.Union[annotation, msgspec.UnsetType]  # noqa: UP007 (an annotation may lack `|`)
        msgspec.json.Decoder(optional)
    except Exception:  # what an annotation raises is its own business
        return Any
    return optional


def _json_type_of(value: Any) -> str:
    return _JSON_TYPES.get(type(value), "any")


def check_params(offer: Offer, params: Mapping[str, Any]) -> None:
    """Raises `Refused` naming the first parameter that does not fit what the skill takes.

    A file fits without a parameter: the code asks its task for it.
    """
    known = {parameter.name: parameter for parameter in offer.parameters}
    for name, value in params.items():
        parameter = known.get(name)
        if parameter is None:
            if offer.open or is_file(value):
                continue
            takes = ", ".join(known) or "no parameters"
            raise Refused(f"skill {offer.name!r} does not take {name!r}; it takes {takes}")
        wanted, given = parameter.type.split("|"), _json_type_of(value)
        fits = "any" in wanted or given in wanted or (given == "integer" and "number" in wanted)
        if not fits:
            raise Refused(f"skill {offer.name!r}: {name!r} takes {parameter.type.replace('|', ' or ')}, not {given}")
    missing = [parameter.name for parameter in offer.parameters if parameter.required and parameter.name not in params]
    if missing:
        raise Refused(f"skill {offer.name!r} needs {missing[0]!r}")
