"""Runs an agent of the OpenAI agents SDK as part of a task: each answer of a model and each call of a function tool is
a recorded step.

    result = await run(task, agent, "Why is the sky blue?")

The library is imported when this is first used: `pip install "clawactors[openai-agents]"`.
"""

from dataclasses import replace
from functools import cache
from typing import Any, override

from clawactors.eventlog.errors import Misconfigured
from clawactors.runtime.node.context import TaskContext
from clawactors.runtime.node.longlife import record_at_once, run_of
from clawactors.systems.tasks.retry import Retry

__all__ = ["run"]


async def run(
    task: TaskContext, agent: Any, input: Any, *, key: str = "", retry: Retry | None = None, **options: Any
) -> Any:
    """What `Runner.run(agent, input, **options)` returns; after `kill -9` recorded calls are not made again.

    Agents that it hands off to are recorded as well. `key` begins the names of the steps, where a task runs more than
    one agent; `retry` is for calls of a model. Hosted tools run where the model does. Traces are off unless
    `run_config` says otherwise. Raises: as `Runner.run`; `Misconfigured` where the library is not installed.
    """
    sdk, model_kind, provider_kind = _kinds()
    record_at_once(task)
    calls = _Calls(task, f"{key}." if key else "", retry)
    config = options.pop("run_config", None) or sdk.RunConfig(tracing_disabled=True)
    changed: dict[str, Any] = {"model_provider": provider_kind(config.model_provider, calls)}
    if isinstance(config.model, sdk.Model):
        changed["model"] = model_kind(config.model, calls)
    recorded = _recorded(sdk, model_kind, agent, calls, {})
    return await sdk.Runner.run(recorded, input, run_config=replace(config, **changed), **options)


class _Calls:
    """Names the steps, and takes them."""

    def __init__(self, task: TaskContext, prefix: str, retry: Retry | None) -> None:
        self.task, self.prefix, self._retry, self._asked = task, prefix, retry, 0

    async def ask(self, make: Any) -> Any:
        """A call of a model; `make` gets the idempotency key."""
        self._asked += 1
        name = f"{self.prefix}model-{self._asked}"

        async def ask() -> Any:
            return await make(f"{self.task.id}/{run_of(self.task)}/{name}")

        return await self.task.step(name, ask, retry=self._retry)


def _recorded(sdk: Any, model_kind: Any, agent: Any, calls: _Calls, known: dict[int, Any]) -> Any:
    """The agent with its model, its function tools and those that it hands off to, recorded; circles are kept."""
    if id(agent) in known:
        return known[id(agent)]
    changed: dict[str, Any] = {"tools": [_recorded_tool(sdk, each, calls) for each in agent.tools]}
    if isinstance(agent.model, sdk.Model):
        changed["model"] = model_kind(agent.model, calls)
    made = known[id(agent)] = agent.clone(**changed)
    made.handoffs = [_handed_to(sdk, model_kind, each, calls, known) for each in agent.handoffs]
    return made


def _handed_to(sdk: Any, model_kind: Any, given: Any, calls: _Calls, known: dict[int, Any]) -> Any:
    """An agent, or a `handoff(…)` to one, which is recorded as well."""
    if isinstance(given, sdk.Agent):
        return _recorded(sdk, model_kind, given, calls, known)
    hand_off = given.on_invoke_handoff

    async def invoke(context: Any, arguments: str) -> Any:
        return _recorded(sdk, model_kind, await hand_off(context, arguments), calls, known)

    return replace(given, on_invoke_handoff=invoke)


def _recorded_tool(sdk: Any, tool: Any, calls: _Calls) -> Any:
    if not isinstance(tool, sdk.FunctionTool):
        return tool
    from pydantic_core import to_jsonable_python

    async def invoke(context: Any, arguments: str) -> Any:
        async def recorded() -> Any:
            return to_jsonable_python(await tool.on_invoke_tool(context, arguments))

        return await calls.task.step(f"{calls.prefix}{tool.name}-{context.tool_call_id}"[:256], recorded)

    return replace(tool, on_invoke_tool=invoke)


@cache
def _kinds() -> tuple[Any, Any, Any]:
    """The library, and the wrappers of a model and of what finds models."""
    try:
        import agents as sdk
        from agents.items import ModelResponse
        from pydantic import TypeAdapter
    except ImportError as error:
        raise Misconfigured(
            f'the OpenAI agents SDK is missing ({error}): pip install "clawactors[openai-agents]"'
        ) from None

    adapter = TypeAdapter(ModelResponse)

    class RecordedAnswers(sdk.Model):
        """Makes each answer a step."""

        def __init__(self, wrapped: Any, calls: _Calls) -> None:
            self._wrapped, self._calls = wrapped, calls

        @override
        async def get_response(self, *args: Any, **kwargs: Any) -> Any:
            async def make(key: str) -> Any:
                args_, kwargs_ = _keyed(args, kwargs, key)
                return adapter.dump_python(await self._wrapped.get_response(*args_, **kwargs_), mode="json")

            return adapter.validate_python(await self._calls.ask(make))

        @override
        def stream_response(self, *args: Any, **kwargs: Any) -> Any:
            raise NotImplementedError("a recorded agent does not stream: use run(…), and task.emit in its tools")

        @override
        async def close(self) -> None:
            await self._wrapped.close()

    class RecordedProvider(sdk.ModelProvider):
        """Finds models by name, recorded."""

        def __init__(self, wrapped: Any, calls: _Calls) -> None:
            self._wrapped, self._calls = wrapped, calls

        @override
        def get_model(self, model_name: str | None) -> Any:
            return RecordedAnswers(self._wrapped.get_model(model_name), self._calls)

        @override
        async def aclose(self) -> None:
            await self._wrapped.aclose()

    def _keyed(args: tuple[Any, ...], kwargs: dict[str, Any], key: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The call with the idempotency key among the headers of its settings."""

        def with_key(given: Any) -> Any:
            if not isinstance(given, sdk.ModelSettings):
                return given
            return replace(given, extra_headers={"Idempotency-Key": key} | dict(given.extra_headers or {}))

        return tuple(map(with_key, args)), {name: with_key(each) for name, each in kwargs.items()}

    return sdk, RecordedAnswers, RecordedProvider
