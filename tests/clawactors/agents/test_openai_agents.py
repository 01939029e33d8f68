"""Agents of the OpenAI agents SDK run durably, with a model of our own."""

import asyncio
from typing import Any

import pytest

from clawactors import Task, skill
from clawactors.testing import Cluster

sdk = pytest.importorskip("agents")

from agents import Agent, Model, ModelResponse, Usage, function_tool, handoff  # noqa: E402
from openai.types.responses import (  # noqa: E402
    ResponseFunctionToolCall,
    ResponseOutputMessage,
    ResponseOutputText,
)

from clawactors.agents.openai_agents import run  # noqa: E402


def said(text: str) -> Any:
    part = ResponseOutputText(text=text, type="output_text", annotations=[])
    return ResponseOutputMessage(id="m", content=[part], role="assistant", status="completed", type="message")


def called(name: str, id: str, arguments: str) -> Any:
    return ResponseFunctionToolCall(name=name, call_id=id, arguments=arguments, type="function_call")


class Scripted(Model):  # type: ignore[misc]
    """Answers with one list of items after the other."""

    def __init__(self, *answers: list[Any]) -> None:
        self.answers, self.keys = list(answers), list[str]()

    async def get_response(self, *args: Any, **kwargs: Any) -> Any:
        self.keys.append(kwargs["model_settings"].extra_headers["Idempotency-Key"])
        usage = Usage(requests=1, input_tokens=10, output_tokens=1, total_tokens=11)
        return ModelResponse(output=self.answers.pop(0), usage=usage, response_id=None)

    def stream_response(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError


async def test_after_a_kill_recorded_answers_are_not_asked_for_again() -> None:
    reached, go_on = asyncio.Event(), asyncio.Event()
    ran = list[str]()

    @function_tool
    async def look(word: str) -> str:
        """Waits in its first run."""
        ran.append(word)
        reached.set()
        await go_on.wait()
        return word.upper()

    model = Scripted([called("look", "c1", '{"word": "a"}')], [said("done")])
    agent = Agent(name="x", model=model, tools=[look])

    @skill("a")
    async def ask(task: Task) -> list[Any]:
        result = await run(task, agent, "Go")
        return [result.final_output, result.context_wrapper.usage.requests]

    async with Cluster([ask], nodes=2) as cluster:
        ref = await cluster.client.submit("a", id="t")
        await reached.wait()
        await cluster.kill_node((await cluster.client.task("t")).node)
        go_on.set()
        assert await ref.result() == ["done", 2]
        steps = [step.name for step in (await cluster.client.task("t")).steps]
    assert model.keys == ["t/1/model-1", "t/1/model-2"]
    assert ran == ["a", "a"]
    assert {"model-1", "look-c1", "model-2"} <= {*steps}


@pytest.mark.parametrize("wrapped", [False, True])
async def test_an_agent_that_is_handed_to_is_recorded_as_well(wrapped: bool) -> None:
    second = Agent(name="second", model=Scripted([said("from the second")]))
    to = handoff(second) if wrapped else second
    first = Agent(name="first", model=Scripted([called("transfer_to_second", "c1", "{}")]), handoffs=[to])

    @skill("a")
    async def ask(task: Task) -> str:
        output = str((await run(task, first, "Go")).final_output)
        if task.attempt == 1:
            raise OSError("once more")
        return output

    async with Cluster([ask]) as cluster:
        assert await cluster.client.run("a") == "from the second"


async def test_an_error_of_a_tool_is_told_to_the_model() -> None:
    @function_tool
    def fails() -> str:
        """Fails."""
        raise KeyError("nothing")

    model = Scripted([called("fails", "c1", "{}")], [said("sorry")])

    @skill("a")
    async def ask(task: Task) -> str:
        return str((await run(task, Agent(name="x", model=model, tools=[fails]), "Go")).final_output)

    async with Cluster([ask]) as cluster:
        assert await cluster.client.run("a") == "sorry"
