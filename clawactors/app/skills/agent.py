"""`agent`: runs an agent that is described by its parameters."""

import os
from collections.abc import Mapping
from typing import Any, Final

from clawactors.agents.failures import ENDS
from clawactors.runtime.node.context import TaskContext
from clawactors.systems.skills import Skill, skill
from clawactors.systems.tasks.failures import ErrorRule

__all__ = ["agent_skill"]

RISKY: Final = ("shell", "python", "install-package", "migrate-table", "workflow", "agent")
"""People are asked before these are called, unless `approve` says otherwise."""
_URL: Final = "OPENAI_BASE_URL"


def agent_skill(known: Mapping[str, Skill]) -> Skill:
    """The skill; of `known` skills, by name, models see the parameters."""

    @skill(
        "agent",
        secrets=("openai",),
        errors=[ErrorRule(kind=kind, exception=name, strategy="give_up") for name, kind in ENDS.items()],
    )
    async def run(
        task: TaskContext,
        prompt: str,
        model: str,
        instructions: str = "",
        tools: list[str] | None = None,
        approve: list[str] | None = None,
        memory: int = 0,
        turns: int = 20,
        tokens: int | None = None,
        cost: float | None = None,
        seconds: float | None = None,
        schema: dict[str, Any] | None = None,
    ) -> Any:
        """Runs an agent: `tools` names skills, `schema` the JSON that it answers with; see docs/agents.md.

        The endpoint is that of the node, in its environment as `OPENAI_BASE_URL`, so that no task can have its key sent
        elsewhere.
        """
        from clawactors.agents import Budget, ChatEndpoint, plan_of_agent, run_agent, tool

        risky = RISKY if approve is None else approve
        plan = plan_of_agent(
            "agent",
            model=model,
            tools=[tool(known.get(name, name), approve=name in risky) for name in tools or ()],
            instructions=instructions,
            memory=memory,
            budget=Budget(turns=turns, tokens=tokens, cost=cost, seconds=seconds),
            schema=schema,
            endpoint=ChatEndpoint(url=os.environ[_URL]) if os.environ.get(_URL) else None,
        )
        return await run_agent(task, plan, prompt)

    return run
