"""Whatever a model writes into the arguments: an answer or a reason, never a fault of the server."""

import random
from typing import Any

import pytest

from clawactors.app.mcp.catalogue import ALL_TOOLS
from clawactors.app.mcp.options import GROUPS
from clawactors.app.skills.simple import echo
from tests.app.mcp.connecting import bench, said

NEEDS_MORE = {"doctor", "archive_tasks", "erase", "plan_backups", "compact"}
"""What only a real cluster answers; the past is built by a process of one as well."""
TEXTS = (
    *("", "x", "nope", "a b", "../..", "\x00", "💥💥", "é" * 5000, "null", "0", "1", "*", "[", "{", "${x}", "\u202e"),
    *("2026-13-45", "2026-05-01T09:00:00Z", "-1h", "5s", "99999999d", "' OR 1=1"),
)
VALUES: tuple[Any, ...] = (
    *TEXTS,
    *(0, -1, 1e308, 1e18, 2**70, True, None, [], ["x"], [1], [[]], {}, {"a": 1}, {"a": {"b": [None]}}, ["nope"] * 50),
)
OF_TYPE = {"string": str, "integer": int, "number": float, "boolean": bool, "array": list, "object": dict}


def arguments(schema: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, each in schema["properties"].items():
        if name not in schema.get("required", ()) and chance.random() < 0.7:
            continue
        fitting = [value for value in VALUES if type(value) is OF_TYPE.get(each.get("type"))]
        choices = [each.get("enum"), fitting, VALUES]
        made[name] = chance.choice(chance.choice([some for some in choices if some]))
    return made | ({"wait": "0.01"} if "wait" in made else {}) | ({"timeout": "0.1s"} if "timeout" in made else {})


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(4))
async def test_arguments_of_any_kind_are_answered(seed: int) -> None:
    chance = random.Random(seed)
    tools = [tool for tool in ALL_TOOLS if tool.name not in NEEDS_MORE and tool.group != "past"]
    async with bench([echo], groups=tuple(GROUPS), allow_destructive=True) as at, at.connect() as agent:
        await at.person.submit("nobody", id="x")
        for _ in range(600):
            tool = chance.choice(tools)
            given = arguments(tool.input_schema, chance)
            answer = await agent.call_tool(tool.name, given)
            told = said(answer)
            assert not (answer.is_error and told.startswith(("internal", "corrupt"))), (tool.name, given, told)
            assert "Traceback" not in told
            assert len(told) < 250_000
