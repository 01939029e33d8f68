"""What a skill takes, as data that travels: derived from annotations, checked without the function at hand."""

import inspect
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from clawactors.errors import Refused
from clawactors.nodes.events import Offer, Parameter

__all__ = ["check_params", "parameters_of", "params_struct"]

_JSON_TYPES: dict[Any, str] = {
    str: "string",
    bytes: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    list: "array",
    tuple: "array",
    set: "array",
    frozenset: "array",
    dict: "object",
    type(None): "null",
    None: "null",
}


def _json_type(annotation: Any) -> str:
    if annotation in (Any, inspect.Parameter.empty):
        return "any"
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType):
        parts = {_json_type(part) for part in typing.get_args(annotation)}
        return "any" if "any" in parts else "|".join(sorted(parts))
    if origin is typing.Literal:
        return "|".join(sorted({_JSON_TYPES.get(type(value), "any") for value in typing.get_args(annotation)}))
    kind = origin or annotation
    try:
        if isinstance(kind, type) and issubclass(kind, Mapping | msgspec.Struct):
            return "object"
        if isinstance(kind, type) and issubclass(kind, Sequence) and kind not in (str, bytes):
            return "array"
        return _JSON_TYPES.get(kind, "any")
    except TypeError:
        return "any"


def _signature(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """The parameters behind the task handle, annotations resolved where they can be."""
    try:
        signature = inspect.signature(function, eval_str=True)
    except (NameError, SyntaxError):
        signature = inspect.signature(function)
    return list(signature.parameters.values())[1:]


def parameters_of(function: Callable[..., Any]) -> tuple[tuple[Parameter, ...], bool]:
    """The parameters that a task of this skill may pass, and whether it takes further ones (`**kwargs`)."""
    named, takes_more = [], False
    for parameter in _signature(function):
        match parameter.kind:
            case inspect.Parameter.VAR_KEYWORD:
                takes_more = True
            case inspect.Parameter.VAR_POSITIONAL | inspect.Parameter.POSITIONAL_ONLY:
                raise TypeError(f"{function.__qualname__}: parameters are passed by name, {parameter} can't be")
            case _:
                required = parameter.default is inspect.Parameter.empty
                named.append(Parameter(parameter.name, _json_type(parameter.annotation), required))
    return tuple(named), takes_more


def params_struct(function: Callable[..., Any]) -> type[msgspec.Struct] | None:
    """A struct to convert given parameters with, None where msgspec does not know an annotation."""
    parameters = _signature(function)
    takes_more = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters)
    fields: list[tuple[str, Any, Any]] = []
    for parameter in parameters:
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD:
            annotation = Any if parameter.annotation is inspect.Parameter.empty else parameter.annotation
            fields.append((parameter.name, annotation | msgspec.UnsetType, msgspec.UNSET))
    try:
        struct = msgspec.defstruct("Params", fields, kw_only=True, forbid_unknown_fields=not takes_more)
        msgspec.convert({}, struct)
    except TypeError:
        return None
    return struct


def _json_type_of(value: Any) -> str:
    return _JSON_TYPES.get(type(value), "any")


def check_params(offer: Offer, params: Mapping[str, Any]) -> None:
    """Raises `Refused` naming the first parameter that does not fit what the skill takes."""
    known = {parameter.name: parameter for parameter in offer.parameters}
    for name, value in params.items():
        parameter = known.get(name)
        if parameter is None:
            if offer.open:
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
