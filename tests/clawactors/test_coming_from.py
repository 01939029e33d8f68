"""Our half of the examples of `docs/coming-from.md` runs, and every call that the page names is there."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from clawactors import Client, Ref, SyncTask, Task, skill
from clawactors.agents import plan_of_agent, run_agent
from clawactors.runtime.client.schedules import Schedules
from clawactors.runtime.client.triggers import Triggers
from clawactors.testing import Cluster
from tests.clawactors.agents.model import StubModel, at, call, calls, results, script

PAGE = (Path(__file__).parents[2] / "docs" / "coming-from.md").read_text("utf-8")
FILES = dict(re.findall(r"```python\n# (\w+)\.py\n(.*?)```", PAGE, re.DOTALL))
OWNERS: dict[str, type] = {
    "task": Task,
    "claw": Client,
    "ref": Ref,
    "claw.schedules": Schedules,
    "claw.triggers": Triggers,
}
NAMED = sorted(set(re.findall(r"(?<![\w.])(task|claw\.schedules|claw\.triggers|claw|ref)\.(\w+)", PAGE)))


@pytest.fixture
def example(request: pytest.FixtureRequest) -> Iterator[Any]:
    """The block of the page that the test names, as a module."""
    name = request.param
    module = ModuleType(f"coming_from_{name}")
    sys.modules[module.__name__] = module
    exec(compile(FILES[name], f"{name}.py", "exec"), vars(module))  # noqa: S102 - our own page
    yield module
    del sys.modules[module.__name__]


def test_each_section_has_an_example() -> None:
    assert list(FILES) == ["order", "index", "album", "forecast"]


@pytest.mark.parametrize("example", ["order"], indirect=True)
async def test_an_order_waits_for_its_payment(example: Any) -> None:
    async with Cluster([example.order]) as cluster:
        ref = await cluster.client.submit("order", {"item": "a book"})
        await cluster.sleep("3d")
        assert (await cluster.client.task(ref.id)).status == "waiting"
        await ref.signal("payment")
        assert await ref.result() == "a book is on its way"


@pytest.mark.parametrize("example", ["index"], indirect=True)
async def test_words_are_counted_by_children(example: Any) -> None:
    async with Cluster([example.index, example.count_words]) as cluster:
        assert await cluster.client.run("index", {"urls": ["one two", "three"]}) == 3


@pytest.mark.parametrize("example", ["album"], indirect=True)
async def test_an_album_has_its_pictures_in_order(example: Any) -> None:
    async with Cluster([example.album, example.resize]) as cluster:
        ref = await cluster.client.submit(example.album.call(["sea", "hill"]), delay_s=60)
        assert await ref.result() == ["small sea", "small hill"]


@pytest.mark.parametrize("example", ["forecast"], indirect=True)
async def test_a_forecast_calls_its_tool(example: Any) -> None:
    pytest.importorskip("httpx")
    async with StubModel(script(calls(call("weather", city="Oslo")), "Yes.")) as stub:
        plan = plan_of_agent("forecast", model="m", tools=[example.weather], endpoint=at(stub))

        @skill("forecast")
        async def forecast(task: Task, prompt: str) -> str:
            return str(await run_agent(task, plan, prompt))

        async with Cluster([forecast]) as cluster:
            assert await cluster.client.run("forecast", {"prompt": "Is it raining?"}) == "Yes."
    assert "rain in Oslo" in results(stub.requests[1])[0]
    assert example.forecast.offer.name == "forecast"


@pytest.mark.parametrize(("owner", "name"), NAMED)
def test_a_call_that_the_page_names_is_there(owner: str, name: str) -> None:
    assert hasattr(OWNERS[owner], name)
    if owner == "task":
        assert hasattr(SyncTask, name)
