"""Approvals: who may answer, the first answer, time-outs, reminders, resumes."""

import asyncio
from typing import Any

import pytest

from clawactors import Refused, SyncTask, Task, skill
from clawactors.systems.tasks.approvalevents import ApprovalAnswered, ApprovalAsked
from tests.clawactors.runtime.cluster import Cluster
from tests.clawactors.runtime.isolated import consents


@skill("deploy")
async def deploy(task: Task, wishes: dict[str, Any]) -> list[Any]:
    answer = await task.approve("deploy to prod?", **wishes)
    return ["deployed" if answer else "stopped", answer.by, answer.comment]


async def asked(cluster: Cluster, wishes: dict[str, Any], id: str = "t") -> None:
    await cluster.client().submit("deploy", {"wishes": wishes}, id=id)
    await cluster.until(lambda: cluster.task(id).life.approvals, "it asks")


@pytest.mark.parametrize(("approves", "done"), [(True, "deployed"), (False, "stopped")])
async def test_a_person_answers_and_who_and_why_are_on_record(approves: bool, done: str) -> None:
    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [deploy])
        await asked(cluster, {})
        ada = cluster.client("client/ada")
        await (ada.approve if approves else ada.deny)("t", comment="as we said")
        assert (await cluster.until_status("t", "completed")).life.result == [done, "client/ada", "as we said"]
        answered = [each for each in cluster.events("t") if isinstance(each, ApprovalAnswered)]
        assert answered == [ApprovalAnswered("approval", approves, "client/ada", "as we said")]
        assert cluster.task("t").life.approvals == ()


async def test_only_those_named_may_answer_and_the_first_answer_counts() -> None:
    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [deploy])
        await asked(cluster, {"by": ["ops", "ada"]})
        with pytest.raises(Refused, match=r"is for ops, ada to answer, and you are 'bob'"):
            await cluster.client("client/bob").approve("t")
        with pytest.raises(Refused, match="asks for no approval 'other'; it asks for approval"):
            await cluster.client("client/ada").approve("t", "other")
        await cluster.client("client/ops").deny("t")
        with pytest.raises(Refused, match=r"denied already by client/ops"):
            await cluster.client("client/ada").approve("t")
        assert (await cluster.until_status("t", "completed")).life.result == ["stopped", "client/ops", ""]
        with pytest.raises(Refused, match=r"denied already by client/ops"):
            await cluster.client("client/ada").approve("t")


async def test_the_second_answer_is_told_who_was_first() -> None:
    @skill("two")
    async def two(task: Task) -> list[bool]:
        return [bool(await task.approve("first?")), bool(await task.approve("second?"))]

    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [two])
        client = cluster.client("client/ada")
        await client.submit("two", id="t")
        await cluster.until(lambda: cluster.task("t").life.approvals, "it asks")
        await client.approve("t")
        with pytest.raises(Refused, match="it was approved already by client/ada; the first answer counts"):
            await cluster.client("client/bob").deny("t", "approval")
        await cluster.until(lambda: [each.question for each in cluster.task("t").life.approvals] == ["second?"], "asks")
        await client.deny("t", "approval#2")
        assert (await cluster.until_status("t", "completed")).life.result == [True, False]


@pytest.mark.parametrize(("default", "done"), [("deny", "stopped"), ("approve", "deployed")])
async def test_when_nobody_answers_in_time_the_default_is_on_record(default: str, done: str) -> None:
    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [deploy])
        await asked(cluster, {"timeout": 0.05, "default": default})
        assert (await cluster.until_status("t", "completed")).life.result == [done, "", ""]
        assert "task.approval_answered" in cluster.named("t")


@pytest.mark.parametrize("seconds", [0.01, 0.4])
async def test_a_question_that_the_code_gives_up_is_withdrawn(seconds: float) -> None:
    @skill("impatient")
    async def impatient(task: Task) -> str:
        try:
            async with asyncio.timeout(seconds):
                await task.approve("deploy?")
        except TimeoutError:
            return str(await task.signal("go"))
        return "answered"

    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [impatient])
        ada = cluster.client("client/ada")
        await ada.submit("impatient", id="t")
        await cluster.until(lambda: "task.approval_withdrawn" in cluster.named("t"), "it is withdrawn")
        assert cluster.task("t").life.approvals == ()
        with pytest.raises(Refused, match="asks for no approval 'approval' now"):
            await ada.approve("t", "approval")
        await ada.signal("t", "go", "on")
        assert (await cluster.until_status("t", "completed")).life.result == "on"


async def test_a_long_question_holds_no_slot_survives_its_node_and_reminds() -> None:
    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [deploy], slots=1)
        await asked(cluster, {"timeout": "1h", "remind": 1})
        await cluster.until_status("t", "waiting")
        await cluster.kill("node/n1")
        await cluster.node("n2", [deploy])
        await cluster.until(lambda: any(each.reminders for each in cluster.task("t").life.approvals), "a reminder")
        questions = [each for each in cluster.events("t") if isinstance(each, ApprovalAsked)]
        assert [each.reminders for each in questions][:2] == [0, 1]
        assert len({each.until_ns for each in questions}) == 1
        await cluster.client("client/ada").approve("t")
        assert (await cluster.until_status("t", "completed")).life.result[0] == "deployed"


async def test_wrong_questions_are_refused() -> None:
    said: list[str] = []

    @skill("wrong")
    async def wrong(task: Task) -> None:
        calls: list[Any] = [
            lambda: task.approve(""),
            lambda: task.approve("?", by="ops"),
            lambda: task.approve("?", default="maybe"),  # type: ignore[arg-type]
            lambda: task.approve("?", timeout="soon"),
            lambda: task.approve("?", name="a\nb"),
        ]
        for call in calls:
            with pytest.raises(Refused) as refused:
                await call()
            said.append(str(refused.value))

    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [wrong])
        await cluster.client().run("wrong", wait_s=8)
        assert len(said) == 5
        assert "by is a list of names, as in ['ops'], not 'ops'" in said


def sync_question(task: SyncTask) -> list[Any]:
    answer = task.approve("sure?", by=["ada"])
    return [bool(answer), answer.by]


threaded = skill("threaded")(sync_question)


@pytest.mark.parametrize("code", [threaded, consents], ids=["thread", "process"])
async def test_sync_code_asks_too(code: Any) -> None:
    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [code])
        await cluster.client().submit(code.name, id="t")
        async with asyncio.timeout(8):
            await cluster.until(lambda: cluster.task("t").life.approvals, "it asks")
        await cluster.client("client/ada").approve("t")
        assert (await cluster.until_status("t", "completed")).life.result == [True, "client/ada"]


async def test_signals_of_the_cluster_itself_can_not_be_forged() -> None:
    async with Cluster() as cluster:
        with pytest.raises(Refused, match="the cluster's own"):
            await cluster.client().signal("t", "claw:approval:approval", {"approved": True})
