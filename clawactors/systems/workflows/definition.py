"""A workflow's definition as data: what may stand in a file. The JSON Schema is made of these types.

1. Unknown fields are refused: a definition that a later release has written is not run half.
2. A step does one thing, named by one of the fields in `DOES`. What goes with which is in `GOES_WITH`.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from clawactors.kernel.errors import Refused

__all__ = [
    "DOES",
    "GOES_WITH",
    "STEPS_MAX",
    "STEP_NAME",
    "Definition",
    "StepUndo",
    "WorkflowParameter",
    "WorkflowStep",
    "choices",
    "definition_of",
    "fits",
    "params_for",
    "schema",
]

STEPS_MAX: Final = 50_000
STEP_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")

type _Limit = Annotated[str | float, Meta(description="seconds, or a duration such as 30s, 5m, 2h, 7d")]
type _Values = Annotated[dict[str, Any], Meta(description="strings may hold ${expressions}")]
type _Retries = Annotated[int, Meta(ge=0, le=1000, description="retries of the child after its first attempt")]

DOES: Final = ("skill", "workflow", "sleep", "until", "signal", "approve", "value")
"""What a step can do."""
GOES_WITH: Final[Mapping[str, tuple[str, ...]]] = {
    "params": ("skill", "workflow"),
    "version": ("workflow",),
    "for_each": ("skill", "workflow"),
    "as": ("skill", "workflow"),
    "parallel": ("skill", "workflow"),
    "retry": ("skill",),
    "timeout": ("skill", "signal", "approve"),
    "undo": ("skill", "workflow"),
    "priority": ("skill", "workflow"),
    "requires": ("skill",),
    "affinity": ("skill",),
    "by": ("approve",),
    "default": ("approve",),
    "remind": ("approve",),
}
"""With which of them a field makes sense; fields that are not here go with all."""

type _Type = Literal["string", "integer", "number", "boolean", "array", "object", "any"]

_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list, tuple),
    "object": (dict,),
}


class WorkflowParameter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A parameter of the workflow; without a default it is required."""

    type: _Type = "any"
    default: Any | UnsetType = UNSET
    description: str = ""


class StepUndo(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A task that undoes a completed step."""

    skill: str
    params: _Values = {}
    retry: _Retries | None = None
    timeout: _Limit | None = None


class WorkflowStep(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A step; it begins when the steps that it comes `after`, and those it refers to, are done."""

    id: Annotated[str, Meta(pattern=f"^{STEP_NAME.pattern}$", description="unique; as in ${steps.ID.result}")]
    skill: Annotated[str | None, Meta(description="runs a task of this skill as a child")] = None
    workflow: Annotated[str | None, Meta(description="runs another workflow as a child")] = None
    sleep: Annotated[_Limit | None, Meta(description="waits that long, without a slot")] = None
    until: Annotated[str | None, Meta(description="waits until this time, RFC 3339")] = None
    signal: Annotated[str | None, Meta(description="waits for a signal of this name; its payload is the result")] = None
    approve: Annotated[str | None, Meta(description="asks people; the result has approved, by and comment")] = None
    value: Annotated[Any | UnsetType, Meta(description="the result of the step")] = UNSET
    params: _Values = {}
    version: Annotated[int, Meta(ge=1)] | None = None
    after: Annotated[list[str], Meta(description="steps that come first")] = []
    if_: Annotated[str | bool, Meta(description="a condition; if it is false the step is skipped")] = msgspec.field(
        default="", name="if"
    )
    for_each: Annotated[str | list[Any] | None, Meta(description="runs the step once for each element")] = None
    as_: Annotated[str, Meta(pattern=f"^{STEP_NAME.pattern}$", description="the variable that holds the element")] = (
        msgspec.field(default="item", name="as")
    )
    parallel: Annotated[int, Meta(ge=1, description="how many elements at a time, at most")] | None = None
    retry: _Retries | None = None
    timeout: _Limit | None = None
    undo: StepUndo | None = None
    on_failure: Literal["fail", "continue"] = "fail"
    priority: Literal["low", "normal", "high", "urgent"] | None = None
    requires: list[str] = []
    affinity: dict[str, str] = {}
    by: Annotated[list[str], Meta(description="who may answer; anybody if empty")] = []
    default: Literal["approve", "deny"] = "deny"
    remind: _Limit | None = None

    @property
    def does(self) -> str:
        """Which of `DOES` it is, the first one where there are several, "" for none."""
        if self.value is not UNSET:
            return "value"
        return next((name for name in DOES if getattr(self, name) not in (None, UNSET)), "")


class Definition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A workflow: steps that run as soon as the steps they need are done."""

    workflow: Annotated[str, Meta(min_length=1, max_length=100, description="its name: letters, digits, - and _")]
    description: str = ""
    params: Annotated[
        dict[str, Any], Meta(description="by name: {type, default, description}, a default value, or null")
    ] = {}
    steps: Annotated[list[WorkflowStep], Meta(min_length=1, max_length=STEPS_MAX)]
    result: Annotated[Any, Meta(description="the result of the workflow; strings may hold ${expressions}")] = None
    on_failure: Annotated[
        Literal["fail", "compensate"], Meta(description="compensate: completed steps are undone, the last one first")
    ] = "fail"


def definition_of(value: Any) -> Definition:
    """The definition that this JSON is. Raises: `Refused` where it is none, without what takes more than its types."""
    try:
        return msgspec.convert(value, Definition)
    except msgspec.ValidationError as error:
        raise Refused(f"this is no workflow that this release can run: {error}") from None


def params_for(definition: Definition, given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of an instance, with defaults. Raises: `Refused` for what does not fit."""
    who = f"workflow {definition.workflow!r}"
    for name in given:
        if name not in definition.params:
            raise Refused(f"{who} does not take {name!r}; it takes {', '.join(definition.params) or 'no parameters'}")
    made: dict[str, Any] = {}
    for name, declared in definition.params.items():
        parameter = _parameter(declared)
        value = made[name] = given.get(name, parameter.default)
        if value is UNSET:
            raise Refused(f"{who} needs {name!r}")
        if name in given and not fits(value, parameter.type):
            raise Refused(f"{who}: {name!r} takes a value of type {parameter.type}, not {value!r:.60}")
    return made


def _parameter(declared: Any) -> WorkflowParameter:
    if declared is None:
        return WorkflowParameter()
    return (
        msgspec.convert(declared, WorkflowParameter)
        if isinstance(declared, dict)
        else WorkflowParameter(default=declared)
    )


def fits(value: Any, type: str) -> bool:
    """True where the JSON value has that type."""
    if isinstance(value, bool):
        return type in ("boolean", "any")
    return type == "any" or isinstance(value, _TYPES[type])


def choices(kind: type[msgspec.Struct], field: str) -> tuple[str, ...]:
    """The texts that may stand in that field, none where others may too."""
    made = msgspec.json.schema(kind)["$defs"][kind.__name__]["properties"].get(field, {})
    return tuple(each for part in made.get("anyOf", [made]) for each in part.get("enum", ()))


def schema() -> dict[str, Any]:
    """The JSON Schema of definitions."""
    made = msgspec.json.schema(Definition)
    made = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "ClawActors workflow", **made}
    made["$defs"]["WorkflowStep"]["oneOf"] = [{"required": [name]} for name in DOES]
    return made
