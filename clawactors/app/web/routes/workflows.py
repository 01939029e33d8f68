"""Workflows: steps as data, `/api/v1/workflows`."""

from typing import Annotated, Any, Literal

import msgspec
from litestar import Controller, Response, delete, get, post
from litestar.params import FromQuery, JSONBody, QueryParameter

from clawactors.app.web.answers import submitted, versioned
from clawactors.app.web.parameters import Claw, IfNoneMatch, InPath, Key, Number, Prefer, check_user, wait_of
from clawactors.app.web.waiting import row_when_ended
from clawactors.runtime.client.rows import Page, TaskRow
from clawactors.runtime.client.workflowrows import WorkflowRow

__all__ = ["WorkflowRoutes"]


class DefinitionBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A definition: what a file would say, or the text of a YAML, TOML or JSON file."""

    definition: dict[str, Any] | str


class RunBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Parameters of an instance, and options of its task."""

    params: dict[str, Any] = {}
    version: int | None = None
    id: str | None = None
    key: str | None = None
    user: str | None = None
    priority: str | int | None = None
    tags: list[str] | None = None


class ParamsBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters to be checked."""

    params: dict[str, Any] = {}
    version: int | None = None


class CheckedDefinition(msgspec.Struct, frozen=True):
    """What would run, and the skills that it needs and no node offers."""

    name: str
    steps: int
    skills: tuple[str, ...]
    missing_skills: tuple[str, ...]


class Diagram(msgspec.Struct, frozen=True):
    """A picture, as text."""

    diagram: str


class WorkflowRoutes(Controller):
    """Workflows and their instances."""

    path = "/workflows"
    tags = ["workflows"]  # noqa: RUF012 # as litestar declares it

    @get(operation_id="workflows.list")
    async def workflows(self, claw: Claw) -> Page[WorkflowRow]:
        """All workflows, by name."""
        return Page(tuple(await claw.workflows.list()))

    @get("/{name:str}", operation_id="workflows.get")
    async def workflow(
        self, claw: Claw, name: InPath, version: Number = None, if_none_match: IfNoneMatch = ""
    ) -> Response[WorkflowRow]:
        """One workflow with the definition of that version, by default of the newest."""
        return versioned(await claw.workflows.get(name, version), if_none_match)

    @get("/{name:str}/diagram", operation_id="workflows.diagram")
    async def diagram(
        self,
        claw: Claw,
        name: InPath,
        version: Number = None,
        format: FromQuery[Literal["mermaid", "svg"]] = "mermaid",
        task: Annotated[str, QueryParameter(description="an instance, whose steps show their states")] = "",
    ) -> Diagram:
        """A picture of the workflow, as text."""
        return Diagram(await claw.workflows.diagram(name, version, format=format, task=task))

    @post(operation_id="workflows.add", status_code=200)
    async def add(self, claw: Claw, data: JSONBody[DefinitionBody]) -> Response[WorkflowRow]:
        """Adds a workflow, or a new version of it; the same definition again changes nothing."""
        return versioned(await claw.workflows.add(data.definition))

    @post("/{name:str}/run", operation_id="workflows.submit", status_code=201)
    async def run(
        self, claw: Claw, name: InPath, data: JSONBody[RunBody], idempotency_key: Key = "", prefer: Prefer = ""
    ) -> Response[TaskRow]:
        """Submits an instance; answers with the row of its task."""
        check_user(claw, data.user)
        asked = {"user": data.user, "priority": data.priority, "tags": data.tags}
        options: dict[str, Any] = {option: value for option, value in asked.items() if value is not None}
        key = data.key if data.key is not None or not idempotency_key else idempotency_key
        ref = await claw.workflows.submit(name, data.params, version=data.version, id=data.id, key=key, **options)
        wait_s = wait_of(prefer)
        return submitted(await (claw.task(ref.id) if wait_s is None else row_when_ended(claw, ref.id, wait_s)))

    @post("/{name:str}/check", operation_id="workflows.check_params", status_code=204)
    async def check_params(self, claw: Claw, name: InPath, data: JSONBody[ParamsBody]) -> None:
        """204 where an instance could be made with these parameters; else the reason (409)."""
        await claw.workflows.check_params(name, data.params, data.version)

    @delete("/{name:str}", operation_id="workflows.remove", status_code=200)
    async def remove(self, claw: Claw, name: InPath) -> Response[WorkflowRow]:
        """Removes the workflow; instances go on, and its versions stay readable."""
        return versioned(await claw.workflows.remove(name))


class DefinitionRoutes(Controller):
    """Definitions that are not added."""

    path = "/definitions"
    tags = ["workflows"]  # noqa: RUF012 # as litestar declares it

    @post("/check", operation_id="workflows.check", status_code=200)
    async def check(self, claw: Claw, data: JSONBody[DefinitionBody]) -> CheckedDefinition:
        """What would run, or all that is wrong with it (409)."""
        plan = claw.workflows.check(data.definition)
        missing = await claw.workflows.missing_skills(plan)
        return CheckedDefinition(plan.definition.workflow, len(plan.steps), tuple(plan.skills), tuple(missing))
