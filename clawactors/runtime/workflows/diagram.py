"""A definition drawn as text: Mermaid."""

from collections.abc import Iterator, Mapping

from clawactors.runtime.workflows.plan import Plan
from clawactors.systems.workflows.definition import WorkflowStep

__all__ = ["edges", "lines_of", "mermaid", "states_of"]

_SHAPES = {"signal": ("([", "])"), "sleep": ("([", "])"), "until": ("([", "])"), "approve": ("{{", "}}")}
_COLOURS = {
    "completed": "fill:#d7f0dd,stroke:#2e7d32",
    "running": "fill:#dbe9fb,stroke:#1565c0",
    "failed": "fill:#fbdcdc,stroke:#c62828",
}
_WIDTH = 44


def mermaid(plan: Plan, states: Mapping[str, str] | None = None) -> str:
    """A flowchart in Mermaid's language; `states` by step colour it."""
    numbers = {name: f"s{number}" for number, name in enumerate(plan.steps)}
    lines = ["flowchart TD"]
    for name, each in plan.steps.items():
        opened, closed = _SHAPES.get(each.step.does, ("[", "]"))
        text = "<br/>".join(map(_escaped, lines_of(each.step)))
        lines.append(f'    {numbers[name]}{opened}"{text}"{closed}')
    lines += [f"    {numbers[before]} --> {numbers[after]}" for before, after in edges(plan)]
    for state, colours in _COLOURS.items():
        if having := [numbers[name] for name, its in (states or {}).items() if its == state and name in numbers]:
            lines += [f"    classDef {state} {colours}", f"    class {','.join(having)} {state}"]
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    """As text within quotes: Mermaid reads entities with `#` in place of `&`."""
    return "".join(each if each.isalnum() or each in " _-.,:()[]/=+*'!?" else f"#{ord(each)};" for each in text)


def lines_of(step: WorkflowStep) -> list[str]:
    """What a box of the diagram says: the step, what it does, when, and for what."""
    what = {
        "skill": step.skill,
        "workflow": f"workflow {step.workflow}",
        "sleep": f"sleep {step.sleep}",
        "until": f"until {step.until}",
        "signal": f"signal {step.signal}",
        "approve": f"approve: {step.approve}",
        "value": "value",
    }.get(step.does)
    lines = [step.id] if what in (step.id, None) else [step.id, str(what)]
    if step.if_ != "":
        lines.append(f"if {step.if_}")
    if step.for_each is not None:
        items = step.for_each if isinstance(step.for_each, str) else f"{len(step.for_each)} elements"
        lines.append(f"for each {step.as_} in {items}")
    if step.undo is not None:
        lines.append(f"undo: {step.undo.skill}")
    return [line if len(line) <= _WIDTH else f"{line[: _WIDTH - 1]}…" for line in map(_one_line, lines)]


def _one_line(text: str) -> str:
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


def edges(plan: Plan) -> Iterator[tuple[str, str]]:
    """Which step comes before which, without those that follow from others where the workflow is small."""
    needs = {name: each.needs for name, each in plan.steps.items()}
    small = len(needs) <= 300
    before = _all_before(needs) if small else {}
    for name, wanted in needs.items():
        for each in wanted:
            if not (small and any(each in before[other] for other in wanted if other != each)):
                yield each, name


def _all_before(needs: Mapping[str, tuple[str, ...]]) -> dict[str, set[str]]:
    """All steps that come before each step, near or far."""
    before: dict[str, set[str]] = {}
    waiting = list(needs)
    while waiting:
        name = waiting[-1]
        if name in before:
            waiting.pop()
        elif todo := [each for each in needs[name] if each not in before]:
            waiting += todo
        else:
            before[name] = set(needs[name]).union(*(before[each] for each in needs[name]))
            waiting.pop()
    return before


def states_of(children: Mapping[str, str]) -> dict[str, str]:
    """The states of steps by those of the children of an instance, each named `fetch` or `fetch[3]`."""
    found: dict[str, set[str]] = {}
    for name, status in children.items():
        found.setdefault(name.partition("[")[0], set()).add(status)
    return {step: _state(statuses) for step, statuses in found.items()}


def _state(statuses: set[str]) -> str:
    if statuses == {"completed"}:
        return "completed"
    return "failed" if statuses & {"failed", "dead", "cancelled"} else "running"
