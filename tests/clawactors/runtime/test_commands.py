"""Commands from other programs: folded, carried out once, or kept with the reason."""

import asyncio
import json
from typing import Any

import pytest

from clawactors import skill
from clawactors.eventlog import Draft, Unavailable
from clawactors.runtime.node.context import TaskContext
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from tests.clawactors.runtime.cluster import PATIENCE_S, Cluster
from tests.clawactors.runtime.test_node import Work


def publish(cluster: Cluster, task: str, type: str, /, **fields: Any) -> None:
    cluster.commands_in.publish(f"claw.cmd.task.{task}", json.dumps({"type": f"task.{type}", **fields}).encode())


async def all_done(cluster: Cluster) -> None:
    await cluster.until(lambda: not cluster.commands_in.open_count, "all commands are done")


@skill("gathers")
async def gathers(task: TaskContext, count: int) -> list[Any]:
    return [await task.signal("go") for _ in range(count)]


async def test_ten_thousand_signals_to_a_running_task_are_a_few_commits_and_come_in_order(cluster: Cluster) -> None:
    client = cluster.client()
    await client.submit("gathers", {"count": 10_000}, id="t1")
    await cluster.node("n1", [gathers])
    control = await cluster.control()
    await cluster.until_status("t1", "running")
    for number in range(10_000):
        publish(cluster, "t1", "signal", name="go", payload=number)
    assert await client.ref("t1").result(PATIENCE_S) == list(range(10_000))
    commits = [commit for commit in cluster.commits("t1") if b"task.signalled" in commit.record.body]
    assert len(commits) <= 10
    assert commits[0].record.subject == "claw.task.t1.to.n1"
    assert control.commands.carried_out == 10_000
    await all_done(cluster)


async def test_a_running_task_is_cancelled_from_outside(cluster: Cluster) -> None:
    work = Work()
    await cluster.control()
    await cluster.node("n1", [work.skill])
    await cluster.client().submit("work", id="t1")
    await cluster.until_status("t1", "running")
    publish(cluster, "t1", "cancel", by="a script")
    await cluster.until_status("t1", "cancelled")
    assert [event.by for event in cluster.events("t1") if isinstance(event, e.CancelRequested)] == ["a script"]


async def test_what_can_not_be_is_kept_with_the_reason_and_holds_up_nothing(cluster: Cluster) -> None:
    client = cluster.client()
    control = await cluster.control()
    await client.submit("nobody-has-it", id="t1")
    await client.submit("nobody-has-it", id="t2")
    await client.cancel("t2")
    cluster.commands_in.publish("claw.cmd.task.t1", b"cancel")
    cluster.commands_in.publish("claw.cmd.task.t1", b'{"type":"task.completed","result":1}')
    cluster.commands_in.publish("claw.cmd.chat.n1", b'{"type":"task.cancel"}')
    cluster.commands_in.publish("claw.cmd.ada.memory.m1", b'{"type":"memory.forget"}')
    cluster.commands_in.publish("claw.cmd.nothing.n1", b'{"type":"task.cancel"}')
    cluster.commands_in.publish("claw.cmd.task", b'{"type":"task.cancel"}')
    publish(cluster, "t2", "cancel")
    publish(cluster, "nobody", "cancel")
    publish(cluster, "t1", "retry")
    publish(cluster, "t1", "pause")
    await all_done(cluster)
    assert cluster.task("t1").life.status == "paused"
    reasons = [reason for _, reason in cluster.commands_in.letters.values()]
    assert len(reasons) == control.commands.refused == 9
    for words in (
        "not a command",
        "claw.cmd.task.<id> or claw.cmd.node.<id>",
        "the memory process answers commands to a chat, and takes none from a queue",
        "request claw.do.<principal>.chat, as claw memory does",
        "the memory process answers commands to a memory, and takes none from a queue",
        "request claw.do.<principal>.memory, as claw memory does",
        "cancelled already",
        "no such task",
        "still going",
    ):
        assert any(words in reason for reason in reasons), words


async def test_nodes_are_told_from_outside_what_people_tell_them(cluster: Cluster) -> None:
    def tell(type: str, /, **fields: Any) -> None:
        cluster.commands_in.publish("claw.cmd.node.n1", json.dumps({"type": f"node.{type}", **fields}).encode())

    control = await cluster.control()
    await cluster.node("n1", [gathers])
    tell("configure", slots=9, affinity={"room": "1"})
    tell("cordon", id="once")
    tell("uncordon")
    tell("cordon", id="once")
    await all_done(cluster)
    node = cluster.node_state("n1")
    assert (node.status, node.joined.slots, node.joined.affinity) == ("online", 9, {"room": "1"})
    tell("drain")
    tell("remove")
    tell("join")
    cluster.commands_in.publish("claw.cmd.node.nobody", b'{"type":"node.drain"}')
    await all_done(cluster)
    assert cluster.node_state("n1").status == "draining"
    reasons = sorted(reason for _, reason in cluster.commands_in.letters.values())
    assert len(reasons) == control.commands.refused == 3
    for words, reason in zip(
        ("not a command to a node", "the node is alive", "there is no such node"), reasons, strict=True
    ):
        assert words in reason


async def test_a_drain_asked_for_by_a_person_holds_over_restarts_until_it_is_lifted(cluster: Cluster) -> None:
    await cluster.control()
    await cluster.node("n1", [gathers])
    client = cluster.client()
    cluster.commands_in.publish("claw.cmd.node.n1", b'{"type":"node.drain"}')
    await all_done(cluster)
    await client.submit("gathers", {"count": 0}, id="t1")
    for _ in range(2):
        await cluster.kill("node/n1")
        await cluster.node("n1", [gathers])
        assert cluster.node_state("n1").status == "draining"
    assert cluster.task("t1").life.status == "pending"
    cluster.commands_in.publish("claw.cmd.node.n1", b'{"type":"node.uncordon"}')
    await cluster.until_status("t1", "completed")


async def test_what_comes_again_is_carried_out_once(cluster: Cluster) -> None:
    client = cluster.client()
    await client.submit("nobody-has-it", id="t1")
    control = await cluster.control()
    for number in range(3):
        publish(cluster, "t1", "signal", name="go", payload=number)
    publish(cluster, "t1", "retry")  # refused now, and legal later
    cluster.commands_in.done = lambda seqs: None  # type: ignore[method-assign]  # every acknowledgement is lost
    await cluster.until(lambda: control.commands.carried_out == 3 and control.commands.refused == 1)
    await client.cancel("t1")
    await client.command("t1", c.RetryTask())
    await client.cancel("t1")
    before = cluster.log.last_seq
    del cluster.commands_in.done
    cluster.commands_in.again()
    await all_done(cluster)
    assert cluster.log.last_seq == before
    assert len(cluster.commands_in.letters) == 1


async def test_a_command_with_an_id_comes_once_however_often_it_is_published(cluster: Cluster) -> None:
    await cluster.client().submit("nobody-has-it", id="t1")
    await cluster.control()
    for _ in range(2):
        publish(cluster, "t1", "signal", name="go", payload=1, id="once")
    await all_done(cluster)
    publish(cluster, "t1", "signal", payload=1, name="go", id="once")
    publish(cluster, "t1", "signal", name="go", payload=2, id="another")
    publish(cluster, "t1", "signal", name="go", payload=3, id="another")
    await all_done(cluster)
    publish(cluster, "t1", "signal", name="go", payload=4, id="once")
    await all_done(cluster)
    payloads = [event.payload for event in cluster.events("t1") if isinstance(event, e.Signalled)]
    assert payloads == [1, 2]
    assert ["other content" in reason for _, reason in cluster.commands_in.letters.values()] == [True, True]


@pytest.mark.parametrize("point", ["before", "after"])
async def test_an_append_in_doubt_is_found_or_made(cluster: Cluster, point: str) -> None:
    await cluster.client().submit("nobody-has-it", id="t1")
    failures = iter(range(2))

    def fault(at: str, draft: Draft) -> None:
        if at == point and draft.answers and next(failures, None) is not None:
            raise Unavailable("killed here")

    cluster.fault = fault
    await cluster.control()
    publish(cluster, "t1", "signal", name="go")
    await all_done(cluster)
    assert cluster.named("t1").count("task.signalled") == 1


@pytest.mark.parametrize("seed", range(4))
async def test_in_the_midst_of_others_every_command_is_carried_out_in_order(seed: int) -> None:
    async with Cluster(seed=seed) as cluster:
        await cluster.control()
        await cluster.control()
        client = cluster.client()
        await client.submit("nobody-has-it", id="t1")

        async def quarrel() -> None:
            for number in range(20):
                await client.signal("t1", "other", number)

        others = asyncio.create_task(quarrel())
        for number in range(50):
            publish(cluster, "t1", "signal", name="go", payload=number)
            await asyncio.sleep(0)
        await others
        await all_done(cluster)
        payloads = [event.payload for event in cluster.events("t1") if getattr(event, "name", "") == "go"]
        assert payloads == list(range(50))
