"""A task offers the same to async code, to code in a thread and to code in a process of its own."""

import inspect
from typing import Any

import msgspec
import pytest

from clawactors.runtime.memory import Memories
from clawactors.runtime.node.context import TaskContext
from clawactors.runtime.node.recording import WritingRecorder
from clawactors.runtime.node.secrets import Secrets
from clawactors.runtime.node.synccontext import SyncTaskContext
from clawactors.systems.skills import Skill
from clawactors.systems.tasks import commands as c
from tests.clawactors.runtime import isolated
from tests.clawactors.runtime.cluster import Stage


def public(context: type) -> dict[str, Any]:
    return {name: member for name, member in vars(context).items() if not name.startswith("_")}


def parameters(function: Any) -> list[tuple[str, Any, Any]]:
    return [(each.name, each.kind, each.default) for each in inspect.signature(function).parameters.values()]


def test_both_forms_have_the_same_methods_with_the_same_signatures() -> None:
    for_async, for_sync = public(TaskContext), public(SyncTaskContext)
    assert for_async.keys() == for_sync.keys()
    for name, member in for_async.items():
        if isinstance(member, property):
            assert isinstance(for_sync[name], property)
            continue
        assert parameters(member) == parameters(for_sync[name]), name
        if name not in ("step", "submit"):  # which return what is awaited in one form and not in the other
            assert inspect.signature(member).return_annotation == inspect.signature(for_sync[name]).return_annotation


def test_the_skill_that_the_test_runs_uses_every_method() -> None:
    used = set(isolated.use_every_method.__code__.co_names)
    assert public(TaskContext).keys() <= used


async def memory_answers(stage: Stage) -> None:
    """Stands for the memory process."""

    async def search(_: bytes) -> bytes:
        return msgspec.json.encode({"rows": [{"id": "m", "text": "Ada likes tea", "excerpt": "tea"}]})

    async def context(_: bytes) -> bytes:
        return msgspec.json.encode({"text": "- tea", "items": [{"id": "m", "text": "Ada likes tea", "excerpt": "tea"}]})

    async def get(question: bytes) -> bytes:
        return msgspec.json.encode({"row": msgspec.json.decode(question)})

    async def missing(_: bytes) -> bytes:
        return msgspec.json.encode({"error": {"code": "not_found", "message": "no such memory"}})

    async def away(_: bytes) -> bytes:
        return msgspec.json.encode({"error": {"code": "unavailable", "message": "memory reads the log"}})

    for name, answer in (("search", search), ("context", context), ("get", get), ("missing", missing), ("away", away)):
        await stage.requests.serve(f"claw.query.memory.{name}", answer)
    stage.memories = Memories(WritingRecorder(stage.here), stage.requests)


@pytest.mark.parametrize("code", [isolated.in_thread, isolated.in_child], ids=["thread", "child"])
async def test_every_method_works_in_a_thread_and_in_a_child_process(stage: Stage, code: Skill) -> None:
    isolated._calls.clear()
    stage.secrets = Secrets({"openai": "sk-12345678"})
    await memory_answers(stage)
    attempt = await stage.assign(code)
    await stage.tell("t", c.Signal("go", 7))
    await stage.hear(attempt)
    await stage.begin(attempt)
    life = stage.task("t").life
    assert life.status == "completed", life
    result = dict(life.result)
    assert len(result.pop("remember")) > 10
    raised = result.pop("errors")
    errors = dict(raised)
    assert result == {
        "id": "t",
        "attempt": 1,
        "cancelled": False,
        "step": 32,
        "again": 3,
        "signal": 7,
        "store": {"blob": result["store"]["blob"], "bytes": 10},
        "secret": 11,
        "recall": [{"id": "m", "text": "Ada likes tea", "excerpt": "tea"}],
        "context": "- tea",
        "ask_memory": {"row": {"id": "m", "task": "t", "user": "", "skill": code.name}},
        "results": {},
        "gather": [],
        "compensate": [],
    }
    names = [name for name, _ in raised]
    assert names == ["Refused"] * 3 + ["TimeoutError", "NotFound", "Unavailable", *["Refused"] * 5]
    assert errors["NotFound"] == "no such memory"
    assert errors["Unavailable"] == "memory reads the log"
    assert attempt.values.progress == 0.5
