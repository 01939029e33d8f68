"""The snippets of `docs/agents.md` run, and its tables name what there is."""

import inspect
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from clawactors.agents import Budget, agent
from clawactors.testing import Cluster
from tests.clawactors.agents.model import StubModel, call, calls, results, script

PAGE = (Path(__file__).parents[3] / "docs" / "agents.md").read_text("utf-8")
FILES = dict(re.findall(r"```python\n# (\w+)\.py\n(.*?)```", PAGE, re.DOTALL))


def module(name: str, source: str) -> Any:
    made = sys.modules[f"agents_page_{name}"] = ModuleType(f"agents_page_{name}")
    exec(compile(source, f"{name}.py", "exec"), vars(made))  # noqa: S102 - our own page
    return made


def rows(heading: str) -> list[str]:
    table = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)


def test_each_snippet_is_run() -> None:
    assert [*FILES] == ["support", "search", "others"]


def test_the_tables_name_all_options() -> None:
    assert rows("Options of `agent`") == [*inspect.signature(agent).parameters]
    assert rows("Budgets") == [*Budget.__struct_fields__]


async def test_the_first_agent_asks_for_a_refund() -> None:
    pytest.importorskip("httpx")
    order = calls(call("find_order", number="A-17"), call("ship-again", number="A-17"))
    async with StubModel(script(order, calls(call("refund", number="A-17", cents=1200)), "Refunded.")) as stub:
        where = f'model="gpt-5-mini", endpoint=ChatEndpoint(url="{stub.url}", secret=""),'
        source = FILES["support"].replace('model="gpt-5-mini",', where).replace("Budget,", "Budget, ChatEndpoint,")
        made = module("support", source)
        async with Cluster([made.support, made.ship_again]) as cluster:
            ref = await cluster.client.submit("support", {"prompt": "Where is A-17?"})
            await cluster.settle()
            await cluster.client.approve(ref.id)
            assert await ref.result() == "Refunded."
    assert "shipped a-17" in results(stub.requests[1])[1]
    assert "refunded 1200" in results(stub.requests[2])[2]


def test_the_agent_that_searches_is_a_skill() -> None:
    made = module("search", FILES["search"])
    assert made.researcher.secrets == ("openai",)


async def test_an_agent_of_another_library_answers() -> None:
    pytest.importorskip("pydantic_ai")
    made = module("others", FILES["others"])
    async with Cluster([made.ask_pydantic]) as cluster:
        assert await cluster.client.run("ask-pydantic", {"prompt": "Go"}) == "an answer"
