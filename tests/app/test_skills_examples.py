"""The examples are what a node would load and run."""

import asyncio
from pathlib import Path

import pytest

from clawactors.app.skills import load_skills
from tests.app.handles import AsyncHandle, Journal, Killed

EXAMPLES = Path(__file__).parents[2] / "examples"


async def test_hello_greets_and_goes_on_behind_the_last_step(monkeypatch: pytest.MonkeyPatch) -> None:
    async def no_time(seconds: float) -> None: ...

    monkeypatch.setattr(asyncio, "sleep", no_time)
    hello = {skill.name: skill for skill in load_skills([str(EXAMPLES / "hello.py")])}["hello"]
    journal = Journal(lambda *at: at == ("after", "greet-2"))
    with pytest.raises(Killed):
        await hello(AsyncHandle(journal), **hello.arguments({"name": "Ada"}))
    assert list(journal.results) == ["greet-1"]
    journal.kill_at = lambda *at: False
    assert await hello(AsyncHandle(journal), **hello.arguments({"name": "Ada"})) == "greeted Ada 3 times"
    assert list(journal.results.values()) == [f"hello, Ada, for the {number}. time" for number in (1, 2, 3)]
