"""A scripted model for tests of agents, and a cluster that has one."""

import importlib.util
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from clawactors.agents import ChatEndpoint

_PATH = Path(__file__).parents[3] / "examples" / "stub_model.py"
_spec = importlib.util.spec_from_file_location("stub_model", _PATH)
assert _spec is not None
assert _spec.loader is not None
_module: Any = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)

StubModel: Any = _module.StubModel
call: Callable[..., dict[str, Any]] = _module.call


def script(*messages: dict[str, Any] | str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """One message after the other; a text is an answer. The last one is said again and again."""
    left = [each if isinstance(each, dict) else {"content": each} for each in messages]

    def answer(_: dict[str, Any]) -> dict[str, Any]:
        return left.pop(0) if len(left) > 1 else left[0]

    return answer


def calls(*made: dict[str, Any]) -> dict[str, Any]:
    """A message that calls tools."""
    return {"tool_calls": [each | {"id": f"{each['id']}-{number}"} for number, each in enumerate(made)]}


def at(stub: Any, **more: Any) -> ChatEndpoint:
    """The endpoint, which needs no key."""
    return ChatEndpoint(url=stub.url, secret="", **more)


def results(body: dict[str, Any]) -> list[str]:
    """What tools have returned, as a request tells it."""
    return [each["content"] for each in body["messages"] if each["role"] == "tool"]


def steps(rows: Iterable[Any]) -> list[str]:
    """Names of completed steps."""
    return [each.name for each in rows if each.status == "completed"]


__all__ = ["StubModel", "at", "call", "calls", "results", "script", "steps"]
