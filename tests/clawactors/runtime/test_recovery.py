"""`@skill(recover=…)`: it is asked before the code of a task goes on whose node was lost, once a loss."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from clawactors import LostWork, Refused, Retry, SyncTask, Task, TaskFailed, skill, step
from clawactors.kernel.fold import Snapshot, fold
from clawactors.systems.tasks import Task as TaskState
from clawactors.systems.tasks.kind import TASKS
from clawactors.testing import Cluster
from tests.clawactors.runtime import isolated
from tests.clawactors.runtime.cluster import page
from tests.clawactors.runtime.cluster import until as until_appended

world: list[str] = []
asked: list[LostWork] = []


@pytest.fixture(autouse=True)
def _fresh() -> None:
    world.clear()
    asked.clear()


def refund(_: Any, amount: int) -> None:
    world.append(f"refund {amount}")


@step(undo=refund)
async def charge(amount: int) -> int:
    world.append(f"charge {amount}")
    return amount


async def hang(what: str) -> str:
    world.append(what)
    await asyncio.Event().wait()
    return what


async def find_payment() -> str:
    world.append("find")
    return "found"


async def until(cluster: Cluster, id: str, holds: Callable[[TaskState], object]) -> TaskState:
    """The task, once that is so."""
    log = cluster._host.log

    def task() -> TaskState:
        known: Snapshot[TaskState] = Snapshot(TaskState())
        for record in log._records:
            if record.subject.startswith(f"claw.task.{id}."):
                known = fold(TASKS, known, record)
        return known.state

    await until_appended(log, lambda: holds(task()))
    return task()


async def lost(cluster: Cluster, ref: Any, step: str) -> None:
    """The node of the task is lost while that step runs, or once it has."""
    task = await until(cluster, ref.id, lambda task: task.life.node and task.journal.last(step))
    await cluster.kill_node(task.life.node)


async def test_it_gets_what_was_in_progress_and_may_look_in_steps() -> None:
    async def recover(task: Task, lost: LostWork) -> None:
        asked.append(lost)
        world.append(await task.step("look", find_payment))

    @skill("pays", recover=recover)
    async def pays(task: Task) -> int:
        await charge(task, 5)
        await task.step("ship", hang if task.attempt == 1 else find_payment)
        return task.attempt

    async with Cluster([pays], nodes=2) as cluster:
        ref = await cluster.client.submit("pays")
        await lost(cluster, ref, "ship")
        assert await ref.result() == 2
        assert world == ["charge 5", "ship", "find", "found", "find"] or world[0] == "charge 5"
        offered = next(each for each in await cluster.client.skills_known() if each.name == "pays")
        assert offered.recover.endswith("recover")
        [found] = asked
        assert (found.attempt, found.number, [each.name for each in found.steps]) == (1, 1, ["ship"])
        assert (cluster.now - found.steps[0].started_at).total_seconds() < 60
        row = await cluster.client.task(ref.id)
        assert [(each.name, each.status) for each in row.steps or ()] == [
            ("charge", "completed"),
            ("ship", "completed"),
            ("recovery:1/look", "completed"),
            ("recovery:1", "completed"),
        ]


async def test_it_is_asked_once_a_loss_and_not_after_other_interruptions() -> None:
    async def recover(task: Task, lost: LostWork) -> None:
        asked.append(lost)

    @skill("often", recover=recover, retry=Retry(2, wait_s=0.001))
    async def often(task: Task) -> str:
        await task.step("one", hang if task.attempt in (1, 2) else find_payment)
        if task.attempt == 3:
            raise ConnectionError("away")
        return str(await task.signal("go"))

    async with Cluster([often], nodes=4) as cluster:
        ref = await cluster.client.submit("often")
        await lost(cluster, ref, "one")
        await lost(cluster, ref, "recovery:1")
        await cluster.sleep("1m")
        assert [(each.attempt, each.number) for each in asked] == [(1, 1), (2, 2)]
        row = await cluster.client.task(ref.id)
        assert row.parked_on is not None
        await cluster.stop_node(row.parked_on)
        await ref.signal("go", "on")
        assert await ref.result() == "on"
        assert len(asked) == 2


async def test_it_is_asked_again_where_it_was_lost_itself_and_its_steps_are_kept() -> None:
    async def recover(task: Task, lost: LostWork) -> None:
        asked.append(lost)
        await task.step("look", find_payment)
        if len(asked) == 1:
            await task.step("hangs", hang, "recovering")

    @skill("twice", recover=recover)
    async def twice(task: Task) -> int:
        await task.step("one", hang if task.attempt == 1 else find_payment)
        return task.attempt

    async with Cluster([twice], nodes=3) as cluster:
        ref = await cluster.client.submit("twice")
        await lost(cluster, ref, "one")
        await lost(cluster, ref, "recovery:1/hangs")
        assert await ref.result() == 3
        assert [each.number for each in asked] == [1, 1]
        assert [each.name for each in asked[1].steps] == ["one", "recovery:1/hangs"]
        assert world.count("find") == 2, "one look, and the step itself"


@pytest.mark.parametrize("on_failure", ["retry", "compensate"])
async def test_what_it_raises_is_the_failure_of_the_task(on_failure: Any) -> None:
    async def recover(task: Task, lost: LostWork) -> None:
        raise Refused(f"{lost.steps[0].name} may have happened: look at the bank")

    @skill("gives-up", recover=recover, on_failure=on_failure)
    async def gives_up(task: Task) -> None:
        await charge(task, 5)
        await task.step("pay", hang)

    async with Cluster([gives_up], nodes=2) as cluster:
        ref = await cluster.client.submit("gives-up")
        await lost(cluster, ref, "pay")
        with pytest.raises(TaskFailed, match="pay may have happened"):
            await ref.result()
        assert ("refund 5" in world) == (on_failure == "compensate")


async def test_one_that_fails_for_a_while_is_tried_again_and_still_asked() -> None:
    async def recover(task: Task, lost: LostWork) -> None:
        asked.append(lost)
        if len(asked) == 1:
            raise ConnectionError("the bank is away")

    @skill("patient", recover=recover, retry=Retry(2, wait_s=0.001))
    async def patient(task: Task) -> str:
        return await task.step("pay", hang if task.attempt == 1 else find_payment)

    async with Cluster([patient], nodes=2) as cluster:
        ref = await cluster.client.submit("patient")
        await lost(cluster, ref, "pay")
        assert await ref.result() == "found"
        assert len(asked) == 2


async def test_it_neither_waits_nor_makes_children_nor_returns_anything() -> None:
    said: list[str] = []

    async def recover(task: Task, lost: LostWork) -> str:
        for call in (task.sleep("1h"), task.signal("x"), task.approve("?"), task.run("other"), task.continue_as({})):
            try:
                await call
            except Refused as error:
                said.append(str(error))
        return "compensate"

    @skill("odd", recover=recover)
    async def odd(task: Task) -> None:
        await task.step("pay", hang)

    async with Cluster([odd], nodes=2) as cluster:
        ref = await cluster.client.submit("odd")
        await lost(cluster, ref, "pay")
        with pytest.raises(TaskFailed, match="recover returns nothing"):
            await ref.result()
        assert len(said) == 5
        assert all("recover of a skill takes steps" in each for each in said)


async def test_a_step_of_the_code_may_make_the_same_call_as_one_of_recover() -> None:
    async def recover(task: Task, lost: LostWork) -> None:
        await task.step(find_payment)

    @skill("same", recover=recover)
    async def same(task: Task) -> int:
        if task.attempt == 1:
            await task.step("pay", hang)
        found = await task.step(find_payment)
        if task.attempt == 2:
            await task.step("again", hang)
        return len(found)

    async with Cluster([same], nodes=3) as cluster:
        ref = await cluster.client.submit("same")
        await lost(cluster, ref, "pay")
        await lost(cluster, ref, "again")
        assert await ref.result() == 5


async def test_five_losses_end_a_task_that_only_recovers() -> None:
    async def recover(task: Task, lost: LostWork) -> None:
        asked.append(lost)
        await task.step("look", find_payment)

    @skill("killer", recover=recover)
    async def killer(task: Task) -> None:
        await task.step("deadly", hang)

    async with Cluster([killer], nodes=5) as cluster:
        ref = await cluster.client.submit("killer")
        for number in range(5):
            await lost(cluster, ref, f"recovery:{number}" if number else "deadly")
        with pytest.raises(TaskFailed, match="dead"):
            await ref.result()
        assert len(asked) == 4


async def test_sync_code_is_recovered_in_its_thread_and_in_its_process() -> None:
    def recover(task: SyncTask, lost: LostWork) -> None:
        asked.append(lost)
        task.step("look", str, [each.name for each in lost.steps])

    gate = asyncio.Event()

    @skill("sync", recover=recover)
    def sync(task: SyncTask) -> int:
        task.step("s", str, 1)
        if task.attempt == 1:
            loop.call_soon_threadsafe(gate.set)
            task.signal("never", timeout="9h")
        return task.attempt

    loop = asyncio.get_running_loop()
    async with Cluster([sync, isolated.recovers], nodes=2) as cluster:
        ref = await cluster.client.submit("sync")
        await gate.wait()
        row = await cluster.client.task(ref.id)
        assert row.node is not None
        await cluster.kill_node(row.node)
        if not asked:  # it had parked, and nothing is lost of what only waits
            await ref.signal("never")
        assert await ref.result() in (1, 2)


async def test_an_isolated_skill_is_asked_in_its_own_process() -> None:
    async with Cluster([isolated.recovers], nodes=2) as cluster:
        ref = await cluster.client.submit("isolated-recovers")
        task = await until(cluster, ref.id, lambda task: task.life.status == "running")
        await cluster.kill_node(task.life.node)
        assert await ref.result() == [2, 8]
        names = [each.name for each in (await cluster.client.task(ref.id)).steps or ()]
        assert names == ["recovery:1/look", "recovery:1", "s"] or names == ["s", "recovery:1/look", "recovery:1"]


def test_what_can_not_recover_is_refused_at_load() -> None:
    async def later(task: Task, lost: LostWork) -> None: ...

    with pytest.raises(ValueError, match="recover of skill 'x' must be sync"):

        @skill("x", recover=later)
        def x(task: SyncTask) -> None: ...

    with pytest.raises(ValueError, match="recover is a function"):
        skill("y", recover="later")  # type: ignore[arg-type]


async def test_the_page_of_tasks_looks_before_it_pays_again(monkeypatch: pytest.MonkeyPatch) -> None:
    payments = page("payments.py")
    monkeypatch.setattr(payments, "pay", hang)

    async with Cluster([payments.pay_order], nodes=2) as cluster:
        ref = await cluster.client.submit("pay-order", {"order": "tea"})
        task = await until(cluster, ref.id, lambda task: task.life.node and task.journal.last("hang"))
        monkeypatch.setattr(payments, "pay", page("payments.py").pay)
        await cluster.kill_node(task.life.node)
        assert await ref.result() == "paid tea"
