"""A definition that was checked, made ready to run: which step needs which, and parsed expressions."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from clawactors.runtime.expressions import Expression, Template
from clawactors.systems.workflows.definition import Definition, WorkflowStep

__all__ = ["SETTINGS", "Plan", "PlannedStep", "cycle_in"]

SETTINGS: Final = ("timeout", "by", "requires", "affinity")
"""Fields whose strings may hold expressions, besides those that say what the step does."""


class PlannedStep(msgspec.Struct, frozen=True, kw_only=True):
    """A step with its parsed expressions. `needs` are the steps that come first, `reads` those that it refers to.

    `argument` is what it does with: the parameters of a task, or what the field in `WorkflowStep.does` says.
    `settings` are the fields of the step in `SETTINGS`, those that are given.
    """

    step: WorkflowStep
    needs: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    argument: Template
    condition: Expression | None = None
    items: Expression | Template | None = None
    undo_params: Template | None = None
    settings: Template


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A definition that can be run; `steps` by id, in the order of the file. `written` is the JSON of it."""

    written: dict[str, Any]
    definition: Definition
    steps: dict[str, PlannedStep]
    result: Template
    result_reads: tuple[str, ...] = ()

    @property
    def skills(self) -> list[str]:
        """The skills that it needs, each once."""
        names = (name for each in self.definition.steps for name in (each.skill, each.undo and each.undo.skill))
        return list(dict.fromkeys(name for name in names if name))


def cycle_in(needs: Mapping[str, Sequence[str]]) -> list[str]:
    """Steps that wait for each other, the first one again at the end; none where there is no such cycle."""
    open_ = {name: [each for each in wanted if each in needs and each != name] for name, wanted in needs.items()}
    left = {name: len(wanted) for name, wanted in open_.items()}
    followers: dict[str, list[str]] = {}
    for name, wanted in open_.items():
        for each in wanted:
            followers.setdefault(each, []).append(name)
    ready = [name for name, count in left.items() if not count]
    while ready:
        name = ready.pop()
        del left[name]
        for follower in followers.get(name, ()):
            left[follower] -= 1
            if not left[follower]:
                ready.append(follower)
    if not left:
        return []
    walk = [next(iter(left))]
    while (before := next(_within(open_[walk[-1]], left))) not in walk:
        walk.append(before)
    cycle = [*reversed(walk[walk.index(before) :])]
    first = cycle.index(next(name for name in needs if name in cycle))
    return [*cycle[first:], *cycle[:first], cycle[first]]


def _within(names: Sequence[str], left: Mapping[str, int]) -> Iterator[str]:
    return (name for name in names if name in left)
