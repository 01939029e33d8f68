"""Agents: a model that calls tools until it answers, each call a recorded step of a durable task.

In: the name of a model behind an OpenAI-compatible endpoint, tools, a budget. Out: skills (`agent`), tools for them
(`tool`, `web_search`, `fetch_page`, `recall`, `remember`), and bridges to other agent libraries. Never here: how steps,
children and approvals are recorded, which is the node's. The names are imported when they are first used.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clawactors.agents.budget import Budget, Price
    from clawactors.agents.endpoint import ChatEndpoint
    from clawactors.agents.fetching import FetchLimits
    from clawactors.agents.loop import run_agent
    from clawactors.agents.making import agent, plan_of_agent
    from clawactors.agents.memorytools import recall, remember
    from clawactors.agents.tools import Tool, tool
    from clawactors.agents.websearch import fetch_page, web_search

__all__ = [
    "Budget",
    "ChatEndpoint",
    "FetchLimits",
    "Price",
    "Tool",
    "agent",
    "fetch_page",
    "plan_of_agent",
    "recall",
    "remember",
    "run_agent",
    "tool",
    "web_search",
]

_HOMES = {
    "Budget": "budget",
    "FetchLimits": "fetching",
    "ChatEndpoint": "endpoint",
    "Price": "budget",
    "Tool": "tools",
    "agent": "making",
    "fetch_page": "websearch",
    "plan_of_agent": "making",
    "recall": "memorytools",
    "remember": "memorytools",
    "run_agent": "loop",
    "tool": "tools",
    "web_search": "websearch",
}


def __getattr__(name: str) -> Any:
    """The public name, imported now."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return value


def __dir__() -> list[str]:
    """All public names, imported or not."""
    return sorted({*globals(), *__all__})
