"""The plan of a workflow on a node: asked of control once, since a version never changes."""

from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from clawactors.kernel.errors import Refused
from clawactors.runtime.workflows.checks import compile_plan
from clawactors.runtime.workflows.plan import Plan
from clawactors.runtime.workflows.source import DefinitionSource
from clawactors.systems.tasks.payload import is_reference
from clawactors.systems.workflows import Workflow
from clawactors.systems.workflows.kind import WORKFLOWS

if TYPE_CHECKING:
    from clawactors.runtime.node.attempt.attempt import Attempt
    from clawactors.runtime.node.supplies import Supplies

__all__ = ["load_plan", "newest_version"]

_KEPT_MAX: Final = 64

_plans: "Final[WeakKeyDictionary[Supplies, OrderedDict[tuple[str, int], Plan]]]" = WeakKeyDictionary()


async def newest_version(attempt: "Attempt", name: str) -> int:
    """The newest version of the workflow. Raises: `Refused` where there is none of that name."""
    workflow = await _workflow(attempt, name)
    if not workflow.exists:
        raise Refused(f"there is no workflow {name[:100]!r}; claw workflow list shows all, claw workflow add adds one")
    return len(workflow.versions)


async def load_plan(attempt: "Attempt", name: str, version: int) -> Plan:
    """The plan of that version. Raises: `Refused` where there is none, or where this release can't run it."""
    plans = _plans.setdefault(attempt.supplies, OrderedDict())
    if (plan := plans.get((name, version))) is None:
        found = (await _workflow(attempt, name)).find(version)
        if found is None:
            raise Refused(f"workflow {name[:100]!r} has no version {version}")
        definition: Any = found.definition
        if is_reference(definition):
            definition = await attempt.values.load_payload(definition, f"the definition of workflow {name!r}")
        plan = plans[name, version] = compile_plan(DefinitionSource(definition, f"{name} version {version}"))
        if len(plans) > _KEPT_MAX:
            plans.popitem(last=False)
    return plan


async def _workflow(attempt: "Attempt", name: str) -> Workflow:
    snapshots = attempt.context.dispatcher.snapshots
    loaded = await attempt.retry_while_unavailable(lambda: snapshots.load(WORKFLOWS, name, at_least=-1))
    state: Workflow = loaded.snapshot.state
    return state
