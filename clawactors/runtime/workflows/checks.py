"""Checks of a definition; each problem is told with its place. What passes is compiled to a `Plan`."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from clawactors.eventlog import is_id
from clawactors.runtime.expressions import ExpressionError
from clawactors.runtime.workflows.plan import Plan, PlannedStep, cycle_in
from clawactors.runtime.workflows.problems import DefinitionProblem, InvalidDefinition, meant
from clawactors.runtime.workflows.references import DefinedNames, References, parse_template
from clawactors.runtime.workflows.source import DefinitionSource
from clawactors.runtime.workflows.stepchecks import StepCheck
from clawactors.systems.workflows.definition import (
    STEP_NAME,
    STEPS_MAX,
    Definition,
    StepUndo,
    WorkflowParameter,
    WorkflowStep,
    choices,
    fits,
)

__all__ = ["compile_plan"]

_AT: Final = re.compile(r" - at `\$(.*)`$")
_NOT_ONE_OF: Final = re.compile(r"Invalid enum value '(.*)'", re.DOTALL)
_STEP_OF_PATH: Final = re.compile(r"\.(\w+)|\[(\d+)\]")
_ANYTHING: Final = {"id": "x", "value": 0}


def compile_plan(source: DefinitionSource) -> Plan:
    """The plan of that definition. Raises: `InvalidDefinition` with all that is wrong."""
    return _Compiler(source).plan()


class _Compiler:
    def __init__(self, source: DefinitionSource) -> None:
        self._source = source
        self.problems: list[DefinitionProblem] = []

    def add(self, path: Sequence[str | int], message: str, *, key: bool = False) -> None:
        """One more thing is wrong."""
        self.problems.append(self._source.problem(path, message, key=key))

    def plan(self) -> Plan:
        value = self._source.value
        if not isinstance(value, dict):
            self.add((), "a definition is a mapping that begins with `workflow: NAME`")
            raise InvalidDefinition(self.problems)
        top = self._top(value)
        steps = self._steps(value.get("steps"))
        if not steps:
            raise InvalidDefinition(self.problems)
        declared = value.get("params")
        names = DefinedNames(
            steps={str(raw.get("id")) for raw in value["steps"] if isinstance(raw, dict)},
            params=tuple(declared) if isinstance(declared, dict) else (),
        )
        planned = self._planned(steps, value["steps"], names)
        found = References(names, lambda message: self.add(("result",), message))
        result = None
        try:
            result = parse_template(value.get("result"), found)
        except ExpressionError as error:
            self.add(("result",), str(error))
        if self.problems or top is None or result is None:
            raise InvalidDefinition(self.problems)
        definition = msgspec.structs.replace(top, steps=[each.step for each in planned.values()])
        return Plan(written=value, definition=definition, steps=planned, result=result, result_reads=tuple(found.steps))

    def _top(self, value: dict[str, Any]) -> Definition | None:
        self._known((), value, Definition)
        fields = {name: each for name, each in value.items() if name in _fields(Definition)}
        if "steps" in fields:
            fields["steps"] = [_ANYTHING]
        made: Definition | None = self._converted((), fields, Definition)
        if made is None:
            return None
        if not is_id(made.workflow):
            self.add(("workflow",), f"{made.workflow[:60]!r} is no name: 1 to 100 letters, digits, '-' or '_'")
        for name, declared in made.params.items():
            self._parameter(name, declared)
        return made

    def _planned(
        self, steps: dict[int, WorkflowStep], raw: Sequence[Any], names: DefinedNames
    ) -> dict[str, PlannedStep]:
        planned: dict[str, PlannedStep] = {}
        places: dict[str, int] = {}
        for number, step in steps.items():
            if step.id in places:
                taken = f"the id {step.id!r} is taken by step {places[step.id] + 1}; rename one"
                self.add(("steps", number, "id"), taken)
                continue
            places[step.id] = number
            planned[step.id] = StepCheck(number, step, raw[number], names, self.add).planned()
        if cycle := cycle_in({name: each.needs for name, each in planned.items()}):
            message = f"these steps wait for each other: {' -> '.join(cycle)}; remove one of the references"
            self.add(("steps", places[cycle[0]], "id"), message)
        return planned

    def _parameter(self, name: str, declared: Any) -> None:
        path = ("params", name)
        if not STEP_NAME.fullmatch(name):
            self.add(path, f"{name[:60]!r} can't be named in expressions; use letters, digits and '_'", key=True)
        if not isinstance(declared, dict):
            return
        if not self._known(path, declared, WorkflowParameter):
            return
        parameter: WorkflowParameter | None = self._converted(path, declared, WorkflowParameter)
        if parameter and parameter.default is not msgspec.UNSET and not fits(parameter.default, parameter.type):
            self.add((*path, "default"), f"the default of {name!r} is not of type {parameter.type}")

    def _steps(self, raw: Any) -> dict[int, WorkflowStep]:
        if not isinstance(raw, list):
            if raw is not None:
                self.add(("steps",), "steps are a list: each begins with `- id: NAME`")
            return {}
        if not 0 < len(raw) <= STEPS_MAX:
            self.add(("steps",), f"a workflow has 1 to {STEPS_MAX} steps, not {len(raw)}")
            return {}
        made: dict[int, WorkflowStep] = {}
        for number, each in enumerate(raw):
            path = ("steps", number)
            if not isinstance(each, dict):
                self.add(path, "a step is a mapping that begins with `id: NAME`")
                continue
            undo = each.get("undo")
            fits_so_far = self._known(path, each, WorkflowStep)
            if isinstance(undo, dict):
                fits_so_far = self._known((*path, "undo"), undo, StepUndo) and fits_so_far
            if fits_so_far and (step := self._converted(path, each, WorkflowStep)) is not None:
                made[number] = step
        return made

    def _known(self, path: Sequence[str | int], value: dict[str, Any], kind: type[msgspec.Struct]) -> bool:
        """False where it has fields that there are not; each is told."""
        fields = _fields(kind)
        unknown = [name for name in value if name not in fields]
        for name in unknown:
            hint = meant(name, fields) or f"; there are {', '.join(fields)}"
            self.add((*path, name), f"there is no field {name[:60]!r} here{hint}", key=True)
        return not unknown

    def _converted[S: msgspec.Struct](self, path: Sequence[str | int], value: Any, kind: type[S]) -> S | None:
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            text = str(error)
            found = _AT.search(text)
            inner = list(_inner(found[1])) if found else []
            self.add((*path, *inner), _plain(text[: found.start()] if found else text, inner, kind))
            return None


def _inner(path: str) -> Iterable[str | int]:
    return (name or int(number) for name, number in _STEP_OF_PATH.findall(path))


def _plain(text: str, path: Sequence[str | int], kind: type[msgspec.Struct]) -> str:
    """The error of the types in words of the file."""
    if (wrong := _NOT_ONE_OF.fullmatch(text)) and (allowed := choices(kind, str(path[-1]))):
        return f"{wrong[1]!r} is no {path[-1]}; there are {', '.join(allowed)}{meant(wrong[1], allowed)}"
    if "matching regex" in text:
        return "a name has 1 to 64 letters, digits or '_', and does not begin with a digit"
    text = text.replace("Object missing required field", "this needs the field").replace("`", "'")
    return f"{path[-1]}: {text}" if path and isinstance(path[-1], str) else text


def _fields(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    return kind.__struct_encode_fields__
