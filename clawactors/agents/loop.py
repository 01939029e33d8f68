"""The run of an agent: the model is asked, its tools are called, until it answers. Each call is a recorded step.

1. A step's name says which call it is: `model-2` is the second call of the model, `search-2.1` the first tool of it.
   After `kill -9` recorded calls are read, and only what was under way is called again, with the same idempotency key.
2. What the code decides follows from recorded replies alone, so a resume decides the same.
"""

import asyncio
from functools import partial
from typing import Any, Final

import msgspec

from clawactors.agents.answers import AnswerType
from clawactors.agents.budget import Budget, Price, Spending
from clawactors.agents.dialogue import Dialogue
from clawactors.agents.endpoint import ChatEndpoint, ask_model
from clawactors.agents.failures import BudgetSpent, ContextTooLong, UnfitAnswer
from clawactors.agents.replies import ModelReply
from clawactors.agents.toolcalls import call_tool
from clawactors.agents.tools import Tool
from clawactors.kernel.errors import Refused
from clawactors.runtime.node.context import TaskContext
from clawactors.runtime.node.longlife import record_at_once, run_of
from clawactors.systems.tasks.retry import Retry

__all__ = ["EVENTS", "AgentPlan", "run_agent"]

EVENTS: Final = "agent"
"""The stream of what an agent does; its text goes to the one that every task has."""
_LEAST_CONTEXT: Final = 1000


class AgentPlan(msgspec.Struct, frozen=True, kw_only=True):
    """All that makes an agent. `memory` is how many tokens of memories it gets, `context` how many it may send."""

    name: str
    model: str
    endpoint: ChatEndpoint
    tools: dict[str, Tool]
    answer: AnswerType
    instructions: str = ""
    memory: int = 0
    context: int = 100_000
    budget: Budget = Budget()
    price: Price | None = None
    retry: Retry = Retry(max_retries=4, wait_s=1.0, back_off_factor=4.0)


async def run_agent(task: TaskContext, plan: AgentPlan, prompt: str, key: str = "") -> Any:
    """The answer. `key` begins the names of its steps, where a task runs more than one agent.

    Raises: `BudgetSpent`, `AgentRepeats`, `UnfitAnswer`, `ContextTooLong`, and what the endpoint's errors become.
    """
    record_at_once(task)  # what is paid for
    return await _AgentRun(task, plan, f"{key}." if key else "").answer(prompt)


class _AgentRun:
    def __init__(self, task: TaskContext, plan: AgentPlan, prefix: str) -> None:
        self._task, self._plan, self._prefix = task, plan, prefix
        self._spent = Spending(plan.budget, plan.price)
        self._definitions = [each.definition() for each in plan.tools.values()]
        self._context = plan.context
        self._repaired = False

    async def answer(self, prompt: str) -> Any:
        plan, spent = self._plan, self._spent
        memories = ""
        if plan.memory:
            memories = await self._task.step(f"{self._prefix}memory", self._read_memory, prompt)
        words = "\n\n".join(filter(None, (plan.instructions, plan.answer.instructions())))
        talk = Dialogue(words, prompt, self._definitions, memories)
        while True:
            spent.check(min(talk.tokens, self._context))
            reply = await self._asked(talk)
            spent.add(reply)
            talk.heard(reply)
            if reply.calls:
                await self._call_tools(talk, reply)
                continue
            try:
                if not reply.text.strip():
                    raise Refused(f"the answer is empty ({reply.finish or 'no reason'})")
                answer = plan.answer.read(reply.text)
            except Refused as error:
                self._repair(talk, error)
                continue
            await self._task.emit({"event": "ended", **spent.row()}, EVENTS)
            return answer

    def _repair(self, talk: Dialogue, error: Refused) -> None:
        if self._repaired:
            raise UnfitAnswer(str(error)) from None
        self._repaired = True
        how = "" if self._plan.answer.is_text else ", as one JSON object that fits the schema"
        talk.said(f"{error}. Send the whole answer again{how}.")

    async def _read_memory(self, prompt: str) -> str:
        return str((await self._task.context(prompt, tokens=self._plan.memory))["text"])

    # The model

    async def _asked(self, talk: Dialogue) -> ModelReply:
        name = f"{self._prefix}model-{self._spent.turns + 1}"
        reply = await self._task.step(name, partial(self._ask, talk, name), retry=self._plan.retry)
        self._context = reply.context or self._context
        return reply

    async def _ask(self, talk: Dialogue, name: str) -> ModelReply:
        limit = self._context
        while True:
            try:
                reply = await self._ask_within(talk, name, limit)
            except TimeoutError:
                if (left_s := self._spent.left_s) is not None and left_s < self._plan.endpoint.timeout_s:
                    raise BudgetSpent(f"the call of the model took the {left_s:g} s that were left") from None
                raise
            except ContextTooLong:
                limit = min(limit, talk.tokens) // 2
                if limit < _LEAST_CONTEXT:
                    raise
                continue
            return msgspec.structs.replace(reply, context=limit) if limit != self._context else reply

    async def _ask_within(self, talk: Dialogue, name: str, limit: int) -> ModelReply:
        plan, task, spent = self._plan, self._task, self._spent
        body: dict[str, Any] = {"model": plan.model, "messages": talk.messages(limit)}
        if self._definitions:
            body["tools"] = self._definitions
            if spent.is_last_turn or self._repaired:
                body["tool_choice"] = "none"
        if not plan.answer.is_text and plan.endpoint.schemas:
            body["response_format"] = plan.answer.response_format()
        told = (task.id, run_of(task), name) + ((limit,) if limit != self._context else ())
        await task.emit({"event": "model", "turn": spent.turns + 1, "model": plan.model}, EVENTS)
        return await ask_model(
            plan.endpoint,
            task.secret(plan.endpoint.secret) if plan.endpoint.secret else "",
            body,
            idempotency_key="/".join(map(str, told)),
            prompt_tokens=min(talk.tokens, limit),
            timeout_s=spent.left_s,
            on_text=task.emit,
        )

    # Its tools

    async def _call_tools(self, talk: Dialogue, reply: ModelReply) -> None:
        task, plan, spent = self._task, self._plan, self._spent
        if spent.turns >= plan.budget.turns:
            spent.check(0)
        for each in reply.calls:
            await task.emit({"event": "tool", "name": each.name, "arguments": each.arguments[:1000]}, EVENTS)
        outcomes = await asyncio.gather(
            *(
                call_tool(
                    task,
                    plan.name,
                    plan.tools,
                    call,
                    f"{self._prefix}{_step_name(call.name)}-{spent.turns}.{n}",
                    spent.left_s,
                )
                for n, call in enumerate(reply.calls, 1)
            )
        )
        spent.seconds += max(each.seconds for each in outcomes)
        for call, outcome in zip(reply.calls, outcomes, strict=True):
            talk.told(call, outcome.text)


def _step_name(tool: str) -> str:
    return "".join(each if each.isalnum() or each in "-_" else "_" for each in tool)[:64]
