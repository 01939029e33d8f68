"""A skill at hand gives its tasks the types that it is annotated with."""

import asyncio
import re
import sys
import types
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from clawactors import Refused, skill
from clawactors import Task as Handle
from tests.architecture.source import ROOT
from tests.clawactors.runtime.cluster import Cluster


@dataclass
class Page:
    url: str
    sizes: tuple[int, ...]


@skill("fetch")
async def fetch(task: Handle, url: str, depth: int = 1, **more: Any) -> Page:
    return Page(url, (depth, *more.values()))


@skill("lies")
async def lies(task: Handle) -> Page:
    return {"url": 5}  # type: ignore[return-value]


async def test_a_task_of_a_skill_at_hand_returns_what_the_skill_is_annotated_with() -> None:
    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [fetch, lies])
        client = cluster.client()
        assert await client.run(fetch.call("x", depth=2, third=3), wait_s=10) == Page("x", (2, 3))
        assert await client.run(fetch, {"url": "y"}, wait_s=10) == Page("y", (1,))
        ref = await client.submit(fetch.call("z"), id="t")
        assert await ref.result(10) == Page("z", (1,))
        assert await client.run("fetch", {"url": "z"}, wait_s=10) == {"url": "z", "sizes": [1]}
        with pytest.raises(Refused, match="has a result that is no Page"):
            await client.run(lies.call(), wait_s=10)
        with pytest.raises(TypeError, match="takes the parameters in the call"):
            await client.run(fetch.call("x"), {"url": "x"})  # type: ignore[call-overload]
        with pytest.raises(TypeError, match="url"):
            fetch.call()  # type: ignore[call-arg]


async def test_the_snippet_on_values_of_the_page_on_tasks_does_what_it_says() -> None:
    page = (ROOT / "docs" / "tasks.md").read_text("utf-8")
    [source] = [part for part in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if part.startswith("# values.py")]
    module = types.ModuleType("values_of_the_page")
    sys.modules[module.__name__] = module  # a dataclass looks for its module
    try:
        exec(compile(source, "values.py", "exec"), vars(module))  # noqa: S102
        async with Cluster() as cluster:
            await cluster.control()
            await cluster.node("n1", [module.remind])
            async with asyncio.timeout(10):
                bill = await module.use(cluster.client())
        assert bill == module.Bill(datetime(2026, 5, 1), Decimal("19.00"), ("cake",))  # noqa: DTZ001
    finally:
        del sys.modules[module.__name__]
