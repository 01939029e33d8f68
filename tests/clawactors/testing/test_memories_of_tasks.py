"""What tasks recall and remember: for their user, with the sources on record, the same in async and sync code."""

import contextlib
from typing import Any

import pytest

from clawactors import skill
from clawactors.kernel.errors import NotFound, Refused
from clawactors.runtime.client import ClusterClient
from clawactors.runtime.node.context import TaskContext as Task
from clawactors.runtime.node.synccontext import SyncTaskContext as SyncTask
from clawactors.testing import Cluster


@skill("ask")
async def ask(task: Task, text: str, owner: str = "") -> list[str]:
    """What it recalls."""
    wanted = {"owner": owner} if owner else {}
    rows = await task.step("recall", task.recall, text, threshold=0, **wanted)
    return sorted(row["text"] for row in rows if not row["session"])


@skill("ask-sync")
def ask_sync(task: SyncTask, text: str, owner: str = "") -> list[str]:
    """What it recalls, in a thread."""
    wanted = {"owner": owner} if owner else {}
    return sorted(row["text"] for row in task.recall(text, threshold=0, **wanted) if not row["session"])


@skill("note")
async def note(task: Task, text: str, **more: Any) -> str:
    """Remembers."""
    return await task.remember(text, **more)


@skill("learn")
async def learn(task: Task) -> dict[str, str]:
    """Recalls, then remembers."""
    before = await task.remember("said before the recall")
    await task.recall("safe", owner="alice")
    after = await task.remember("it opens with 4711")
    own = await task.remember("a measurement: 20 degrees", derived_from=())
    return {"before": before, "after": after, "own": own}


async def shown(client: ClusterClient, id: str) -> dict[str, Any]:
    row: dict[str, Any] = (await client.memories.ask("memory.show", id=id))["row"]
    return row


@pytest.mark.parametrize("name", ["ask", "ask-sync"])
async def test_a_task_recalls_for_the_user_who_submitted_it(name: str) -> None:
    async with Cluster([ask, ask_sync]) as cluster:
        alice, bob = cluster.connect("alice"), cluster.connect("bob")
        await alice.remember("My locker code is 4711.")
        await bob.remember("My locker code is 1234.")
        await cluster.client.remember("Lockers are in the basement.")
        assert await bob.run(name, {"text": "locker"}) == ["Lockers are in the basement.", "My locker code is 1234."]
        assert await cluster.client.run(name, {"text": "locker"}) == ["Lockers are in the basement."]
        on_behalf = await cluster.client.run(name, {"text": "locker"}, user="alice")
        assert on_behalf == ["Lockers are in the basement.", "My locker code is 4711."]
        refused = await bob.submit(name, {"text": "locker", "owner": "alice"}, max_retries=0)
        with pytest.raises(Exception, match="does not share memories with 'bob'"):
            await refused.result()
        await alice.memories.settings(sharing=[f"agent:{name}"])
        assert await bob.run(name, {"text": "locker", "owner": "alice"}) == ["My locker code is 4711."]


async def test_what_a_task_recalled_is_on_record_and_what_it_says_goes_with_it() -> None:
    async with Cluster([ask, learn]) as cluster:
        alice, bob = cluster.connect("alice"), cluster.connect("bob")
        safe = await alice.remember("The safe opens with 4711.")
        await alice.memories.settings(sharing=["bob"])
        told = await bob.submit("ask", {"text": "safe", "owner": "alice"}, name="tell-bob")
        assert await told.result() == ["The safe opens with 4711."]
        recalled = [entry for entry in await bob.history(told.id) if entry.type == "task.recalled"]
        assert len(recalled) == 1
        made = await bob.run("learn")
        rows = await bob.recall("", limit=20)
        result = next(row for row in rows if row["session"] == told.id)
        assert "4711" in result["text"]
        assert result["derived_from"] == [safe]
        assert [(await shown(bob, made[name]))["derived_from"] for name in ("before", "after", "own")] == [
            [], [safe], [],
        ]  # fmt: skip
        receipt = await alice.memories.forget(owner="alice")
        assert {safe, result["id"], made["after"]} <= set(receipt["ids"])
        left = [row["text"] for row in await bob.recall("", limit=20)]
        assert {"said before the recall", "a measurement: 20 degrees"} <= set(left)
        assert not any("4711" in text for text in left)


async def test_a_task_replaces_by_key_and_remembers_for_its_user_only() -> None:
    async with Cluster([note]) as cluster:
        bob = cluster.connect("bob")
        for text in ("The port is 22.", "The port is 49222.", "The port is 49222."):
            id = await bob.run("note", {"text": text, "key": "port"})
        assert (await shown(bob, id))["text"] == "The port is 49222."
        rows = await bob.memories.history("port")
        assert [row["text"] for row in rows] == ["The port is 22.", "The port is 49222."]
        assert rows[1]["by"].startswith("task/")
        await bob.memories.forget(id)
        assert await bob.run("note", {"text": "The port is 2222.", "key": "port"}) == id
        assert (await shown(bob, id))["text"] == "The port is 2222."
        wrong = await bob.submit("note", {"text": "x", "owner": "alice"}, max_retries=0)
        with pytest.raises(Exception, match="can't remember for 'alice'"):
            await wrong.result()
        shared = await bob.run("note", {"text": "The lift is broken.", "owner": ""})
        assert (await shown(cluster.connect("alice"), shared))["owner"] == ""
        with contextlib.suppress(Refused):
            await cluster.connect("alice").memories.forget(shared)
        assert (await shown(bob, shared))["status"] == "live"


async def test_what_nobody_owns_but_repeats_somebody_is_no_shared_knowledge() -> None:
    async with Cluster([ask, learn]) as cluster:
        alice, bob = cluster.connect("alice"), cluster.connect("bob")
        await alice.remember("The safe opens with 4711.")
        await alice.memories.settings(sharing=["agent:ask", "agent:learn"])
        ref = await cluster.client.submit("ask", {"text": "safe", "owner": "alice"}, name="nightly")
        assert await ref.result() == ["The safe opens with 4711."]
        made = await cluster.client.run("learn")
        own = [row for row in await cluster.client.recall("", limit=50) if row["session"] == ref.id]
        assert "4711" in own[0]["text"], "the cluster's own account sees it"
        seen = await bob.recall("", limit=50)
        assert [row for row in seen if "4711" in row["text"]] == []
        assert "said before the recall" in {row["text"] for row in seen}
        assert "4711" not in str(await bob.memories.ask("memory.recent", limit=1000))
        for question in ({"id": own[0]["id"]}, {"id": made["after"]}):
            with pytest.raises(NotFound):
                await bob.memories.ask("memory.show", **question)


async def test_what_is_said_in_a_conversation_is_remembered_once_the_cluster_has_settled() -> None:
    async with Cluster([ask]) as cluster:
        alice = cluster.connect("alice")
        await alice.say("boats", "My boat is called Selma.", speaker="Alice")
        await cluster.settle()
        assert (await alice.recall("What is my boat called?"))[0]["text"] == "My boat is called Selma."


# What a task passes on


@skill("open-it")
async def open_it(task: Task, code: str) -> str:
    """Uses what its parent had been told; it asks nothing itself."""
    await task.remember(f"turned the dial to {code}")
    return f"opened with {code}"


@skill("look-up")
async def look_up(task: Task) -> str:
    """Recalls for its parent, which asks nothing itself."""
    rows = await task.recall("safe", owner="alice")
    return str(rows[0]["text"])


@skill("look-up-apart", isolate=True)
def look_up_apart(task: SyncTask) -> str:
    """As `look-up`, in a process of its own."""
    return str(task.ask_memory("memory.search", text="safe", owner="alice")["rows"][0]["text"])


@skill("give-orders")
async def give_orders(task: Task) -> str:
    """Hands on what it has recalled."""
    rows = await task.step("recall", task.recall, "safe", owner="alice")
    code = await task.step("read", str, rows[0]["text"][-5:-1])
    return str(await task.run("open-it", {"code": code}))


@skill("take-orders")
async def take_orders(task: Task, skill: str) -> str:
    """Uses what its child has recalled."""
    return f"my child says: {await task.run(skill)}"


@skill("go-on")
async def go_on(task: Task) -> str:
    """Uses what the task before it has recalled."""
    (said,) = (await task.results()).values()
    await task.remember(f"heard that {said}")
    return f"so it is: {said}"


async def test_what_was_recalled_is_traced_to_whom_it_is_passed_on() -> None:
    """To children, from children, to who comes after a task, into a process of its own, and into a fork."""
    skills = [open_it, look_up, look_up_apart, give_orders, take_orders, go_on]
    async with Cluster(skills) as cluster:
        alice, bob = cluster.connect("alice"), cluster.connect("bob")
        safe = await alice.remember("The safe opens with 4711.")
        await alice.memories.settings(sharing=["bob"])
        down = await bob.submit("give-orders")
        for name in ("look-up", "look-up-apart"):
            up = await bob.submit("take-orders", {"skill": name}, id=f"takes-{name}")
            assert "4711" in await up.result()
        assert await down.result() == "opened with 4711"
        after = await bob.submit("go-on", after=[up.id])
        assert "4711" in await after.result()
        fork = await bob.fork(down.id, "read", new_id="fork-1")
        assert "4711" in await fork.result()
        rows = [row for row in await bob.recall("", limit=100) if "4711" in row["text"]]
        assert {"turned the dial to 4711"} <= {row["text"] for row in rows}
        assert {down.id, "takes-look-up", "takes-look-up-apart", after.id, "fork-1"} <= {row["session"] for row in rows}
        receipt = await alice.memories.forget(safe)
        missed = [(row["text"], row["derived_from"]) for row in rows if row["id"] not in receipt["ids"]]
        assert not missed
        assert not [row["text"] for row in await bob.recall("", limit=100) if "4711" in row["text"]]
        assert "4711" not in str(await bob.memories.ask("memory.working", task=after.id))
