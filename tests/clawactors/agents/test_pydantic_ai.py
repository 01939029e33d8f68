"""Agents of pydantic-ai run durably; their own test models stand for a model."""

import asyncio
from typing import Any

import pytest

from clawactors import Task, skill
from clawactors.testing import Cluster

library = pytest.importorskip("pydantic_ai")

from pydantic import BaseModel  # noqa: E402
from pydantic_ai import Agent, ModelRetry  # noqa: E402
from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart  # noqa: E402
from pydantic_ai.models.function import FunctionModel  # noqa: E402
from pydantic_ai.models.test import TestModel  # noqa: E402

from clawactors.agents.pydantic_ai import run  # noqa: E402


async def test_requests_and_tools_are_steps() -> None:
    agent = Agent(TestModel(), instructions="Be brief.")

    @agent.tool_plain
    async def double(number: int) -> int:
        """Doubles it."""
        return 2 * number

    @skill("a")
    async def ask(task: Task, prompt: str) -> str:
        return str((await run(task, agent, prompt)).output)

    async with Cluster([ask]) as cluster:
        ref = await cluster.client.submit("a", {"prompt": "Go"})
        assert await ref.result() == '{"double":0}'
        names = [step.name for step in (await cluster.client.task(ref.id)).steps]
    assert [name.partition("-")[0] for name in names] == ["model", "double", "model"]


async def test_after_a_kill_recorded_requests_are_not_made_again() -> None:
    reached, go_on = asyncio.Event(), asyncio.Event()
    asked, ran = list[int](), list[str]()

    async def answer(messages: list[Any], info: Any) -> ModelResponse:
        asked.append(len(messages))
        if len(messages) == 1:
            return ModelResponse(parts=[ToolCallPart("look", {"word": "a"}), ToolCallPart("look", {"word": "b"})])
        return ModelResponse(parts=[TextPart("done")])

    agent = Agent(FunctionModel(answer))

    @agent.tool_plain
    async def look(word: str) -> dict[str, str]:
        """Waits for one of them in its first run."""
        ran.append(word)
        if word == "b":
            reached.set()
            await go_on.wait()
        return {"word": word}

    @skill("a")
    async def ask(task: Task) -> str:
        return str((await run(task, agent, "Go")).output)

    async with Cluster([ask], nodes=2) as cluster:
        ref = await cluster.client.submit("a")
        await reached.wait()
        await cluster.kill_node((await cluster.client.task(ref.id)).node)
        go_on.set()
        assert await ref.result() == "done"
    assert asked == [1, 3]
    assert ran == ["a", "b", "b"]


async def test_a_tool_that_asks_for_another_try_does_so_on_a_resume_as_well() -> None:
    tries = list[int]()

    async def answer(messages: list[Any], info: Any) -> ModelResponse:
        if len(messages) < 5:
            return ModelResponse(parts=[ToolCallPart("pick", {"number": len(messages)})])
        return ModelResponse(parts=[TextPart("picked")])

    agent = Agent(FunctionModel(answer))

    @agent.tool_plain
    async def pick(number: int) -> int:
        """Refuses small ones."""
        tries.append(number)
        if number < 3:
            raise ModelRetry("too small")
        return number

    @skill("a")
    async def ask(task: Task) -> str:
        answer = str((await run(task, agent, "Go")).output)
        if task.attempt == 1:
            raise OSError("once more")
        return answer

    async with Cluster([ask]) as cluster:
        assert await cluster.client.run("a") == "picked"
    assert tries == [1, 3]


class Numbers(BaseModel):
    """An answer."""

    numbers: list[int]


async def test_structured_output_and_usage_come_back() -> None:
    agent: Any = Agent(TestModel(custom_output_args={"numbers": [1, 2]}), output_type=Numbers)

    @skill("a")
    async def ask(task: Task) -> dict[str, Any]:
        result = await run(task, agent, "Go")
        if task.attempt == 1:
            raise OSError("once more")
        return {"output": result.output.numbers, "requests": result.usage.requests}

    async with Cluster([ask]) as cluster:
        assert await cluster.client.run("a") == {"output": [1, 2], "requests": 1}


async def test_what_a_model_streams_is_emitted() -> None:
    agent = Agent(TestModel(custom_output_text="four words of text"))

    async def ignore(_: Any, events: Any) -> None:
        async for _event in events:
            pass

    @skill("a")
    async def ask(task: Task) -> str:
        return str((await run(task, agent, "Go", event_stream_handler=ignore)).output)

    async with Cluster([ask]) as cluster:
        ref = await cluster.client.submit("a")
        assert await ref.result() == "four words of text"
        assert "".join([chunk.value async for chunk in ref.stream()]) == "four words of text"
