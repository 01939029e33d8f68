"""The skills of `docs/skills.md` run on a real cluster as the page says."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from clawactors import LOG, Ref, TaskFailed
from clawactors.app.clusterplan import ClusterPlan
from tests.scenario.claw import ROOT
from tests.scenario.system import PATIENCE_S, System, running, until

pytestmark = [pytest.mark.nats, pytest.mark.asyncio(loop_scope="module")]

PAGE = Path(ROOT, "docs", "skills.md").read_text("utf-8")
FILES = dict(re.findall(r"```python\n# (\w+\.py)\n(.*?)```", PAGE, re.DOTALL))
CLIENT = FILES.pop("client.py")
FILES["claims.py"] = '''
from clawactors import Task, skill


@skill("tidy")
async def tidy(task: Task) -> str:
    """Shows when `finally` runs."""
    try:
        await task.signal("go")
    finally:
        print("finally")
    return "done"


@skill("swallow")
async def swallow(task: Task) -> str:
    """Catches what unwinds it."""
    try:
        await task.signal("go")
    except BaseException:
        return "swallowed"
    return "the signal came"


@skill("shapes")
async def shapes(task: Task) -> list[str]:
    """What a step gives back."""
    return [type(await task.step("tuple", tuple, [1])).__name__, type(await task.step("set", set, [1])).__name__]


@skill("random")
async def random(task: Task) -> None:
    """An argument that differs on each run."""
    await task.step("draw", abs, task.attempt)
    raise OSError("once more")
'''


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    folder = tmp_path_factory.mktemp("skills")
    for name, source in FILES.items():
        (folder / name).write_text(source, "utf-8")
    plan = ClusterPlan(nodes=1, skills=tuple(str(folder / name) for name in FILES))
    async with running(folder, plan) as system:
        yield system


async def printed(ref: Ref) -> list[str]:
    return [chunk.value["text"] async for chunk in ref.stream(LOG)]


async def waits(system: System, ref: Ref, status: str = "waiting") -> None:
    async def is_there() -> bool:
        return (await system.client.task(ref.id)).status == status

    await until(is_there, f"{ref.id} is {status}")


async def test_code_goes_on_in_place_after_a_wait(system: System) -> None:
    ref = await system.client.submit("publish", {"text": "hello"})
    await waits(system, ref)
    await ref.signal("approve", {"ok": True})
    assert await ref.result(PATIENCE_S) == "sent: hello!"
    assert "".join(await printed(ref)).splitlines() == ["from the top"]
    row = await system.client.task(ref.id)
    assert [(step.name, step.status) for step in row.steps if step.name in ("draft", "send")] == [
        ("draft", "completed"),
        ("send", "completed"),
    ]
    assert "sleep:approve#1" in [
        entry.row["step"] for entry in await system.client.history(ref.id) if "step" in entry.row
    ]


async def test_finally_runs_once_and_a_handler_around_a_wait_sees_nothing(system: System) -> None:
    refs = [await system.client.submit(name) for name in ("tidy", "swallow")]
    for ref in refs:
        await waits(system, ref)
        await ref.signal("go")
    assert [await ref.result(PATIENCE_S) for ref in refs] == ["done", "the signal came"]
    assert "".join(await printed(refs[0])).splitlines() == ["finally"]


async def test_results_come_back_as_json_and_arguments_that_differ_block(system: System) -> None:
    assert await system.client.run("shapes", wait_s=PATIENCE_S) == ["list", "list"]
    ref = await system.client.submit("random")
    await waits(system, ref, "blocked")
    assert "step 'draw'" in (await system.client.why(ref.id)).reasons[0]


async def test_except_exception_undoes_what_failed_and_lets_a_wait_pass(system: System) -> None:
    for paid, end in ((True, "yours"), (False, "released 12A")):
        ref = await system.client.submit("reserve", {"seat": "12A"})
        await waits(system, ref)
        await ref.signal("paid", paid)
        assert await ref.result(PATIENCE_S) == end


async def test_rules_decide_what_an_error_leads_to(system: System) -> None:
    claw = system.client
    assert await claw.run("fetch", {"url": "x/number"}, wait_s=PATIENCE_S) == 12
    with pytest.raises(TaskFailed) as failed:
        await claw.run("fetch", {"url": "x/text"}, wait_s=PATIENCE_S)
    assert (failed.value.status, failed.value.error and failed.value.error.kind) == ("dead", "parse")
    assert (await claw.task(failed.value.id)).attempt == 3, "two retries after the first try"
    ref = await claw.submit("fetch", {"url": "over-quota"})
    await waits(system, ref, "blocked")
    assert "the quota of 100 requests is used up" in " ".join((await claw.why(ref.id)).reasons)


async def test_isolated_code_takes_steps(system: System) -> None:
    assert await system.client.run("primes", {"upto": 100}, wait_s=PATIENCE_S) == 25


async def test_a_client_sees_how_a_task_ended(system: System) -> None:
    names: dict[str, Any] = {}
    exec(compile(CLIENT, "client.py", "exec"), names)  # noqa: S102 - our own page
    assert await names["example"](system.client, "x/number") == "12"
    assert await names["example"](system.client, "x/text") == "dead: parse"
