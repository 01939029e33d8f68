"""What users get wrong and what skills do wrong, on real processes: a clear error or survival, never a stuck task."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from clawactors.app.clusterplan import ClusterPlan
from clawactors.eventlog import TooLarge
from clawactors.kernel.errors import Refused
from clawactors.runtime.client import TaskFailed
from clawactors.runtime.client.submitting import TaskRequest, submit
from clawactors.systems.tasks.submission import spec_of
from clawactors.systems.tasks.task import MAX_INTERRUPTIONS, Task
from tests.scenario.claw import Outcome
from tests.scenario.system import PATIENCE_S, SKILLS, Ended, System, running, until

pytestmark = [pytest.mark.nats, pytest.mark.asyncio(loop_scope="module")]

BAD_IDS = [
    "",
    " ",
    "a b",
    "a.b",
    "*",
    ">",
    "a.>",
    "a*",
    "é",
    "a/b",
    "..",
    "\n",
    "a\r\nPUB x 0",
    "\x00",
    "x" * 129,
    "x" * 10_000,
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    async with running(tmp_path_factory.mktemp("tasks"), ClusterPlan(nodes=2, slots=5, skills=(SKILLS,))) as system:
        yield system


async def ended(system: System, skill: str, **options: Any) -> Task:
    """The task once it has ended, with the parameters in `params`."""
    ref = await system.client.submit(skill, options.pop("params", {}), **options)
    await system.ended([ref.id])
    return (await ref.snapshot()).state


async def why(system: System, id: str) -> str:
    told = await system.run_claw("why", id)
    assert told.code == 0, told
    return " ".join(told.answer["reasons"])


async def test_a_task_of_an_unknown_skill_waits_and_says_why_until_it_is_cancelled(system: System) -> None:
    ref = await system.client.submit("no-such-skill", {"any": "thing"})
    assert await why(system, ref.id) == "no online node has the skill 'no-such-skill'"
    assert (await ref.snapshot()).state.life.status == "pending"
    assert (await ref.cancel()).state.life.status == "cancelled"


@pytest.mark.parametrize("name", ["", "x" * 129, "a\nb", None, 7], ids=repr)
async def test_what_is_no_name_of_a_skill_is_refused(system: System, name: Any) -> None:
    with pytest.raises(Refused, match="no name of a skill"):
        await system.client.submit(name)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({}, "needs 'text'"),
        ({"text": 7}, "'text' takes string, not integer"),
        ({"text": None}, "'text' takes string, not null"),
        ({"text": "x", "more": 1}, "does not take 'more'"),
        ([], "params is an object"),
        ({"text": object()}, "can't be written"),
    ],
)
async def test_parameters_that_do_not_fit_are_refused_and_nothing_is_written(
    system: System, params: Any, words: str
) -> None:
    before = (await system.log.head()).last_seq
    with pytest.raises(Refused, match=words):
        await system.client.submit("echo", params)
    assert (await system.log.head()).last_seq == before


async def test_parameters_that_only_the_node_can_check_fail_the_task_without_a_retry(system: System) -> None:
    await submit(system.client, "unchecked", spec_of("echo", {"text": 7}))  # as a client does that knows no skills
    await system.ended(["unchecked"])
    life = (await system.client.snapshot("unchecked")).state.life
    assert (life.status, life.attempt, life.error and life.error.kind) == ("failed", 1, "validation")
    assert "'text' takes string, not integer" in str(life.error)


async def test_a_task_that_is_too_large_is_refused_alone_and_in_a_batch(system: System) -> None:
    too_much = {"text": "x" * (65 << 20)}
    with pytest.raises(Refused, match=r"64\.0 MB that a task can hold"):
        await system.client.submit("echo", too_much)
    large = spec_of("echo", {"text": ""}, description="x" * 1_100_000)
    with pytest.raises(TooLarge):
        await system.client.submit("echo", {"text": ""}, description=large.description)
    batch = await system.client.submit_many(
        [TaskRequest("fits", spec_of("echo", {"text": ""})), TaskRequest("too-large", large)]
    )
    assert (batch.submitted, [rejected.id for rejected in batch.refused]) == (1, ["too-large"])


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("an object", "JSON can't hold: it holds an object: make it a dataclass"),
        ("a circle", "JSON can't hold"),
        ("not a number", "not finite"),
        ("half a character", "JSON can't hold"),
        ("too much", "results may have"),
        ("too deep", "JSON can't hold"),
        ("a number as a key", "a dict with the key 1, which JSON turns into text"),
    ],
)
async def test_a_result_that_can_not_be_stored_fails_the_task_with_the_reason(
    system: System, what: str, words: str
) -> None:
    task = await ended(system, "returns", params={"what": what})
    assert (task.life.status, task.life.error and task.life.error.kind) == ("failed", "validation")
    assert words in str(task.life.error)


@pytest.mark.parametrize("id", BAD_IDS, ids=lambda text: repr(text)[:20])
async def test_a_malformed_id_is_refused_by_every_call_and_nothing_is_written(system: System, id: str) -> None:
    client, before = system.client, (await system.log.head()).last_seq
    with pytest.raises(Refused, match="is no id: 1 to 128"):
        await client.submit("echo", {"text": ""}, id=id)
    with pytest.raises(Refused, match="is no id"):
        client.ref(id)
    with pytest.raises(Refused, match="is no id"):
        await client.cancel(id)
    batch = await client.submit_many([TaskRequest(id, spec_of("echo", {"text": ""}))])
    assert [rejected.id for rejected in batch.refused] == [id]
    now = (await system.log.head()).last_seq
    # Memory may record what it learned of the tasks before.
    written = [r.subject async for rs in system.log.read(["claw.task.>"], after=before, until=now) for r in rs]
    assert written == []


async def test_malformed_ids_on_the_command_line_are_refused_in_one_line(system: System) -> None:
    bad = ["a.b", ">", "x" * 10_000]
    commands = [["task", bad[0]], ["why", bad[1]], ["cancel", bad[2]], ["node", bad[2]]]
    commands += [["submit", "echo", '{"text": ""}', "--id", id] for id in bad]
    endings: list[Ended | Outcome] = [await system.run_claw("join", "--id", bad[0])]
    endings += [await asyncio.to_thread(system.claw.quick, *each, "--json") for each in commands]
    for words, ending in zip([["join"], *commands], endings, strict=True):
        assert (ending.code in (2, 4), ending.err.count("\n")) == (True, 1), (words, ending)
        assert len(ending.err) < 300


async def test_a_step_name_used_twice_blocks_the_task_and_says_which(system: System) -> None:
    ref = await system.client.submit("same-step")

    async def is_blocked() -> bool:
        return (await ref.snapshot()).state.life.status == "blocked"

    await until(is_blocked, "the task is blocked")
    reason = (await ref.snapshot()).state.life.blocked_reason
    assert reason == "the code uses the step name 'once' twice; step names are unique within a task"
    assert reason in await why(system, ref.id)
    await ref.cancel()


@pytest.mark.parametrize("name", ["", "x" * 257, "a\nb", 7, None], ids=lambda name: repr(name)[:20])
async def test_what_is_no_step_name_fails_the_task(system: System, name: Any) -> None:
    task = await ended(system, "bad-step", params={"name": name})
    assert (task.life.status, task.life.error and task.life.error.kind) == ("failed", "validation")
    assert re.search("a step is named by|task.step takes a function, or a name", str(task.life.error))


async def test_a_skill_that_raises_is_tried_again_and_ends_dead_with_its_words(system: System) -> None:
    ref = await system.client.submit("raises", {"text": "out of luck " + "x" * 100_000})
    with pytest.raises(TaskFailed, match="out of luck") as caught:
        await ref.result(PATIENCE_S)
    assert caught.value.status == "dead"
    life = (await ref.snapshot()).state.life
    assert (life.attempt, life.failures) == (2, 2)
    assert life.error is not None
    assert len(life.error.message) <= 2000
    assert len(life.error.traceback) <= 16_200


@pytest.mark.parametrize("skill", ["hangs", "hangs-in-thread"])
async def test_a_skill_that_hangs_ends_by_its_timeout_and_its_slot_is_free_again(system: System, skill: str) -> None:
    refs = [await system.client.submit(skill) for _ in range(2 * system.cluster.plan.slots)]
    await system.ended(ref.id for ref in refs)
    for ref in refs:
        life = (await ref.snapshot()).state.life
        assert (life.status, life.error and life.error.kind) == ("dead", "timeout")
    assert await system.client.run("echo", {"text": "there is room"}, wait_s=PATIENCE_S) == "there is room"


def _tells_of_blocking(log: str) -> bool:
    return "stood still for" in log and "`def` instead of `async def`" in log


async def test_async_code_that_blocks_its_node_does_not_make_it_look_dead(system: System) -> None:
    """For three lease times nothing else moves on that node; its signs of life come from a thread of their own."""
    params = {"trace": str(system.trace), "seconds": 5.0}
    assert await system.client.run("blocks-the-loop", params, wait_s=PATIENCE_S) == {"attempt": 1}
    logs = system.cluster.path / "logs"
    await until(
        lambda: any(_tells_of_blocking(path.read_text()) for path in logs.glob("n*.log")), "the log of the node tells"
    )


async def test_a_skill_that_swallows_everything_keeps_what_it_returned(system: System) -> None:
    assert await system.client.run("swallows", wait_s=PATIENCE_S) == "Refused"


async def test_tasks_that_kill_their_node_again_and_again_end_dead_and_everything_else_goes_on(system: System) -> None:
    nodes = {id: child.pid for id, child in system.cluster.nodes.items()}
    # Short steps: who is beside a killer five times in a row without a new step would rightly end as one of them.
    innocent = await system.submit(40, prefix="innocent-", steps=15, seconds=0.01)
    killers = {
        (await system.client.submit(skill, params, id=f"killer-{number}")).id
        for number, (skill, params) in enumerate(
            (("exits", {}), ("exits", {"after": "a step"}), ("aborts", {}), ("is-killed", {}))
        )
    }
    await system.ended(killers | set(innocent), 2 * PATIENCE_S)
    for id in killers:
        life = (await system.client.snapshot(id)).state.life
        assert (life.status, life.interruptions) == ("dead", MAX_INTERRUPTIONS), (id, life)
        assert "connection is gone" in str(life.error) or "incarnation is over" in str(life.error), life.error
    for id in innocent:
        assert (await system.client.snapshot(id)).state.life.status == "completed"
    await system.online("n1", "n2")
    assert {id: child.pid for id, child in system.cluster.nodes.items()} != nodes
    assert await system.client.run("echo", {"text": "all is well"}, wait_s=PATIENCE_S) == "all is well"


async def test_after_all_of_this_the_record_is_whole_and_the_views_are_equal(system: System) -> None:
    await system.audit()
    await system.replay_is_equal()
