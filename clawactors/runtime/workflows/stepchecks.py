"""Checks of one step, and its plan."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, Protocol

from msgspec import UNSET

from clawactors.eventlog import is_id
from clawactors.kernel.errors import Refused
from clawactors.kernel.time import LONGEST_S, duration_s, time_ns
from clawactors.runtime.expressions import ExpressionError, Template
from clawactors.runtime.workflows.plan import SETTINGS, PlannedStep
from clawactors.runtime.workflows.references import SCOPE, DefinedNames, References, parse_condition, parse_template
from clawactors.systems.workflows.definition import DOES, GOES_WITH, WorkflowStep

__all__ = ["StepCheck"]

_NEED_FOR_EACH: Final = ("as", "parallel")
_DURATIONS: Final = ("sleep", "timeout", "remind")


class _Add(Protocol):
    def __call__(self, path: tuple[str | int, ...], message: str, *, key: bool = False) -> None: ...


class StepCheck:
    """`raw` is what stands in the file, as its step with that number; `add` gets what is wrong."""

    def __init__(self, number: int, step: WorkflowStep, raw: Mapping[str, Any], names: DefinedNames, add: _Add) -> None:
        self._number, self._step, self._raw, self._names, self._add = number, step, raw, names, add

    def _no(self, field: str, message: str, *, key: bool = False) -> None:
        self._add(("steps", self._number, *field.split(".")), message, key=key)

    def planned(self) -> PlannedStep:
        """The plan of the step; what is wrong with it was told."""
        step = self._step
        self._one_thing()
        self._values()
        after, first, items = self._found("after"), self._found("if"), self._found("for_each")
        element = () if step.for_each is None else (step.as_, "index")
        argument, undo = self._found(self._argued, element), self._found("undo.params", (*element, "result"))
        given = {name: getattr(step, name) for name in SETTINGS if name in self._raw}
        settings = self._found(next(iter(given), ""), element)
        planned = {
            "condition": self._parsed("if", parse_condition, step.if_, first) if step.if_ != "" else None,
            "items": self._items(items),
            "argument": self._argument(argument),
            "settings": self._template(next(iter(given), ""), given, settings),
            "undo_params": self._template("undo.params", step.undo.params, undo) if step.undo else None,
        }
        for name in step.after:
            after.check_step(name)
        reads = {**first.steps, **items.steps, **argument.steps, **undo.steps, **settings.steps}
        needs = dict.fromkeys((*step.after, *reads))
        return PlannedStep(step=step, needs=tuple(needs), reads=tuple(reads), **planned)

    def _one_thing(self) -> None:
        step, given = self._step, [name for name in DOES if name in self._raw]
        if not given:
            self._no("id", f"step {step.id!r} does nothing: give it one of {', '.join(DOES)}")
        elif len(given) > 1:
            self._no(
                given[1], f"step {step.id!r} does several things: {' and '.join(given)}; make them steps", key=True
            )
        for field in self._raw if len(given) == 1 else ():
            with_ = GOES_WITH.get(field, DOES)
            if given[0] not in with_:
                self._no(field, f"{field!r} does not go with {given[0]!r}; it goes with {', '.join(with_)}", key=True)
            elif field in _NEED_FOR_EACH and step.for_each is None:
                self._no(field, f"{field!r} needs 'for_each' beside it", key=True)

    def _values(self) -> None:
        step = self._step
        for field in _DURATIONS:
            value = getattr(step, field)
            if value is not None and not (field != "remind" and isinstance(value, str) and "${" in value):
                self._checked(field, _seconds, value)
        if step.undo is not None and step.undo.timeout is not None:
            self._checked("undo.timeout", _seconds, step.undo.timeout)
        if step.until is not None and "${" not in step.until:
            self._checked("until", time_ns, step.until)
        if step.workflow is not None and not is_id(step.workflow):
            self._no("workflow", f"{step.workflow[:60]!r} is no name of a workflow")
        for field in DOES:
            if field != "value" and self._raw.get(field, field) in ("", None):
                self._no(field, f"{field!r} is empty; say what is meant", key=True)
        if step.as_ in SCOPE | {"index", "result"}:
            self._no("as", f"{step.as_!r} has a meaning already; choose another name")

    def _checked(self, field: str, check: Callable[[Any], Any], value: Any) -> None:
        try:
            check(value)
        except (Refused, ValueError) as error:
            self._no(field, str(error))

    def _found(self, field: str, more: Collection[str] = ()) -> References:
        return References(self._names, lambda message: self._no(field, message), self._step.id, more)

    @property
    def _argued(self) -> str:
        """The field that its argument stands in."""
        does = self._step.does
        return "params" if does in ("skill", "workflow", "") else does

    def _argument(self, found: References) -> Template:
        value = getattr(self._step, self._argued)
        return self._template(self._argued, None if value is UNSET else value, found)

    def _items(self, found: References) -> Any:
        items = self._step.for_each
        if items is None:
            return None
        if isinstance(items, list):
            return self._template("for_each", items, found)
        return self._parsed("for_each", parse_condition, items, found)

    def _template(self, field: str, value: Any, found: References) -> Template:
        return self._parsed(field, parse_template, value, found) or Template.parse(None)

    def _parsed(self, field: str, parse: Callable[[Any, References], Any], value: Any, found: References) -> Any:
        try:
            return parse(value, found)
        except ExpressionError as error:
            self._no(field, str(error))
            return None


def _seconds(value: str | float) -> float:
    seconds = duration_s(value) if isinstance(value, str) else value
    if not 0 <= seconds < LONGEST_S:
        raise ValueError(f"{value} is not a valid duration: write 0 or more seconds, at most 100 years")
    return seconds
