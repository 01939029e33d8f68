"""`task.continue_as`: a task that lives long begins anew under its id, and its state stays small."""

import asyncio
from typing import Any

import pytest

from clawactors import Refused, Retry, SyncTask, Task, TaskFailed, TaskSuspended, skill
from clawactors.kernel.transfer import encode_state
from clawactors.systems.tasks import events as e
from clawactors.testing import Cluster as Kit
from tests.clawactors.runtime import isolated
from tests.clawactors.runtime.cluster import Cluster, KillAt, page


async def nothing() -> None:
    """A step."""


@skill("counter")
async def counter(task: Task, done: int = 0, upto: int = 3) -> int:
    await task.step(nothing)
    if done < upto:
        await task.continue_as({"done": done + 1, "upto": upto})
    return done


async def test_the_one_who_waits_gets_the_result_of_the_last_run() -> None:
    async with Kit([counter]) as cluster:
        ref = await cluster.client.submit("counter", {"upto": 3}, id="t", deadline_ns=2**62)
        assert await ref.result() == 3
        row = await cluster.client.task("t")
        assert (row.run, row.attempt, row.params, len(row.steps or ())) == (4, 1, {"done": 3, "upto": 3}, 1)
        assert row.deadline is not None
        told = [entry.data for entry in await cluster.client.history("t") if entry.type == "task.continued"]
        assert [each["run"] for each in told] == [2, 3, 4]
        same = await cluster.client.submit("counter", {"upto": 3}, id="t", deadline_ns=2**62)
        assert await same.result() == 3
        with pytest.raises(Refused, match="different parameters"):
            await cluster.client.submit("counter", {"done": 3, "upto": 3}, id="t", deadline_ns=2**62)


async def test_state_and_snapshot_stay_small_however_often_it_continues() -> None:
    sizes = []
    async with Kit([counter]) as cluster:
        for upto in (5, 50):
            ref = await cluster.client.submit("counter", {"upto": upto})
            assert await ref.result() == upto
            known = await ref.snapshot()
            assert known.state.life.run == upto + 1
            sizes.append(len(encode_state(known.state)))
    assert sizes[1] < sizes[0] + 20


async def test_no_signal_is_lost_or_taken_twice_however_fast_they_come() -> None:
    @skill("fold")
    async def fold(task: Task, seen: list[int], upto: int) -> list[int]:
        seen = [*seen, await task.signal("add")]
        if len(seen) % 3 == 0:
            await task.step(nothing)
        if len(seen) < upto:
            await task.continue_as({"seen": seen, "upto": upto})
        return seen

    async with Kit([fold], nodes=2, seed=3) as cluster:
        ref = await cluster.client.submit("fold", {"seen": [], "upto": 40})
        for number in range(40):
            await ref.signal("add", number)
        assert await ref.result() == list(range(40))


async def test_a_signal_that_was_only_waited_for_is_there_for_the_next_run() -> None:
    @skill("gives-up")
    async def gives_up(task: Task, tries: int = 0) -> Any:
        async def never() -> None:
            await task.signal("late")

        if tries == 0:
            waiting = asyncio.create_task(never())
            await task.signal("go")
            assert not waiting.done()
            await task.continue_as({"tries": 1})
        return await task.signal("late")

    async with Kit([gives_up]) as cluster:
        ref = await cluster.client.submit("gives-up")
        await ref.signal("go")
        await ref.signal("late", 7)
        assert await ref.result() == 7


async def test_a_timer_of_the_old_run_does_not_wake_the_new_one() -> None:
    @skill("rests")
    async def rests(task: Task, run: int = 1) -> int:
        if run == 1:
            long = asyncio.create_task(task.sleep("1h"))
            await task.sleep("1m")
            assert not long.done()
            await task.continue_as({"run": 2})
        before = task.attempt
        await task.sleep("3h")
        return before

    async with Kit([rests]) as cluster:
        began = cluster.now
        assert await cluster.client.run("rests") == 1
        assert 3 * 3600 < (cluster.now - began).total_seconds() < 3 * 3600 + 120
        assert len(cluster.nodes) == 1


async def test_nothing_after_it_runs_and_cleanup_takes_no_steps() -> None:
    said: list[str] = []

    @skill("clean")
    async def clean(task: Task, run: int = 1) -> int:
        if run == 2:
            return run
        await task.step(nothing)

        async def beside() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                said.append("sibling ended")

        asyncio.create_task(beside())  # noqa: RUF006 - the run ends it
        await asyncio.sleep(0)
        try:
            try:
                await task.continue_as({"run": 2})
            except Exception:
                said.append("caught as an error")
            said.append("after it")
        finally:
            try:
                await task.step("late", nothing)
            except TaskSuspended:
                said.append("no step")
        return 99

    async with Kit([clean]) as cluster:
        ref = await cluster.client.submit("clean")
        assert await ref.result() == 2
        assert said == ["no step", "sibling ended"]


async def test_code_that_swallows_it_ends_all_the_same() -> None:
    @skill("swallows")
    async def swallows(task: Task, run: int = 1) -> Any:
        if run == 2:
            return "second"
        await task.step(nothing)
        results = await asyncio.gather(task.continue_as({"run": 2}), return_exceptions=True)
        return f"first: {len(results)}"

    async with Kit([swallows]) as cluster:
        assert await cluster.client.run("swallows") == "second"


@pytest.mark.parametrize("how", ["gather", "group", "left alone"])
async def test_a_branch_that_continues_ends_the_others_wherever_they_wait(how: str) -> None:
    ended: list[str] = []

    @skill("branches")
    async def branches(task: Task, run: int = 1) -> str:
        if run == 2:
            return "second"
        await task.step(nothing)

        async def waits() -> None:
            try:
                await (asyncio.Event().wait() if how == "left alone" else task.signal("never"))
            except asyncio.CancelledError:
                ended.append("cancelled")
                raise
            except TaskSuspended:
                ended.append("suspended")
                raise

        async def goes_on() -> None:
            await asyncio.sleep(0)
            await task.continue_as({"run": 2})

        if how == "gather":
            await asyncio.gather(waits(), goes_on())
        elif how == "group":
            async with asyncio.TaskGroup() as group:
                group.create_task(waits())
                group.create_task(goes_on())
        else:
            alone = asyncio.create_task(goes_on())
            await waits()
            await alone
        return "first"

    async with Kit([branches]) as cluster:
        assert await cluster.client.run("branches") == "second"
        assert ended == ["suspended"] or (how != "left alone" and ended == ["cancelled"])


async def test_what_it_goes_on_with_is_checked_before_anything_ends() -> None:
    @skill("checks")
    async def checks(task: Task, n: int = 0) -> list[str]:
        said = []
        for wrong in ({"n": "many"}, {"m": 1}, {"n": object()}, [1], counter.call(5)):
            try:
                await task.continue_as(wrong)  # type: ignore[arg-type]
            except Refused as error:
                said.append(str(error))
        if n == 0:
            await task.continue_as(checks.call(1))
        return said

    async with Kit([checks]) as cluster:
        said = await cluster.client.run("checks")
        assert len(said) == 5
        assert "goes on with its own skill 'checks'" in said[4]


async def test_large_parameters_go_by_reference() -> None:
    @skill("grows")
    async def grows(task: Task, text: str) -> int:
        await task.step(nothing)
        if len(text) < 300_000:
            await task.continue_as({"text": text * 300_000})
        return len(text)

    async with Kit([grows]) as cluster:
        assert await cluster.client.run("grows", {"text": "ä"}) == 300_000


async def test_retries_of_a_run_begin_anew_and_a_retry_by_hand_stays_in_its_run() -> None:
    tries: list[tuple[int, int]] = []

    @skill("fails", retry=Retry(1, wait_s=0.001))
    async def fails(task: Task, run: int = 1) -> int:
        tries.append((run, task.attempt))
        await task.step(nothing)
        if len(tries) in (1, 3, 4):
            raise ConnectionError("away")
        if run == 1:
            await task.continue_as({"run": 2})
        return run

    async with Kit([fails]) as cluster:
        ref = await cluster.client.submit("fails")
        with pytest.raises(TaskFailed, match="away"):
            await ref.result()
        assert tries == [(1, 1), (1, 2), (2, 1), (2, 2)]
        await ref.retry()
        assert await ref.result() == 2
        assert tries[4:] == [(2, 3)]


async def test_a_cancel_wins_over_a_new_run_and_cleans_up() -> None:
    said: list[str] = []

    @skill("stops", cancel_grace_s=5)
    async def stops(task: Task) -> None:
        try:
            await task.signal("never")
        except asyncio.CancelledError:
            try:
                await task.continue_as({})
            except Refused as error:
                said.append(str(error))
            raise

    async with Kit([stops]) as cluster:
        ref = await cluster.client.submit("stops")
        await cluster.settle()
        await ref.cancel()
        with pytest.raises(TaskFailed, match="cancelled"):
            await ref.result()
        assert "being cancelled" in said[0]


async def test_a_loop_that_does_nothing_goes_round_once_a_second() -> None:
    @skill("spins")
    async def spins(task: Task, n: int = 0) -> int:
        if n < 5:
            await task.continue_as({"n": n + 1})
        return n

    async with Kit([spins]) as cluster:
        began = cluster.now
        assert await cluster.client.run("spins") == 5
        assert (cluster.now - began).total_seconds() >= 5


# Children


async def test_children_of_each_run_are_its_own_and_those_of_the_old_one_are_left() -> None:
    made: list[int] = []

    @skill("double")
    async def double(task: Task, n: int) -> int:
        made.append(n)
        return 2 * n

    @skill("slow")
    async def slow(task: Task) -> str:
        return str(await task.signal("go"))

    @skill("parent")
    async def parent(task: Task, n: int = 1, total: int = 0) -> int:
        total += await task.run(double, {"n": n})
        if n == 1:
            await task.submit(slow, key="slow")
        if n < 3:
            await task.continue_as({"n": n + 1, "total": total})
        return total

    async with Kit([double, slow, parent]) as cluster:
        client = cluster.client
        ref = await client.submit("parent")
        assert await ref.result() == 2 + 4 + 6
        assert made == [1, 2, 3]
        [left] = [row.id for row in await client.tasks(skill="slow")]
        await client.signal(left, "go", "on")
        assert await client.ref(left).result() == "on"
        assert len((await client.tasks(parent=ref.id)).rows) == 4


async def test_a_parent_waits_for_the_last_run_of_its_child() -> None:
    @skill("above")
    async def above(task: Task) -> int:
        return await task.run(counter, {"upto": 4})

    async with Kit([counter, above]) as cluster:
        assert await cluster.client.run("above") == 4


async def test_after_a_takeover_a_run_is_not_told_of_the_children_of_earlier_runs() -> None:
    @skill("leaf")
    async def leaf(task: Task) -> str:
        return "leaf"

    @skill("many")
    async def many(task: Task, run: int = 1) -> int:
        await asyncio.gather(*(task.run(leaf) for _ in range(5)))
        if run < 3:
            await task.continue_as({"run": run + 1})
        return await task.run("gated")  # type: ignore[no-any-return]

    @skill("gated")
    async def gated(task: Task) -> int:
        return int(await task.signal("go"))

    async with Kit([leaf, many, gated]) as cluster:
        ref = await cluster.client.submit("many")
        await cluster.settle()
        await cluster.restart_control()
        [child] = [row.id for row in await cluster.client.tasks(skill="gated")]
        await cluster.client.signal(child, "go", 9)
        assert await ref.result() == 9
        told = [each for each in (await ref.snapshot()).state.journal if each.status == "signalled"]
        assert sum(len(each.result) for each in told) == 6


# Sync code


@skill("sync-counter")
def sync_counter(task: SyncTask, done: int = 0) -> int:
    task.step(str, "x")
    try:
        if done < 2:
            task.continue_as(sync_counter.call(done + 1))
    except Exception:  # noqa: S110 - it is none
        pass
    return done


async def test_sync_code_continues_in_a_thread_and_in_a_process() -> None:
    async with Kit([sync_counter, isolated.continues]) as cluster:
        assert await cluster.client.run("sync-counter") == 2
        ref = await cluster.client.submit("isolated-continues")
        assert await ref.result() == [2, True]
        assert (await cluster.client.task(ref.id)).run == 2


# Kills


async def _killed(at: int, point: str) -> tuple[list[str], Cluster, int]:
    """A task of three runs with a signal a run; the node that appends the `at`-th commit of it dies there."""
    done: list[str] = []

    async def note(what: str) -> str:
        done.append(what)
        return what

    @skill("runs")
    async def runs(task: Task, run: int = 1) -> list[Any]:
        await task.step("note", note, f"run {run}")
        got = await task.signal("go")
        await task.step("late", note, f"{run} has {got}")
        if run < 3:
            await task.continue_as({"run": run + 1})
        return [run, got]

    async with Cluster() as cluster:
        await cluster.control()

        kill = KillAt(cluster, "t", at, point)
        for id in ("n1", "n2"):
            await cluster.node(id, [runs], lease_s=0.1)
            kill.watch(f"node/{id}")
        client = cluster.client()
        ref = await client.submit("runs", id="t")
        for number in range(3):
            await ref.signal("go", number)
        assert await ref.result(8) == [3, 2]
        await asyncio.gather(*kill.dying)
        return done, cluster, kill.count


@pytest.mark.parametrize("point", ["before", "after"])
async def test_a_kill_at_any_append_neither_loses_nor_repeats_a_run(point: str) -> None:
    _, _, appends = await _killed(0, point)
    assert appends >= 3
    for at in range(1, appends + 1):
        done, cluster, _ = await _killed(at, point)
        told = f"kill {point} append {at}: {done} {cluster.named('t')}"
        expected = [text for run in (1, 2, 3) for text in (f"run {run}", f"{run} has {run - 1}")]
        assert list(dict.fromkeys(done)) == expected, told
        recorded = [event.result for event in cluster.events("t") if isinstance(event, e.StepCompleted)]
        assert recorded == expected, told
        assert [event.run for event in cluster.events("t") if isinstance(event, e.Continued)] == [2, 3], told


# The page


async def test_the_page_of_tasks_polls_as_it_says() -> None:
    poll = page("poller.py").poll
    async with Kit([poll]) as cluster:
        ref = await cluster.client.submit("poll")
        await cluster.sleep("65m")
        assert await ref.ask("cursor") == 21
        assert await ref.result() == 900
        assert (await cluster.client.task(ref.id)).run == 3
