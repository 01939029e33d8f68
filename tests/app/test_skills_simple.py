"""`echo`, `sleep` and `python`."""

import asyncio
import sys
import types
from collections.abc import Iterator

import pytest

from clawactors.app.skills.python import python_skill
from clawactors.app.skills.simple import STEPS_MAX, echo, sleep
from clawactors.eventlog import Misconfigured
from clawactors.kernel.errors import Refused
from tests.app.handles import AsyncHandle, Journal, Killed


async def test_echo_returns_the_text() -> None:
    assert await echo(AsyncHandle(), text="wörd\u0000") == "wörd\u0000"
    with pytest.raises(Refused, match="needs 'text'"):
        echo.arguments({})


async def test_sleep_divides_its_time_over_named_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    async def note(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", note)
    task = AsyncHandle()
    assert await sleep(task, **sleep.arguments({"seconds": 2, "steps": 10})) == 2
    assert slept == pytest.approx([0.2] * 10)
    assert list(task.journal.results) == [f"sleep-{number}" for number in range(1, 11)]
    assert task.journal.progress == 1


async def test_sleep_goes_on_behind_the_last_step_on_record() -> None:
    journal = Journal(lambda point, name: (point, name) == ("after", "sleep-2"))
    with pytest.raises(Killed):
        await sleep(AsyncHandle(journal), seconds=0, steps=3)
    journal.kill_at = lambda point, name: False
    await sleep(AsyncHandle(journal), seconds=0, steps=3)
    assert list(journal.results) == ["sleep-1", "sleep-2", "sleep-3"]


@pytest.mark.parametrize(
    ("seconds", "steps"),
    [(-1, 1), (float("inf"), 1), (float("nan"), 1), (1, 0), (1, -3), (0, STEPS_MAX + 1)],
)
async def test_sleep_refuses_what_is_no_time_or_no_number_of_steps(seconds: float, steps: int) -> None:
    with pytest.raises(ValueError, match="can't sleep"):
        await sleep(AsyncHandle(), seconds=seconds, steps=steps)


@pytest.fixture
def module() -> Iterator[types.ModuleType]:
    module = types.ModuleType("allowed_module")
    code = """
import os, threading
from os.path import join
class Box:
    @staticmethod
    def inner(): return "inner"
async def later(text): return text + "!"
def where(): return threading.current_thread().name
def add(a, b=1): return a + b
def stop(): raise StopIteration("end")
def _hidden(): return 1
number = 7
"""
    exec(code, module.__dict__)  # noqa: S102
    sys.modules[module.__name__] = module
    yield module
    del sys.modules[module.__name__]


async def call(name: str, *allowed: str, args: list[object] | None = None, **kwargs: object) -> object:
    skill = python_skill(allowed)
    return await skill(AsyncHandle(), **skill.arguments({"call": name, "args": args or [], "kwargs": kwargs}))


async def test_python_calls_what_is_allowed_by_name(module: types.ModuleType) -> None:
    assert await call("allowed_module:add", "allowed_module:add", args=[1], b=5) == 6
    assert await call("allowed_module:later", "allowed_module:*", args=["soon"]) == "soon!"
    assert await call("allowed_module:Box.inner", "allowed_module:Box.inner") == "inner"
    assert await call("os.path:join", "os.path:join", args=["a", "b"]) == "a/b"


async def test_python_calls_sync_functions_in_a_thread(module: types.ModuleType) -> None:
    assert await call("allowed_module:where", "allowed_module:where") == "python"


@pytest.mark.parametrize(
    ("name", "allowed", "words"),
    [
        ("allowed_module:add", (), "not on this node's allow-list"),
        ("allowed_module:add", ("allowed_module:later",), "not on this node's allow-list"),
        ("allowed_module.sub:add", ("allowed_module:*",), "not on this node's allow-list"),
        ("allowed_module:join", ("allowed_module:*",), "public functions"),
        ("allowed_module:os.system", ("allowed_module:*",), "public functions"),
        ("allowed_module:_hidden", ("allowed_module:*",), "public functions"),
        ("allowed_module:Box", ("allowed_module:*",), "public functions"),
        ("allowed_module:number", ("allowed_module:number",), "is not a function"),
        ("allowed_module:gone", ("allowed_module:gone",), "has no gone"),
        ("no_such_module:f", ("no_such_module:f",), "can't import no_such_module"),
        ("allowed_module:*", ("allowed_module:*",), "not on this node's allow-list"),
        ("os:system; x", ("os:*",), "not on this node's allow-list"),
        ("", ("os:*",), "not on this node's allow-list"),
    ],
)
async def test_python_refuses_everything_else(
    module: types.ModuleType, name: str, allowed: tuple[str, ...], words: str
) -> None:
    with pytest.raises(Refused, match=words):
        await call(name, *allowed)


async def test_python_offers_of_a_module_what_that_says_it_offers(module: types.ModuleType) -> None:
    module.__dict__["__all__"] = ["join"]
    assert await call("allowed_module:join", "allowed_module:*", args=["a", "b"]) == "a/b"
    with pytest.raises(Refused, match="public functions"):
        await call("allowed_module:add", "allowed_module:*", args=[1])


async def test_python_says_so_when_a_function_raises_what_no_future_can_hold(module: types.ModuleType) -> None:
    with pytest.raises(RuntimeError, match="raised StopIteration"):
        await call("allowed_module:stop", "allowed_module:stop")


@pytest.mark.parametrize("rule", ["os", "os:", ":f", "os:sys*", "os:*.x", "*:*", "os:a b", "os:f\n"])
def test_an_allow_list_is_checked_at_the_start(rule: str) -> None:
    with pytest.raises(Misconfigured, match="module:function"):
        python_skill([rule])
