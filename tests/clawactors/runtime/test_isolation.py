"""Isolated code: its own process, the same task; what becomes of it is the task's error and never the node's."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from clawactors import skill
from clawactors.runtime.node.secrets import Secrets
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks.payload import is_reference
from tests.clawactors.runtime import isolated
from tests.clawactors.runtime.cluster import PATIENCE_S, Stage
from tests.clawactors.runtime.test_output import log_of, said


async def test_steps_are_recorded_as_in_a_thread(stage: Stage) -> None:
    task = await stage.run(isolated.adds, {"n": 5})
    assert task.life.status == "completed", task.life.error
    assert task.life.result["pid"] != os.getpid()
    assert task.life.result | {"pid": 0} == {"pid": 0, "total": 30, "attempt": 1, "id": "t"}
    assert [entry.name for entry in task.journal] == [f"s{n}" for n in range(5)]
    assert task.journal.steps()[2].fingerprint


@pytest.mark.parametrize(
    ("how", "status", "kind", "words"),
    [
        ("value", "failed", "validation", "of no use"),
        ("quota", "failed", "quota", "used up"),
        ("segfault", "waiting", "unknown", "ended by SIGSEGV"),
        ("killed", "waiting", "memory", "ended by SIGKILL"),
        ("exit", "waiting", "unknown", "exit code 3"),
        ("object", "failed", "validation", "what JSON can't hold"),
    ],
)
async def test_whatever_becomes_of_the_process_is_the_tasks_error(
    stage: Stage, how: str, status: str, kind: str, words: str
) -> None:
    life = (await stage.run(isolated.fails, {"how": how})).life
    assert life.error is not None
    assert (life.status, life.error.kind) == (status, kind)
    assert words in life.error.message


async def test_results_of_predecessors_reach_the_process(stage: Stage) -> None:
    await stage.run(isolated.adds, {"n": 2}, id="p")
    task = await stage.run(isolated.gathers, after=["p"])
    assert task.life.result["p"]["total"] == 1


async def test_memory_beyond_the_limit_is_the_tasks_error(stage: Stage) -> None:
    life = (await stage.run(isolated.hoards)).life
    assert (life.status, life.error and life.error.kind) == ("waiting", "memory")


async def test_a_step_in_the_process_is_tried_again_there(stage: Stage) -> None:
    task = await stage.run(isolated.fails, {"how": "step"})
    assert task.life.result == 3
    assert stage.named("t").count("step.failed") == 2


async def test_a_step_name_used_twice_blocks_the_task(stage: Stage) -> None:
    assert (await stage.run(isolated.fails, {"how": "twice"})).life.status == "blocked"


async def test_a_signal_reaches_the_process_at_once_or_in_the_next_attempt(stage: Stage) -> None:
    assert (await stage.run(isolated.asks)).life.waiting_for == "signal"
    await stage.tell("t", c.Signal("approve", 7))
    assert (await stage.run(isolated.asks)).life.result == 7


async def test_a_large_signal_comes_whole_into_the_process(stage: Stage) -> None:
    text = "x" * 1_000_000
    await stage.run(isolated.asks)
    client = stage.client()
    await client.signal("t", "approve", text)
    task = await stage.run(isolated.asks)
    assert is_reference(task.life.result)
    assert await client.payloads.load_payload(task.life.result) == text


class Child:
    """What a hanging process says into a pipe; the pipe ends when the process does."""

    def __init__(self, folder: Path) -> None:
        self.file = str(folder / "pipe")
        os.mkfifo(self.file)

    async def hangs(self) -> None:
        """Returns when it runs."""
        async with asyncio.timeout(PATIENCE_S):
            self._pipe = await asyncio.to_thread(open, self.file, encoding="utf-8")
            assert await asyncio.to_thread(self._pipe.readline) == "here\n"

    async def end(self) -> str:
        """What it said at last, when it has ended."""
        async with asyncio.timeout(PATIENCE_S):
            text: str = await asyncio.to_thread(self._pipe.read)
        self._pipe.close()
        return text


@pytest.mark.parametrize("polite", [False, True])
async def test_a_cancel_ends_the_process_within_the_grace_time(
    stage: Stage, tmp_path: Path, polite: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clawactors.runtime.node.isolation.GRACE_S", PATIENCE_S if polite else 0.1)
    monkeypatch.setattr(isolated.hangs, "cancel_grace_s", PATIENCE_S if polite else 0.1)
    child = Child(tmp_path)
    run = await stage.assign(isolated.hangs, {"file": child.file, "polite": polite})
    running = stage.begin(run)
    await child.hangs()
    await stage.until_event("t", "step.completed")
    await stage.tell("t", c.Cancel())
    await stage.hear(run)
    async with asyncio.timeout(PATIENCE_S):
        await running
    assert stage.task("t").life.status == "cancelled"
    assert await child.end() == ("in good order" if polite else "")


async def test_a_timeout_kills_the_process(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clawactors.runtime.node.isolation.GRACE_S", 0.1)
    child = Child(tmp_path)
    running = stage.begin(await stage.assign(isolated.hangs, {"file": child.file}, timeout_s=3))
    await child.hangs()
    async with asyncio.timeout(PATIENCE_S):
        await running
    life = stage.task("t").life
    assert (life.status, life.error and life.error.kind) == ("waiting", "timeout")
    assert await child.end() == ""


_NODE = """
import asyncio, sys
from tests.clawactors.runtime import isolated
from tests.clawactors.runtime.cluster import Stage

async def main():
    stage = Stage()
    await stage.run(isolated.hangs, {"file": sys.argv[1]})

asyncio.run(main())
"""


async def test_the_process_never_outlives_its_node(tmp_path: Path) -> None:
    child = Child(tmp_path)
    path = os.pathsep.join(each for each in sys.path if each)
    node = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-c", _NODE, child.file), env=os.environ | {"PYTHONPATH": path}
    )
    try:
        await child.hangs()
    finally:
        node.kill()
        await node.wait()
    assert await child.end() == ""


def test_only_what_another_process_can_find_is_isolated() -> None:
    def inside(task: Any) -> None: ...

    async def later(task: Any) -> None: ...

    for function in (inside, later):
        with pytest.raises(ValueError, match="must be a sync function at module level"):
            skill("s", isolate=True)(function)
    with pytest.raises(ValueError, match="memory_mb is more than 0"):
        skill("s", memory_mb=100)


async def test_what_it_says_is_heard_and_what_is_large_goes_by_reference(stage: Stage) -> None:
    stage.secrets = Secrets({"openai": "sk-12345678"})
    text = "x" * 300_000
    task = await stage.run(isolated.speaks, {"text": text})
    assert task.life.status == "completed", task.life.error
    client = stage.client()
    result = await client.payloads.load_payload(task.life.result)
    assert result["text"] == text
    assert await client.blob(result["stored"]["blob"]) == b"\xff" * 1000
    assert [chunk.value for chunk in await said(client, "t")] == [{"number": number} for number in range(3)]
    lines = await log_of(stage)
    printed = {name: "".join(line["text"] for line in lines if line["source"] == name) for name in ("stdout", "stderr")}
    assert printed == {"stdout": "printed ***\nfrom a program\nno end of line", "stderr": "an error\n"} or printed == {
        "stdout": "printed ***\nno end of linefrom a program\n", "stderr": "an error\n"
    }  # fmt: skip
    assert [line["text"] for line in lines if line["source"] == "log"] == ["logged"]
