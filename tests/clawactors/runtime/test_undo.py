"""What steps have done is undone, the last one first, whatever dies meanwhile."""

import asyncio
import os
import random
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from clawactors import Refused, Retry, SyncTask, Task, skill, step
from clawactors.systems.skills import Skill
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks.events import TaskError
from clawactors.systems.tasks.row import row
from tests.clawactors.runtime import isolated
from tests.clawactors.runtime.cluster import Cluster, KillAt, Stage
from tests.clawactors.runtime.test_output import printed

world: list[str] = []
"""What was done and undone."""

own_world: ContextVar[list[str] | None] = ContextVar("own_world", default=None)
"""That of one walk, where several go on at a time."""

trouble: dict[str, int] = {}
"""How often a call of that name fails."""


@pytest.fixture(autouse=True)
def _fresh() -> None:
    world.clear()
    trouble.clear()


def _happens(what: str) -> None:
    if trouble.get(what, 0) > 0:
        trouble[what] -= 1
        raise ConnectionError(f"{what} failed")
    found = own_world.get()
    (world if found is None else found).append(what)


async def refund(charge: dict[str, Any], who: str, *, amount: int) -> None:
    """Takes what the step returned, and its arguments."""
    _happens(f"refund {charge['id']} {who} {amount}")


@step(retry=Retry(2, wait_s=0.001), timeout=0.05)
def release(_: Any, item: str) -> None:
    """Has a policy of its own."""
    _happens(f"release {item}")


async def hang(_: Any) -> None:
    """Never ends."""
    world.append("hang")
    await asyncio.Event().wait()


hangs = step(hang, timeout=0.01, retry=Retry(1, wait_s=0.001))


@step(undo=refund)
async def charge(who: str, *, amount: int) -> dict[str, Any]:
    """Charges."""
    _happens("charge")
    return {"id": 7}


@step(undo=release)
def reserve(item: str) -> None:
    """Reserves, in a thread."""
    _happens(f"reserve {item}")


@step(undo=hangs)
async def stick() -> None:
    """Can't be undone."""
    _happens("stick")


@dataclass
class Receipt:
    """What a payment returns."""

    at: datetime
    parts: tuple[Decimal, ...]


def repay(receipt: Receipt, price: "Decimal", *days: date, note: Path, plain) -> None:  # type: ignore[no-untyped-def]
    """Is annotated, in part."""
    _happens(f"repay {receipt} {price!r} {days} {note!r} {plain}")


@step(undo=repay)
async def pay(price: Decimal, *days: date, note: Path, plain: date) -> Receipt:
    """Pays."""
    return Receipt(datetime(2026, 1, 2, tzinfo=UTC), (price, price))


def misread(price: Decimal) -> None:
    """Takes what the step does not return."""
    _happens("misread")


@step(undo=misread)
async def name_price() -> str:
    """Returns a text."""
    return "ten"


async def look() -> str:
    """Has nothing to undo."""
    return "seen"


async def order(task: Task, fails: str = "ship") -> str:
    """Charges, reserves, looks, ships."""
    await charge(task, "ada", amount=3)
    await task.step(look)
    await task.step(reserve, "book")
    await task.step("ship", _happens, fails)
    return "shipped"


saga = skill("saga", on_failure="compensate", retry=Retry(0))(order)
UNDONE = ["charge", "reserve book", "release book", "refund 7 ada 3"]


def said(stage: Cluster, id: str = "t") -> list[str]:
    """The steps that were undone, or not, in order."""
    kinds = {"step.compensated": "-", "step.undo_failed": "!"}
    events = stage.events(id)
    return [kinds[tag] + event.step for event in events if (tag := event.__struct_config__.tag) in kinds]


async def test_a_task_that_fails_is_undone_first(stage: Stage) -> None:
    trouble["ship"] = 9
    task = await stage.run(saga)
    assert world == UNDONE
    assert (task.life.status, task.life.undo, task.life.undoable) == ("dead", None, 0)
    assert task.life.error is not None
    assert "ship failed" in task.life.error.message
    assert said(stage) == ["-reserve", "-charge"]
    assert [entry.status for entry in task.journal.steps()] == ["compensated", "completed", "compensated", "failed"]


async def test_retries_come_before_the_undo(stage: Stage) -> None:
    trouble["ship"] = 1
    patient = skill("patient", on_failure="compensate", retry=Retry(1, wait_s=0))(order)
    await stage.run(patient)
    assert world == UNDONE[:2]
    assert (await stage.run(patient)).life.status == "completed"
    assert world == [*UNDONE[:2], "ship"]


async def test_what_was_undone_is_done_again_by_a_retry(stage: Stage) -> None:
    trouble["ship"] = 1
    await stage.run(saga)
    await stage.tell("t", c.RetryTask())
    task = await stage.run(saga)
    assert task.life.status == "completed"
    assert world == [*UNDONE, *UNDONE[:2], "ship"]


@pytest.mark.parametrize(("on_failure", "status"), [("retry", "dead"), ("manual", "blocked"), ("forward", "waiting")])
async def test_other_strategies_undo_nothing_by_themselves(stage: Stage, on_failure: Any, status: str) -> None:
    trouble["ship"] = 9
    task = await stage.run(skill("x", on_failure=on_failure, retry=Retry(0))(order))
    assert task.life.status == status
    assert world == UNDONE[:2]


async def test_forward_goes_on_after_an_error_that_would_be_final(stage: Stage) -> None:
    @skill("x", on_failure="forward", retry=Retry(0))
    async def x(task: Task) -> None:
        raise ValueError("of no use")

    assert (await stage.run(x)).life.status == "waiting"
    await stage.tell("t", c.Cancel())
    assert (await stage.run(x, id="u", max_retries=0)).life.status == "failed"


async def test_a_failing_undo_is_tried_again_then_recorded_and_the_others_go_on(stage: Stage) -> None:
    trouble.update({"ship": 9, "release book": 3})
    task = await stage.run(saga)
    assert said(stage) == ["!reserve", "-charge"]
    assert world == ["charge", "reserve book", "refund 7 ada 3"]
    assert task.life.error is not None
    assert "not undone: reserve" in task.life.error.message
    [entry] = [each for each in task.journal.steps() if each.name == "reserve"]
    assert entry.status == "undo_failed"
    assert "release book failed" in entry.error
    await stage.tell("t", c.RetryTask())
    trouble.clear()
    await stage.run(saga)
    assert world[3:] == ["charge", "ship"]  # what could not be undone is still done


async def test_an_undo_that_fails_now_and_then_succeeds(stage: Stage) -> None:
    trouble.update({"ship": 9, "release book": 2})
    await stage.run(saga)
    assert said(stage) == ["-reserve", "-charge"]


async def test_an_undo_that_hangs_has_its_time(stage: Stage) -> None:
    @skill("x", on_failure="compensate", retry=Retry(0))
    async def x(task: Task) -> None:
        await charge(task, "ada", amount=3)
        await stick(task)
        raise RuntimeError("after all")

    task = await stage.run(x)
    assert said(stage) == ["!stick", "-charge"]
    assert world == ["charge", "stick", "hang", "hang", "refund 7 ada 3"]
    assert task.life.status == "dead"


async def test_code_undoes_by_itself_and_returns(stage: Stage) -> None:
    @skill("x")
    async def x(task: Task) -> Any:
        try:
            return await order(task)
        except ConnectionError:
            left = await task.compensate()
            return {"left": left, "again": await task.compensate()}

    trouble.update({"ship": 9, "release book": 3})
    task = await stage.run(x)
    assert (task.life.status, task.life.result) == ("completed", {"left": ["reserve"], "again": ["reserve"]})
    assert world == ["charge", "reserve book", "refund 7 ada 3"]


async def test_sync_code_undoes_too(stage: Stage) -> None:
    @skill("x", retry=Retry(0))
    def x(task: SyncTask) -> None:
        task.step(reserve, "book")
        try:
            task.step("ship", _happens, "ship")
        except ConnectionError:
            assert task.compensate() == []
            raise

    trouble["ship"] = 9
    assert (await stage.run(x)).life.status == "dead"
    assert world == ["reserve book", "release book"]


async def test_undone_code_can_not_wait(stage: Stage) -> None:
    @skill("x", retry=Retry(0))
    async def x(task: Task) -> None:
        await charge(task, "ada", amount=3)
        await task.compensate("enough")
        await task.sleep("1h")

    error = (await stage.run(x)).life.error
    assert error is not None
    assert "so it can't wait any more" in error.message


async def test_without_steps_to_undo_nothing_is_recorded(stage: Stage) -> None:
    @skill("x", on_failure="compensate", retry=Retry(0))
    async def x(task: Task) -> None:
        await task.step(look)
        assert await task.compensate() == []
        raise RuntimeError("after all")

    await stage.run(x)
    assert "task.compensating" not in stage.named("t")


async def test_a_large_result_and_large_arguments_are_there_for_the_undo(stage: Stage) -> None:
    @skill("x", on_failure="compensate", retry=Retry(0))
    async def x(task: Task) -> None:
        await task.step(reserve, "b" * 300_000)
        raise RuntimeError("after all")

    await stage.run(x)
    assert world == ["reserve " + "b" * 300_000, "release " + "b" * 300_000]


async def test_arguments_that_can_not_be_kept_are_refused_before_the_step_runs(stage: Stage) -> None:
    @skill("x")
    async def x(task: Task) -> None:
        await task.step(reserve, object())  # type: ignore[arg-type]

    error = (await stage.run(x)).life.error
    assert error is not None
    assert "step 'reserve' has an undo, which needs its arguments" in error.message
    assert world == []


async def test_an_undo_that_is_gone_after_a_deploy_is_recorded_as_failed(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    trouble["ship"] = 1
    attempt = await stage.assign(skill("saga", on_failure="retry", retry=Retry(0))(order))
    await stage.begin(attempt)
    monkeypatch.delitem(globals(), "refund")
    await stage.tell("t", c.Cancel("ada", undo=True))
    task = await stage.run(saga)
    assert said(stage) == ["-reserve", "!charge"]
    assert "there is no 'refund' in the skill's module" in task.journal.last("charge").error  # type: ignore[union-attr]
    assert task.life.status == "cancelled"


# Cancels


@pytest.mark.parametrize("was", ["running", "waiting", "paused", "blocked", "dead", "scheduled"])
async def test_a_cancel_undoes_where_that_is_asked_for(stage: Stage, was: str) -> None:
    reached = asyncio.Event()

    @skill("x", retry=Retry(0))
    async def x(task: Task) -> None:
        await charge(task, "ada", amount=3)
        reached.set()
        match was:
            case "waiting" | "scheduled" | "paused":
                await task.sleep("1h")
            case "blocked":
                raise PermissionError("ask somebody")
            case "dead":
                raise RuntimeError("no")
            case _:
                await asyncio.Event().wait()

    attempt = await stage.assign(x)
    run = stage.begin(attempt)
    await reached.wait()
    if was != "running":
        await run
    if was == "paused":
        await stage.tell("t", c.Pause())
    if was == "scheduled":
        attempt = await stage.assign(x)
    await stage.tell_to("n1", "t", c.Cancel("ada", undo=True))
    if was == "scheduled":
        run = stage.begin(attempt)
    if was in ("running", "scheduled"):
        await stage.hear(attempt)
        await run
    else:
        assert stage.task("t").life.status == "pending"
        await stage.run(x)
    assert stage.task("t").life.status == "cancelled"
    assert world == ["charge", "refund 7 ada 3"]


async def test_a_plain_cancel_undoes_nothing(stage: Stage) -> None:
    trouble["ship"] = 9
    await stage.run(skill("x", on_failure="manual", retry=Retry(0))(order))
    assert (await stage.tell("t", c.Cancel())).life.status == "cancelled"
    with pytest.raises(Refused):
        await stage.tell("t", c.Cancel("ada", undo=True))
    assert world == UNDONE[:2]


async def test_a_deadline_undoes_where_the_skill_wants_that(stage: Stage) -> None:
    @skill("x", on_failure="compensate")
    async def x(task: Task) -> None:
        await charge(task, "ada", amount=3)
        await asyncio.Event().wait()

    attempt = await stage.assign(x)
    run = stage.begin(attempt)
    await stage.until_event("t", "step.completed")
    await stage.tell_to("n1", "t", c.Expire(TaskError("timeout", "its deadline has passed")))
    await stage.hear(attempt)
    await run
    life = stage.task("t").life
    assert (life.status, life.error and life.error.kind) == ("failed", "timeout")
    assert world == ["charge", "refund 7 ada 3"]


# Losses


async def test_an_undo_that_kills_its_nodes_is_given_up(stage: Stage) -> None:
    trouble["ship"] = 1
    await stage.run(skill("saga", on_failure="manual", retry=Retry(0))(order))
    await stage.tell("t", c.Cancel("ada", undo=True))
    for _ in range(2):
        fence = (await stage.assign(saga)).fence
        await stage.tell("t", c.StartTask(fence))
        await stage.interrupt()
    await stage.run(saga)
    assert said(stage) == ["!reserve", "-charge"]
    assert stage.task("t").life.status == "cancelled"


async def walk(seed: int, point: str, at: int, how: str, code: Skill) -> tuple[Cluster, list[str]]:
    """One order on two nodes; the one that appends the `at`-th commit of the task dies there."""
    happened: list[str] = []
    own_world.set(happened)
    trouble["ship"] = 1000
    chance = random.Random(seed)
    async with Cluster() as cluster:
        await cluster.control()
        kill = KillAt(cluster, "t", at, point)
        for id in ("n1", "n2"):
            await cluster.node(id, [code], slots=chance.choice((1, 5)), lease_s=0.2)
            kill.watch(f"node/{id}")
        client = cluster.client()
        await client.submit(code.name, id="t")
        if how == "cancel":
            await cluster.until_status("t", "blocked", "pending", "scheduled", "running")
            await cluster.until(lambda: cluster.task("t").life.status == "blocked" or kill.dying)
            await cluster.until_status("t", "blocked")
            await client.cancel("t", undo=True)
        await cluster.until_status("t", "dead", "failed", "cancelled")
        await asyncio.gather(*kill.dying)
        return cluster, happened


@pytest.mark.parametrize("how", ["failure", "cancel", "code"])
@pytest.mark.parametrize("point", ["before", "after"])
async def test_a_kill_at_any_append_undoes_all_in_order(how: str, point: str) -> None:
    async def by_code(task: Task) -> None:
        try:
            await order(task)
        except ConnectionError:
            await task.compensate()
            raise

    code = {
        "failure": saga,
        "cancel": skill("saga", on_failure="manual", retry=Retry(0))(order),
        "code": skill("saga", retry=Retry(0))(by_code),
    }[how]
    points = range(1, 10)
    walks = await asyncio.gather(*(walk(at, point, at, how, code) for at in points))
    for at, (cluster, happened) in zip(points, walks, strict=True):
        told = f"kill {point} append {at}: {happened} {cluster.named('t')}"
        assert said(cluster) == ["-reserve", "-charge"], told
        status = {"failure": ("dead",), "cancel": ("cancelled",), "code": ("dead", "failed")}[how]
        assert cluster.task("t").life.status in status, told
        undone = [each for each in happened if each.startswith(("re", "refund")) and "reserve" not in each]
        once = [each for at, each in enumerate(undone) if each not in undone[:at]]
        assert once == UNDONE[2:], told  # at least once each, in order
        assert len(undone) <= 3, told  # at most the one that ran is repeated


async def test_isolated_code_is_undone_in_a_process_too(stage: Stage, tmp_path: Path) -> None:
    file = tmp_path / "file"
    task = await stage.run(isolated.touches, {"file": str(file)})
    assert (task.life.status, said(stage)) == ("dead", ["-touch"])
    [left] = os.listdir(tmp_path)
    name, _, pid = left.rpartition(".")
    assert name == "file.made"
    assert int(pid) != os.getpid()
    assert f"undone in {pid}" in await printed(stage)


async def test_an_undo_gets_what_it_is_annotated_with(stage: Stage) -> None:
    @skill("x", on_failure="compensate")
    async def x(task: Task) -> None:
        await pay(task, Decimal("9.50"), date(2026, 1, 3), note=Path("a"), plain=date(2026, 1, 4))
        raise ValueError

    await stage.run(x)
    receipt, price = Receipt(datetime(2026, 1, 2, tzinfo=UTC), (Decimal("9.50"),) * 2), Decimal("9.50")
    assert world == [f"repay {receipt} {price!r} {(date(2026, 1, 3),)} {Path('a')!r} 2026-01-04"]


async def test_an_undo_that_is_annotated_with_something_else_is_not_called_and_says_so(stage: Stage) -> None:
    @skill("x", on_failure="compensate")
    async def x(task: Task) -> None:
        await charge(task, "ada", amount=3)
        await name_price(task)
        raise ValueError

    task = await stage.run(x)
    assert (world, said(stage)) == (["charge", "refund 7 ada 3"], ["!name_price", "-charge"])
    [entry] = [each for each in task.journal.steps() if each.name == "name_price"]
    assert "the argument 'price' of 'misread' is no Decimal, as it is annotated" in entry.error


async def test_a_client_cancels_with_undo_and_the_row_tells() -> None:
    reached = asyncio.Event()

    @skill("x")
    async def x(task: Task) -> None:
        await charge(task, "ada", amount=3)
        reached.set()
        await task.signal("never")

    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [x])
        ref = await cluster.client().submit("x", id="t")
        await reached.wait()
        await ref.cancel(undo=True)
        task = await cluster.until_status("t", "cancelled")
        assert world == ["charge", "refund 7 ada 3"]
        assert [each["status"] for each in row("t", 1, task)["steps"]] == ["compensated"]
