"""JSON Schema for models, from the annotations of functions and of types."""

import inspect
import sys
import typing
from collections.abc import Callable
from typing import Any, Final

import msgspec

from clawactors.systems.skills.parameters import named_parameters, parameters_of
from clawactors.systems.tasks.jsonvalues import encode

__all__ = ["OPEN", "parameters_schema", "schema_of"]

OPEN: Final[dict[str, Any]] = {"type": "object", "additionalProperties": True}
"""Of what nothing is known."""
_REFERENCE: Final = "#/$defs/{name}"


def schema_of(annotation: Any) -> dict[str, Any]:
    """The schema of a type; {} where it takes anything."""
    schema, definitions = _parts(annotation)
    return schema | ({"$defs": definitions} if definitions else {})


def parameters_schema(function: Callable[..., Any], *, handle: bool) -> dict[str, Any]:
    """The schema of the arguments by name; with `handle` the first parameter is the task's. Raises: `TypeError`."""
    simple, is_open = parameters_of(function, handle=handle)
    annotated = {each.name: each for each in named_parameters(function, handle=handle)}
    properties, definitions = dict[str, Any](), dict[str, Any]()
    for each in simple:
        parameter = annotated[each.name]
        schema, more = _parts(parameter.annotation)
        if not schema and each.type != "any":
            kinds = each.type.split("|")
            schema = {"type": kinds if len(kinds) > 1 else kinds[0]}
        if parameter.default not in (inspect.Parameter.empty, None) and (default := _plain(parameter.default)):
            schema |= {"default": default[0]}
        properties[each.name] = schema
        definitions |= more
    schema = {"type": "object", "properties": properties, "additionalProperties": is_open}
    if required := [each.name for each in simple if each.required]:
        schema["required"] = required
    return schema | ({"$defs": definitions} if definitions else {})


def _plain(value: Any) -> tuple[Any] | None:
    try:
        return (msgspec.json.decode(encode(value)),)
    except Exception:  # a default may be anything
        return None


def _parts(annotation: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The schema, and the definitions that it refers to."""
    if annotation in (inspect.Parameter.empty, Any) or isinstance(annotation, str):
        return {}, {}
    if typing.get_origin(annotation) is typing.Annotated:
        schema, definitions = _of(annotation)
        if not schema:
            schema, definitions = _of(typing.get_args(annotation)[0])
        return _described(schema, annotation.__metadata__), definitions
    return _of(annotation)


def _of(annotation: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        (schema,), definitions = msgspec.json.schema_components((annotation,), ref_template=_REFERENCE)
    except Exception:  # a type that msgspec does not know
        return _by_pydantic(annotation)
    return schema, dict(definitions)


def _by_pydantic(annotation: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    pydantic = sys.modules.get("pydantic")
    if pydantic is None:
        return {}, {}
    try:
        schema = pydantic.TypeAdapter(annotation).json_schema(ref_template=_REFERENCE.replace("{name}", "{model}"))
    except Exception:  # nor does pydantic
        return {}, {}
    return schema, schema.pop("$defs", {})


def _described(schema: dict[str, Any], metadata: tuple[Any, ...]) -> dict[str, Any]:
    """The schema with the words for the parameter: a text, or what has a `description`."""
    for each in metadata:
        text = each if isinstance(each, str) else getattr(each, "description", None)
        if isinstance(text, str) and text:
            return schema | {"description": text}
    return schema
