"""`agent(…)`: a model with tools, instructions and a budget, as a skill like any other."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from clawactors.agents.answers import AnswerType
from clawactors.agents.budget import Budget, Price
from clawactors.agents.endpoint import ChatEndpoint
from clawactors.agents.failures import ENDS
from clawactors.agents.loop import AgentPlan, run_agent
from clawactors.agents.tools import Tool, as_tools
from clawactors.runtime.node.context import TaskContext
from clawactors.systems.skills import Skill, skill
from clawactors.systems.tasks.failures import ErrorRule
from clawactors.systems.tasks.retry import Retry

__all__ = ["agent", "plan_of_agent"]

_MEMORY_TOKENS: Final = 1500
"""What `memory=True` means."""


def plan_of_agent(
    name: str,
    *,
    model: str,
    tools: Iterable[Any] = (),
    instructions: str = "",
    memory: bool | int = 0,
    budget: Budget | None = None,
    price: Price | None = None,
    result: Any = None,
    schema: dict[str, Any] | None = None,
    endpoint: ChatEndpoint | str | None = None,
    context: int = 100_000,
    retry: Retry | None = None,
) -> AgentPlan:
    """What `run_agent` runs; options as of `agent`. Raises: `ValueError`, `TypeError`."""
    if not model:
        raise ValueError("an agent needs the name of a model")
    if context < 1 or memory < 0:
        raise ValueError("context is 1 token or more, and memory 0 or more")
    where = ChatEndpoint(url=endpoint) if isinstance(endpoint, str) else endpoint or ChatEndpoint()
    more = {} if retry is None else {"retry": retry}
    return AgentPlan(
        name=name,
        model=model,
        endpoint=where,
        tools=as_tools(tools),
        answer=AnswerType(result, schema),
        instructions=instructions,
        memory=_MEMORY_TOKENS if memory is True else int(memory),
        context=context,
        budget=budget or Budget(),
        price=price,
        **more,
    )


def agent(
    name: str,
    *,
    model: str,
    tools: Iterable[Tool | Any] = (),
    instructions: str = "",
    description: str = "",
    memory: bool | int = 0,
    budget: Budget | None = None,
    price: Price | None = None,
    result: Any = None,
    endpoint: ChatEndpoint | str | None = None,
    context: int = 100_000,
    retry: Retry | None = None,
    secrets: Iterable[str] = (),
    options: Mapping[str, Any] | None = None,
) -> Skill:
    """An agent as a skill of that name, which takes a `prompt` and returns the answer.

    `tools` are functions, skills, names of skills, and what `tool` makes of them. `memory` is how many tokens of what
    memory holds on the prompt the model gets, True for 1500. `result` is the type of the answer: a dataclass, a struct,
    a pydantic model or any other; text without one. `context` is how many tokens a request may have. `retry` is for
    calls of the model, `secrets` for functions that need some, `options` are those of `@skill`.
    Raises: `ValueError`, `TypeError` for what does not fit.
    """
    plan = plan_of_agent(
        name,
        model=model,
        tools=tools,
        instructions=instructions,
        memory=memory,
        budget=budget,
        price=price,
        result=result,
        endpoint=endpoint,
        context=context,
        retry=retry,
    )
    needed = dict.fromkeys([*([plan.endpoint.secret] if plan.endpoint.secret else []), *secrets])
    given = dict(options or {})
    ends = (ErrorRule(kind=kind, exception=error, strategy="give_up") for error, kind in ENDS.items())
    rules = (*given.pop("errors", ()), *ends)

    async def run(task: TaskContext, prompt: str) -> Any:
        return await run_agent(task, plan, prompt)

    run.__name__ = run.__qualname__ = name
    run.__doc__ = description or f"Asks {model}, with {len(plan.tools)} tools."
    run.__annotations__["return"] = str if result is None else result
    return skill(name, secrets=needed, errors=rules, **given)(run)
