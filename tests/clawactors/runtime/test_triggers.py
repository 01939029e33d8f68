"""Triggers through a whole cluster in one loop: each event has its effect once, whoever leads."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from clawactors.eventlog import Draft, Unavailable
from clawactors.kernel.errors import NotFound, Refused
from clawactors.runtime.control import Control
from clawactors.runtime.webhooks import PostReply, SendFailed
from clawactors.systems.skills import skill
from clawactors.systems.triggers import TRIGGER, Trigger
from tests.clawactors.runtime.cluster import Cluster


@skill("echo")
async def echo(task: Any, text: str = "") -> str:
    return text


@skill("follow")
async def follow(task: Any, of: str = "", text: str = "", number: int = 0) -> str:
    return f"{of}: {text} {number}"


def state(cluster: Cluster, name: str) -> Trigger:
    trigger = Trigger()
    for commit in cluster.commits(name, "trigger"):
        for event in commit.events:
            trigger = TRIGGER.evolve(trigger, event, commit.record.at_ns)
    return trigger


def made(cluster: Cluster, name: str) -> list[str]:
    return sorted({commit.id for commit in cluster.commits() if commit.id.startswith(f"{name}-")})


class Receiver:
    """Answers webhooks as it is told; keeps what it got."""

    def __init__(self, *answers: PostReply | Exception) -> None:
        self.answers, self.got = list(answers), list[tuple[str, dict[str, Any], Mapping[str, str]]]()
        self.hangs = False

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> PostReply:
        self.got.append((url, msgspec.json.decode(body), headers))
        if self.hangs or "hangs" in url:
            await asyncio.Event().wait()
        answer = self.answers.pop(0) if self.answers else PostReply(200)
        if isinstance(answer, Exception):
            raise answer
        return answer


def sending(control: Control, receiver: Receiver) -> None:
    control.triggers.sender, control.triggers.pauses_s = receiver, (0.0, 0.0, 0.0, 0.0)


async def test_a_completed_task_leads_to_a_task_with_values_of_the_event() -> None:
    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [echo, follow])
        client = cluster.client()
        await client.submit("echo", {"text": "before"}, id="before")
        await cluster.until_status("before", "completed")
        await client.triggers.add(
            "next",
            on="task.completed",
            where='task.skill == "echo" && task.tags.exists(t, t == "yes")',
            submit="follow",
            params={"of": "${task.id}", "text": "it said ${event.result}!", "number": "${size(task.params.text) * 2}"},
        )
        await client.submit("echo", {"text": "hi"}, id="a", tags=["yes"])
        await client.submit("echo", {"text": "no"}, id="b", tags=["no"])
        await cluster.until(lambda: made(cluster, "next"))
        [id] = made(cluster, "next")
        task = await cluster.until_status(id, "completed")
        assert task.life.result == "a: it said hi! 4"
        assert task.spec is not None
        assert task.spec.metadata == {"triggers": ["next"]}
        await cluster.until(lambda: state(cluster, "next").fired == 1)


async def test_a_leader_that_is_killed_in_between_neither_doubles_nor_loses() -> None:
    async with Cluster() as cluster:
        await cluster.control("one")
        client = cluster.client()
        await client.triggers.add("each", on="task.submitted", where='task.skill == "echo"', submit="follow")
        hit = asyncio.Event()

        def fault(point: str, draft: Draft) -> None:
            if draft.kind == "trigger" and point == "before" and len(made(cluster, "each")) > 20:
                hit.set()
                raise Unavailable("the cable is cut")

        cluster.links["one"].fault = fault
        many = [client.submit("echo", {"text": str(number)}, id=f"t{number}") for number in range(60)]
        await asyncio.gather(*many)
        async with asyncio.timeout(10):
            await hit.wait()
        await cluster.kill("one")
        cluster.leases = type(cluster.leases)(cluster.clock.monotonic_s)  # its lease is over
        await cluster.control("two")
        await cluster.until(lambda: state(cluster, "each").fired >= 60)
        assert len(made(cluster, "each")) == 60
        assert state(cluster, "each").fired == 60
        assert all(cluster.named(id).count("task.submitted") == 1 for id in made(cluster, "each"))


async def test_a_condition_that_fails_at_one_event_is_counted_and_kept_and_the_others_go_on() -> None:
    async with Cluster() as cluster:
        await cluster.control()
        client = cluster.client()
        await client.triggers.add(
            "sum", on="task.submitted", where="task.id.size() < 6 && task.params.text == 'x'", submit="follow"
        )
        await client.submit("echo", {}, id="lacks")
        await client.submit("echo", {"text": "x"}, id="has")
        await cluster.until(lambda: state(cluster, "sum").fired and state(cluster, "sum").failed)
        [failure] = state(cluster, "sum").failures
        assert (failure.place.id, failure.event) == ("lacks", "task.submitted")
        assert "text" in failure.reason
        assert len(made(cluster, "sum")) == 1
        await client.triggers.redrive("sum")
        await cluster.until(lambda: state(cluster, "sum").failed == 2)
        assert state(cluster, "sum").again == ()


async def test_a_webhook_is_tried_again_then_kept_and_can_be_redriven() -> None:
    async with Cluster() as cluster:
        control = await cluster.control()
        receiver = Receiver(PostReply(500), SendFailed("refused"), PostReply(200), *[PostReply(503)] * 5)
        sending(control, receiver)
        control.triggers.secrets = {"hook": "geheim"}.get
        client = cluster.client()
        await client.triggers.add("hook", on="task.submitted", webhook="http://x/y", secret="hook")  # noqa: S106 - a name
        await client.submit("echo", id="a")
        await cluster.until(lambda: state(cluster, "hook").fired == 1)
        assert len({headers["Idempotency-Key"] for _, _, headers in receiver.got}) == 1
        assert all("X-Claw-Signature" in headers for _, _, headers in receiver.got)
        assert receiver.got[0][1]["data"]["task"]["id"] == "a"
        await client.submit("echo", id="b")
        await cluster.until(lambda: state(cluster, "hook").failed == 1)
        [failure] = state(cluster, "hook").failures
        assert (failure.reason, failure.tries) == ("answered 503", 5)
        assert "geheim" not in repr([record.body for record in cluster.log._records])
        await client.triggers.redrive("hook")
        await cluster.until(lambda: state(cluster, "hook").fired == 2)
        assert not state(cluster, "hook").failures
        assert receiver.got[-1][2]["Idempotency-Key"] == receiver.got[-2][2]["Idempotency-Key"]


@pytest.mark.parametrize("secrets", [{}, {"hook": ""}])
async def test_a_webhook_that_can_not_be_signed_is_not_sent(secrets: dict[str, str]) -> None:
    async with Cluster() as cluster:
        control = await cluster.control()
        receiver = Receiver()
        sending(control, receiver)
        control.triggers.secrets = secrets.get
        client = cluster.client()
        await client.triggers.add("hook", on="task.submitted", webhook="http://x/y", secret="hook")  # noqa: S106 - a name
        await client.submit("echo", id="a")
        await cluster.until(lambda: state(cluster, "hook").failed == 1)
        [failure] = state(cluster, "hook").failures
        assert (failure.reason, failure.tries) == (
            "control has no secret 'hook': set CLAW_SECRET_HOOK where it runs",
            1,
        )
        assert receiver.got == []


async def test_a_receiver_that_hangs_holds_up_no_other_trigger() -> None:
    async with Cluster() as cluster:
        control = await cluster.control()
        receiver = Receiver()
        sending(control, receiver)
        client = cluster.client()
        await client.triggers.add("hangs", on="task.submitted", webhook="http://hangs/")
        await client.triggers.add("quick", on="task.submitted", webhook="http://quick/")
        await asyncio.gather(*(client.submit("echo", id=f"t{number}") for number in range(40)))
        await cluster.until(lambda: state(cluster, "quick").fired == 40)
        assert state(cluster, "hangs").fired == 0
        assert len([url for url, _, _ in receiver.got if "hangs" in url]) <= 8


async def test_a_trigger_that_sets_itself_off_is_stopped_and_says_why() -> None:
    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [echo, follow])
        client = cluster.client()
        await client.triggers.add("loop", on="task.completed", submit="follow")
        await client.submit("echo", id="a")
        await cluster.until(lambda: state(cluster, "loop").status == "stopped")
        assert len(made(cluster, "loop")) == 1
        assert "loop: it sets itself off: loop → loop" in state(cluster, "loop").reason


async def test_a_loop_that_is_allowed_ends_at_its_depth() -> None:
    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [echo, follow])
        client = cluster.client()
        await client.triggers.add("loop", on="task.completed", submit="follow", allow_loop=True)
        await client.submit("echo", id="a")
        await cluster.until(lambda: state(cluster, "loop").status == "stopped")
        assert len(made(cluster, "loop")) == 8


async def test_what_comes_during_a_pause_is_kept() -> None:
    async with Cluster() as cluster:
        await cluster.control()
        client = cluster.client()
        await client.triggers.add("later", on="task.submitted", where="task.id != ''", publish="app.seen")
        await client.submit("echo", id="a")
        await cluster.until(lambda: state(cluster, "later").fired == 1)
        await client.triggers.pause("later")
        await client.submit("echo", id="b")
        got: list[bytes] = []
        await cluster.requests.subscribe("app.>", lambda _, body: got.append(body))
        await client.triggers.resume("later")
        await cluster.until(lambda: state(cluster, "later").fired == 2)
        assert [msgspec.json.decode(body)["data"]["event"]["id"] for body in got][-1] == "b"
        await client.triggers.remove("later")
        with pytest.raises(NotFound):
            await client.triggers.pause("later")


@pytest.mark.parametrize(
    ("plan", "reason"),
    [
        ({"on": "task.completd", "submit": "echo"}, "there is no event 'task.completd'"),
        ({"on": (), "submit": "echo"}, "a trigger needs an event"),
        ({"on": "task.completed"}, "one of --submit"),
        ({"on": "task.completed", "submit": "echo", "publish": "a"}, "one of --submit"),
        ({"on": "task.completed", "submit": "echo", "where": "task.skill =="}, "column 14: "),
        ({"on": "task.completed", "submit": "echo", "params": {"a": "${1 +}"}}, "column 4"),
        ({"on": "task.completed", "submit": "echo", "params": {"a": "${1"}}, "has no }"),
        ({"on": "task.completed", "webhook": "ftp://x"}, "no address for a webhook"),
        ({"on": "task.completed", "webhook": "http://u:p@x"}, "no user or password"),
        ({"on": "task.completed", "publish": "claw.task.x.log"}, "not the cluster's own"),
        ({"on": "task.completed", "publish": "app.x", "secret": "s"}, "a secret signs webhooks"),
        ({"on": "task.completed", "submit": "echo", "rate": 0}, "rate"),
    ],
)
async def test_what_makes_no_sense_is_refused_in_one_line(plan: dict[str, Any], reason: str) -> None:
    async with Cluster() as cluster:
        with pytest.raises(Refused) as refused:
            await cluster.client().triggers.add("t", **plan)
        assert reason in str(refused.value)
        assert "\n" not in str(refused.value)
        assert not list(cluster.commits(kind="trigger"))


@skill("parent")
async def parent(task: Any) -> Any:
    return await task.run("echo", {"text": "child"})


async def test_a_loop_through_a_child_is_found_too() -> None:
    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [echo, parent])
        client = cluster.client()
        await client.triggers.add("loop", on="task.completed", where='task.skill == "echo"', submit="parent")
        await client.submit("echo", id="a")
        await cluster.until(lambda: state(cluster, "loop").status == "stopped")
        assert "loop → loop" in state(cluster, "loop").reason
        specs = [cluster.task(id).spec for id in made(cluster, "loop")]
        assert [spec.skill for spec in specs if spec is not None].count("parent") == 1
