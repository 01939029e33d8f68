"""Runs a pydantic-ai agent as part of a task: each request of its model and each call of a tool is a recorded step.

    result = await run(task, agent, "Why is the sky blue?")

The library is imported when this is first used: `pip install "clawactors[pydantic-ai]"`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache, partial
from typing import Any, override

import msgspec

from clawactors.eventlog.errors import Misconfigured
from clawactors.runtime.node.context import TaskContext
from clawactors.runtime.node.longlife import record_at_once, run_of
from clawactors.systems.tasks.retry import Retry

__all__ = ["run"]


async def run(
    task: TaskContext, agent: Any, prompt: Any = None, *, key: str = "", retry: Retry | None = None, **options: Any
) -> Any:
    """What `agent.run(prompt, **options)` returns; after `kill -9` recorded requests and calls are not made again.

    `key` begins the names of the steps, where a task runs more than one agent; `retry` is for requests of the model.
    What the model streams is emitted. A result of a tool comes back as JSON has it, on the first run too.
    Raises: as `agent.run`; `Misconfigured` where the library is not installed.
    """
    model_kind, toolset_kind = _kinds()
    record_at_once(task)
    prefix = f"{key}." if key else ""
    given = options.pop("model", None) or agent.model
    if given is None:
        raise ValueError("the agent has no model: give Agent(model, …), or run(…, model=…)")
    model = model_kind(given, task, prefix, retry)
    toolsets = [
        each.visit_and_replace(lambda leaf: toolset_kind(leaf, task, prefix))
        for each in (*agent.toolsets, *(options.pop("toolsets", None) or ()))
    ]
    with agent.override(model=model, toolsets=toolsets, tools=[]):
        return await agent.run(prompt, **options)


@cache
def _kinds() -> tuple[Any, Any]:
    """The wrappers of a model and of a set of tools."""
    try:
        from pydantic_ai import ModelRetry
        from pydantic_ai.messages import ModelMessagesTypeAdapter, ModelResponse
        from pydantic_ai.models import CompletedStreamedResponse
        from pydantic_ai.models.wrapper import WrapperModel
        from pydantic_ai.toolsets import WrapperToolset
        from pydantic_core import to_jsonable_python
    except ImportError as error:
        raise Misconfigured(f'pydantic-ai is missing ({error}): pip install "clawactors[pydantic-ai]"') from None

    class RecordedModel(WrapperModel):
        """Makes each request a step."""

        def __init__(self, wrapped: Any, task: TaskContext, prefix: str, retry: Retry | None) -> None:
            super().__init__(wrapped)
            self._task, self._prefix, self._retry, self._requests = task, prefix, retry, 0

        @override
        async def request(self, messages: Any, model_settings: Any, model_request_parameters: Any) -> Any:
            name = self._next()

            async def ask() -> Any:
                settings = self._keyed(model_settings, name)
                return _written(await self.wrapped.request(messages, settings, model_request_parameters))

            return _read(await self._task.step(name, ask, retry=self._retry))

        @asynccontextmanager
        @override
        async def request_stream(
            self, messages: Any, model_settings: Any, model_request_parameters: Any, run_context: Any = None
        ) -> AsyncIterator[Any]:
            name = self._next()

            async def ask() -> Any:
                settings = self._keyed(model_settings, name)
                async with self.wrapped.request_stream(
                    messages, settings, model_request_parameters, run_context
                ) as stream:
                    async for event in stream:
                        delta = getattr(event, "delta", None) or getattr(event, "part", None)
                        text = getattr(delta, "content_delta", None) or getattr(delta, "content", None)
                        if event.event_kind in ("part_start", "part_delta") and isinstance(text, str) and text:
                            await self._task.emit(text)
                    return _written(stream.get())

            response = _read(await self._task.step(name, ask, retry=self._retry))
            yield CompletedStreamedResponse(response, model_request_parameters=model_request_parameters)

        def _next(self) -> str:
            self._requests += 1
            return f"{self._prefix}model-{self._requests}"

        def _keyed(self, settings: Any, name: str) -> dict[str, Any]:
            given = dict(settings or {})
            key = {"Idempotency-Key": f"{self._task.id}/{run_of(self._task)}/{name}"}
            return given | {"extra_headers": key | dict(given.get("extra_headers") or {})}

    class RecordedToolset(WrapperToolset):
        """Makes each call of a tool a step."""

        def __init__(self, wrapped: Any, task: TaskContext, prefix: str) -> None:
            super().__init__(wrapped)
            self._task, self._prefix = task, prefix

        @override
        async def for_run(self, ctx: Any) -> Any:
            return RecordedToolset(await self.wrapped.for_run(ctx), self._task, self._prefix)

        @override
        async def for_run_step(self, ctx: Any) -> Any:
            return RecordedToolset(await self.wrapped.for_run_step(ctx), self._task, self._prefix)

        @override
        async def call_tool(self, name: str, tool_args: dict[str, Any], ctx: Any, tool: Any) -> Any:
            call = partial(self.wrapped.call_tool, name, tool_args, ctx, tool)

            async def recorded() -> dict[str, Any]:
                try:
                    return {"result": to_jsonable_python(await call())}
                except ModelRetry as again:  # the model is told, and so it is on every resume
                    return {"again": again.message}

            step = f"{self._prefix}{name}-{ctx.run_step}.{ctx.tool_call_id or ''}"[:256]
            outcome = await self._task.step(step, recorded)
            if "again" in outcome:
                raise ModelRetry(outcome["again"])
            return outcome["result"]

    def _written(response: Any) -> Any:
        return msgspec.json.decode(ModelMessagesTypeAdapter.dump_json([response]))

    def _read(recorded: Any) -> Any:
        (response,) = ModelMessagesTypeAdapter.validate_json(msgspec.json.encode(recorded))
        assert isinstance(response, ModelResponse)  # noqa: S101 # it was one when it was written
        return response

    return RecordedModel, RecordedToolset
