"""Prints workflows: one with its steps, many as a table."""

from collections.abc import Iterable, Iterator

from clawactors.app.cli.output import Facts, Part, Table, short, when
from clawactors.kernel.errors import Refused
from clawactors.runtime.client.workflowrows import WorkflowRow
from clawactors.runtime.workflows.checks import compile_plan
from clawactors.runtime.workflows.diagram import lines_of
from clawactors.runtime.workflows.plan import Plan
from clawactors.runtime.workflows.source import DefinitionSource

__all__ = ["plan_card", "workflow_card", "workflow_table"]


def workflow_card(row: WorkflowRow, plan: Plan | None = None) -> Iterator[Part]:
    """All fields of a workflow that are set, and its steps; `plan` is that of its definition, where it is known."""
    yield Facts(
        [
            ("name", row.name),
            ("status", row.status),
            ("latest version", row.latest),
            ("description", row.definition.get("description")),
            ("params", short(row.definition["params"]) if row.definition.get("params") else None),
            ("by", row.by),
            ("added", when(row.added_at)),
            ("updated", when(row.updated_at)),
        ]
    )
    if "steps" in row.definition:
        try:
            yield _steps(plan or compile_plan(DefinitionSource(row.definition, row.name)))
        except Refused as error:
            yield str(error)


def plan_card(plan: Plan, file: str) -> Iterator[Part]:
    """What a file holds."""
    yield f"{file} is all right: workflow {plan.definition.workflow} with {len(plan.steps)} steps"
    yield _steps(plan)


def _steps(plan: Plan) -> Table:
    return Table(
        ("STEP", "DOES", "AFTER"),
        (
            (name, "; ".join(lines_of(each.step)[1:]) or f"skill {name}", ", ".join(each.needs))
            for name, each in plan.steps.items()
        ),
        uncut=("STEP",),
    )


def workflow_table(rows: Iterable[WorkflowRow]) -> Iterator[Part]:
    """One line per workflow."""
    yield Table(
        ("NAME", "LATEST", "UPDATED", "BY"),
        ((row.name, row.latest, when(row.updated_at), row.by) for row in rows),
        uncut=("NAME",),
    )
