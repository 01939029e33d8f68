"""Agents: a model that calls tools until it answers, each call a recorded step of a durable task.

In: the name of a model behind an OpenAI-compatible endpoint, tools, a budget. Out: skills (`agent`), tools for them
(`tool`, `web_search`, `fetch_page`, `recall`, `remember`), and bridges to other agent libraries. Never here: how steps,
children and approvals are recorded, which is the node's.
"""

from clawactors.agents.agent import agent
from clawactors.agents.budget import Budget, Price
from clawactors.agents.endpoint import ModelEndpoint
from clawactors.agents.fetching import FetchLimits
from clawactors.agents.memorytools import recall, remember
from clawactors.agents.tools import Tool, tool
from clawactors.agents.websearch import fetch_page, web_search

__all__ = [
    "Budget",
    "FetchLimits",
    "ModelEndpoint",
    "Price",
    "Tool",
    "agent",
    "fetch_page",
    "recall",
    "remember",
    "tool",
    "web_search",
]
