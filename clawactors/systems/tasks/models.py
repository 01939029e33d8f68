"""Pydantic's models as values, without importing it: where users have models, it is there.

1. A model is written as what it takes again: fields by name, neither computed nor excluded ones.
2. One that its class does not make again from that is refused: JSON would keep asterisks for a secret, lose the fields
   of a subclass, or have a validator change the value again and again.
"""

import inspect
import sys
import typing
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

import msgspec

__all__ = ["adapter_of", "is_model", "model_from", "model_to_json", "root_of", "validate"]

_ERRORS_SHOWN: Final = 3
_INPUT_SHOWN: Final = 40
_CONSTRAINTS: Final = ("pydantic", "annotated_types")


def is_model(kind: type) -> bool:
    """True for pydantic's models."""
    return hasattr(kind, "__pydantic_validator__") and hasattr(kind, "model_validate")


def root_of(kind: type) -> Any:
    """What the JSON of a model is, where it is no object: the annotation of a `RootModel`, else None."""
    fields: Mapping[str, Any] = getattr(kind, "model_fields", {})
    return fields["root"].annotation if getattr(kind, "__pydantic_root_model__", False) else None


def model_to_json(model: Any) -> Any:
    """The model as JSON has it. Raises: `TypeError` where it could not come back."""
    kind, name = type(model), type(model).__qualname__
    if _has_secret(model.model_dump(round_trip=True)):
        raise TypeError(
            f"it holds a {name} with a secret, of which JSON would keep asterisks: pass the secret's name, "
            "and let task.secret(name) give its value"
        )
    written = model.model_dump(mode="json", round_trip=True)
    try:
        again = model_from(kind, written)
    except ValueError as error:
        raise TypeError(f"it holds a {name} that its class does not take back from JSON: {error}") from None
    if again != model and (field := _changed(model, again)):
        raise TypeError(
            f"it holds a {name} whose {field!r} does not come back from JSON as it is: annotate the field "
            "with the class of its value, and let its validators leave alone what they have made"
        )
    return written


def model_from(kind: type, value: Any) -> Any:
    """The model, of its fields by name or alias. Raises: `ValueError` that says in one line what does not fit."""
    return validate(kind.model_validate, value)  # type: ignore[attr-defined]


def validate(function: Callable[..., Any], value: Any) -> Any:
    """What that validator of pydantic's makes of the value. Raises: as `model_from`."""
    names = {"by_alias": True, "by_name": True} if _takes_names(getattr(function, "__func__", function)) else {}
    try:
        return function(value, **names)
    except ValueError as error:
        raise ValueError(_told(error)) from None


@lru_cache(256)
def _takes_names(function: Callable[..., Any]) -> bool:
    """False before pydantic 2.11."""
    return "by_name" in inspect.signature(function).parameters


def _told(error: ValueError) -> str:
    errors = getattr(error, "errors", None)
    if not callable(errors):
        return str(error)
    told = list[str]()
    for each in errors(include_url=False)[:_ERRORS_SHOWN]:
        given = each.get("input")
        place = ".".join(map(str, each["loc"]))
        shown = f", not {repr(given)[:_INPUT_SHOWN]}" if isinstance(given, str | int | float | None) else ""
        told.append((f"{place}: " if place else "") + each["msg"] + shown)
    return "; ".join(told)


def _has_secret(dumped: Any) -> bool:
    if isinstance(dumped, Mapping):
        return any(map(_has_secret, dumped.values()))
    if isinstance(dumped, list | tuple | set | frozenset):
        return any(map(_has_secret, dumped))
    return hasattr(type(dumped), "get_secret_value")


def _changed(model: Any, again: Any) -> str:
    """The first field that differs; what has no comparison of its own is taken to be equal."""
    for name in type(model).model_fields:
        one, other = getattr(model, name), getattr(again, name)
        if "__eq__" not in {each for kind in type(one).__mro__[:-1] for each in vars(kind)} or one == other:
            continue
        if not (is_model(type(one)) and type(one) is type(other)):
            return str(name)
        if inner := _changed(one, other):
            return f"{name}.{inner}"
    return ""


def adapter_of(annotation: Any) -> Any:
    """What validates by pydantic's rules, where the annotation has some that are pydantic's alone; else None."""
    pydantic = sys.modules.get("pydantic")
    if pydantic is None or not (_has_constraint(annotation) or (_has_model(annotation) and not _is_known(annotation))):
        return None
    return pydantic.TypeAdapter(annotation)


def _has_constraint(annotation: Any) -> bool:
    """True for constraints in `Annotated`, and for pydantic's dataclasses."""
    if any(type(each).__module__.startswith(_CONSTRAINTS) for each in getattr(annotation, "__metadata__", ())):
        return True
    if isinstance(annotation, type) and hasattr(annotation, "__pydantic_validator__") and not is_model(annotation):
        return True
    return any(map(_has_constraint, typing.get_args(annotation)))


def _has_model(annotation: Any) -> bool:
    if isinstance(annotation, typing.TypeAliasType):
        return _has_model(annotation.__value__)
    return (isinstance(annotation, type) and is_model(annotation)) or any(map(_has_model, typing.get_args(annotation)))


def _is_known(annotation: Any) -> bool:
    """True where msgspec tells from JSON which of its types is meant."""
    try:
        msgspec.json.Decoder(annotation)
    except Exception:  # an annotation may raise anything
        return False
    return True
