"""Workflows of five steps, each a child, beside the same children run by code."""

import time
from typing import Any, Final

from clawactors.app.bench.figures import Figure, percentile
from clawactors.app.bench.scene import Scene
from clawactors.app.bench.skills import chain, noop
from clawactors.app.bench.tasks import run_all
from clawactors.app.skills.workflow import workflow_skill

__all__ = ["workflow_rate"]

_STEPS: Final = 5
_ROUNDS: Final = 3
_NAME: Final = "bench-chain"


def _definition() -> dict[str, Any]:
    steps = [{"id": f"s{n}", "skill": noop.name, **({"after": [f"s{n - 1}"]} if n else {})} for n in range(_STEPS)]
    return {"workflow": _NAME, "steps": steps, "result": _STEPS}


async def workflow_rate(scene: Scene, n: int | None) -> Figure:
    """Instances of the workflow, submitted as one batch, until all are completed; the limit is the same in code."""
    n, client = n or 500, scene.client
    await client.workflows.add(_definition())
    params = {"workflow": _NAME, "version": 1}
    client.skills.add([chain.offer, workflow_skill.offer])
    took_s: dict[str, list[float]] = {"definition": [], "code": []}
    for number in range(_ROUNDS + 1):
        for kind in took_s if number % 2 else reversed(took_s):  # what comes second finds another log
            begin = time.perf_counter()
            skill, given = (workflow_skill, params) if kind == "definition" else (chain, {})
            await run_all(client, skill, given, n)
            took_s[kind].append(time.perf_counter() - begin)
    by_definition, in_code = (percentile(took[1:], 0.5) for took in took_s.values())  # the first one warms up
    return Figure(
        name="workflows",
        n=n,
        per_s=n / by_definition,
        limit_per_s=n / in_code,
        conditions=scene.conditions(steps=_STEPS, skill="no-op", rounds=_ROUNDS, limit="the same children in code"),
    )
