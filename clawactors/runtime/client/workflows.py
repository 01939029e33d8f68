"""Workflows, as a client sees them: add, list, get, run, remove."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Unpack

import msgspec
from msgspec.structs import replace

from clawactors.kernel.errors import NotFound, Refused
from clawactors.runtime.client.named import NamedChanges
from clawactors.runtime.client.ref import Ref
from clawactors.runtime.client.rows import Page
from clawactors.runtime.client.workflowrows import WorkflowRow
from clawactors.runtime.workflows.checks import compile_plan
from clawactors.runtime.workflows.plan import Plan
from clawactors.runtime.workflows.source import DefinitionSource, read_source
from clawactors.systems.tasks.options import TaskOptions
from clawactors.systems.tasks.payload import is_reference
from clawactors.systems.tasks.submission import checked_id
from clawactors.systems.workflows import Workflow
from clawactors.systems.workflows import external as x
from clawactors.systems.workflows.decider import NAME_MAX
from clawactors.systems.workflows.definition import definition_of, params_for
from clawactors.systems.workflows.row import row

if TYPE_CHECKING:
    from clawactors.runtime.client.client import ClusterClient

__all__ = ["DiagramFormat", "Given", "Workflows", "checked_workflow_name"]

_SKILL: Final = "workflow"

type DiagramFormat = Literal["mermaid", "svg"]

type Given = Path | str | Mapping[str, Any] | Plan
"""A file, the text of one, what a file would say, or what `Workflows.check` made of one of them."""


def checked_workflow_name(name: str) -> str:
    """The name itself. Raises `Refused`."""
    if len(checked_id(name, "name of a workflow")) > NAME_MAX:
        raise Refused(f"the name of a workflow has at most {NAME_MAX} characters, not {len(name)}")
    return name


class Workflows(NamedChanges[Workflow]):
    """The workflows of a cluster, as its client sees them."""

    def __init__(self, client: "ClusterClient") -> None:
        super().__init__(client, "workflow", Workflow, checked_workflow_name)

    async def add(self, definition: Given) -> WorkflowRow:
        """Adds a workflow, or a new version of it: a file, the text of one, what a file would say, or a checked one.

        The same definition again changes nothing. Skills that no node offers are allowed: see `missing_skills`.
        Raises: `InvalidDefinition` (a `Refused`) with all that is wrong, each with its line and column; `OSError`.
        """
        plan = self.check(definition)
        name = checked_workflow_name(plan.definition.workflow)
        encoded, kept = msgspec.json.encode(plan.written), plan.written
        if len(encoded) > x.DEFINITION_INLINE_MAX_BYTES:
            kept = await self._client.payloads.store_blob(encoded, "the definition")
        known = await self._ask(name, x.AddWorkflowRequest(definition=kept))
        made = msgspec.convert(row(name, known.version, known.state), WorkflowRow)
        return replace(made, definition=plan.written)

    def check(self, definition: Given) -> Plan:
        """What `add` would run; no server is asked. Raises: `InvalidDefinition`, `OSError`."""
        return definition if isinstance(definition, Plan) else compile_plan(_source(definition))

    async def missing_skills(self, definition: Given) -> "list[str]":
        """The skills that it needs and no node offers now. Raises: `InvalidDefinition`, `Unavailable`."""
        offered = {skill.name for skill in await self._client.skills_known(fresh=False)}
        return [name for name in self.check(definition).skills if name not in offered]

    async def list(self, *, fresh: bool = True) -> "list[WorkflowRow]":
        """All workflows, by name; a large definition as a reference. Raises: `Unavailable`."""
        return list(await self._client.views.answer(Page[WorkflowRow], "workflows", fresh=fresh))

    async def get(self, name: str, version: int | None = None) -> WorkflowRow:
        """One workflow with the definition of that version, by default of the newest, also if it was removed.

        Raises: `NotFound`, `Unavailable`.
        """
        known = await self._client.state("workflow", checked_workflow_name(name), Workflow)
        if not known.state.versions or (version is None and not known.state.exists):
            raise NotFound(f"there is no workflow {name!r}")
        if (found := known.state.find(version)) is None:
            raise NotFound(f"workflow {name!r} has no version {version}; its newest is {len(known.state.versions)}")
        definition = found.definition
        if is_reference(definition):
            definition = await self._client.payloads.load_payload(definition)
        made = msgspec.convert(row(name, known.version, known.state), WorkflowRow)
        return replace(made, definition=definition, by=found.by or None)

    async def check_params(
        self, name: str, params: Mapping[str, Any] | None = None, version: int | None = None
    ) -> None:
        """Raises what `submit` would: `NotFound`, `Refused` (parameters that don't fit), `Unavailable`."""
        await self._asked(name, params, version)

    async def submit(
        self,
        name: str,
        params: Mapping[str, Any] | None = None,
        /,
        *,
        version: int | None = None,
        id: str | None = None,
        key: str | None = None,
        **options: Unpack[TaskOptions],
    ) -> Ref:
        """Submits an instance: a task of the skill `workflow`, which keeps the version, by default the newest.

        Raises: `NotFound`, `Refused` (parameters that don't fit), as `Client.submit`.
        """
        asked, own = await self._asked(name, params, version)
        own.update(options)
        return await self._client.submit(_SKILL, asked, id=id, key=key, **own)

    async def run(
        self,
        name: str,
        params: Mapping[str, Any] | None = None,
        /,
        *,
        version: int | None = None,
        id: str | None = None,
        key: str | None = None,
        wait_s: float | None = None,
        **options: Unpack[TaskOptions],
    ) -> Any:
        """Submits an instance and returns its result. Raises: as `submit`, and as `Client.run`."""
        asked, own = await self._asked(name, params, version)
        own.update(options)
        return await self._client.run(_SKILL, asked, id=id, key=key, wait_s=wait_s, **own)

    async def _asked(
        self, name: str, params: Mapping[str, Any] | None, version: int | None
    ) -> tuple[dict[str, Any], TaskOptions]:
        found = await self.get(name, version)
        number = found.latest if version is None else version
        params_for(definition_of(found.definition), params or {})
        asked = {"workflow": name, "version": number, "params": dict(params or {})}
        return asked, {"name": f"{name} v{number}", "type": "workflow"}

    async def diagram(
        self, name: str, version: int | None = None, *, format: DiagramFormat = "mermaid", task: str = ""
    ) -> str:
        """A picture of the workflow, as text; with `task`, an instance, its steps have their states.

        Raises: `NotFound`, `Unavailable`.
        """
        from clawactors.runtime.workflows.diagram import mermaid, states_of
        from clawactors.runtime.workflows.svg import svg

        row = await self.get(name, version)
        plan = compile_plan(DefinitionSource(row.definition, row.name))
        states: dict[str, str] = {}
        if task:
            tree = await self._client.task_tree(task)
            states = states_of({each.name: each.status for each in tree.rows if each.level == 1})
        return svg(plan, states) if format == "svg" else mermaid(plan, states)

    async def remove(self, name: str) -> WorkflowRow:
        """Removes the workflow; instances go on, and its versions stay readable. Raises: `NotFound`."""
        known = await self._change(name, x.RemoveWorkflowRequest())
        return msgspec.convert(row(name, known.version, known.state), WorkflowRow)


def _source(definition: Path | str | Mapping[str, Any]) -> DefinitionSource:
    if isinstance(definition, Path):
        return read_source(definition.read_bytes(), str(definition))
    return read_source(definition) if isinstance(definition, str) else DefinitionSource(dict(definition), "definition")
