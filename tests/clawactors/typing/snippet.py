"""What mypy knows of steps and skills: read by a test, never run. Each `type: ignore` marks a mistake that it finds."""

from collections.abc import AsyncIterator, Generator
from dataclasses import dataclass
from typing import Any, assert_type

from clawactors import Chunk, Client, LostWork, SyncClient, SyncRef, SyncTask, SyncTypedRef, Task, TaskRow, skill, step


@dataclass
class Page:
    url: str
    size: int


async def get(url: str) -> Page:
    return Page(url, 1)


def parse(page: Page, *, strict: bool = False) -> int:
    return page.size


@step(timeout="5s")
async def charge(amount: int) -> str:
    return str(amount)


@skill("fetch")
async def fetch(task: Task, url: str, depth: int = 1) -> Page:
    page = await task.step(get, url)
    assert_type(page, Page)
    assert_type(await task.step(parse, page, strict=True), int)
    assert_type(await task.step(charge, 5), str)
    assert_type(await charge(task, 5), str)
    await task.step(get, 5)  # type: ignore[call-overload]
    await task.step(parse, page, strikt=True)  # type: ignore[call-arg, arg-type]
    await task.step(charge, "5")  # type: ignore[call-overload]
    if task.patched("deep"):
        task.answer("depth", lambda: depth)
        await task.continue_as(fetch.call(url, depth=2))
    if task.patched("deeper"):
        await task.continue_as({"url": url})
    task.patched(5)  # type: ignore[arg-type]
    task.answer("depth", depth)  # type: ignore[arg-type]
    if depth > 5:
        await task.continue_as(url)  # type: ignore[arg-type]
    return page


async def look(task: Task, lost: LostWork) -> None:
    assert_type([each.name for each in lost.steps], list[str])


@skill("count", recover=look)
def count(task: SyncTask, upto: int) -> int:
    assert_type(task.step(parse, Page("", 1)), int)
    task.step(parse, "page")  # type: ignore[call-overload]
    return upto


@skill("chunks")
async def chunks(task: Task, upto: int) -> AsyncIterator[int]:
    yield upto


async def use(claw: Client) -> None:
    assert_type(await claw.run(fetch.call("https://x", depth=2), wait_s=5), Page)
    assert_type(await claw.run(fetch, {"url": "https://x"}), Page)
    assert_type(await claw.run(count.call(upto=3)), int)
    assert_type(await claw.run("count", {"upto": 3}), Any)
    assert_type(await (await claw.submit(fetch.call("https://x"), priority="high")).result(), Page)
    await claw.run(chunks.call(3))
    fetch.call(5)  # type: ignore[arg-type]
    fetch.call("https://x", deep=2)  # type: ignore[call-arg]
    fetch.call()  # type: ignore[call-arg]
    await claw.run(count.call(3), wait=5)  # type: ignore[call-overload]
    assert_type(await claw.ref("t").ask("depth", 1, timeout="5s"), Any)
    await claw.ref("t").ask(5)  # type: ignore[arg-type]


def use_sync(claw: SyncClient) -> None:
    with SyncClient.connect(user="ada") as other:
        assert_type(other, SyncClient)
    assert_type(claw.run(fetch.call("https://x", depth=2), wait_s=5), Page)
    assert_type(claw.run(fetch, {"url": "https://x"}), Page)
    assert_type(claw.run("count", {"upto": 3}), Any)
    assert_type(claw.submit(fetch.call("https://x"), priority="high"), SyncTypedRef[Page])
    assert_type(claw.submit(fetch.call("https://x"), priority="high").result(), Page)
    assert_type(claw.submit("count", {"upto": 3}), SyncRef)
    assert_type(claw.ref("t").stream(), Generator[Chunk])
    assert_type(list(claw.each_task(status="dead")), list[TaskRow])
    assert_type([row.id for row in claw.at("-2h").tasks(status="failed")], list[str])
    assert_type([row.name for row in claw.schedules.list()], list[str])
    claw.change_many(["t"], claw.cancel)
    claw.change_many(["t"], lambda task: claw.signal(task, "go"))
    claw.run(count.call(3), wait=5)  # type: ignore[call-overload]
    claw.tasks(stat="dead")  # type: ignore[call-arg]
    claw.skills.knows("fetch")  # type: ignore[attr-defined]
