"""Notifications through a whole cluster in one loop: who is told what, once, and in one message."""

import asyncio
from typing import Any

import pytest

from clawactors.eventlog import Draft, Unavailable
from clawactors.kernel.errors import NotFound, Refused
from clawactors.runtime.call import Call
from clawactors.runtime.control import Control
from clawactors.runtime.control.alarms import AlarmGauge, AlarmKeeper, Measured
from clawactors.runtime.notifications.failure import OutletFailed
from clawactors.runtime.notifications.words import NoticeMessage
from clawactors.runtime.webhooks import PostReply
from clawactors.systems.alarms import ALARM, Alarm
from clawactors.systems.nodes.commands import LoseNode
from clawactors.systems.nodes.events import NodeJoined
from clawactors.systems.nodes.kind import NODES
from clawactors.systems.skills import skill
from tests.clawactors.runtime.cluster import Cluster
from tests.clawactors.runtime.test_triggers import Receiver, sending, state


@skill("fails")
async def fails(task: Any, text: str = "") -> None:
    raise ConnectionError(text or "no such page")


@skill("asks")
async def asks(task: Any) -> bool:
    return bool(await task.approve("Deploy?", name="go"))


@pytest.fixture(autouse=True)
def _recorded_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clawactors.runtime.control.triggers.run._EVERY_S", 0.02)


URL = "https://example.org/hook"


def quick(control: Control, receiver: Receiver, quiet_s: float = 0.05) -> None:
    sending(control, receiver)
    control.triggers.quiet_s = quiet_s


def told(receiver: Receiver) -> list[dict[str, Any]]:
    return [body for _, body, _ in receiver.got]


async def test_a_task_that_dies_is_told_with_why_its_id_and_what_helps() -> None:
    async with Cluster() as cluster:
        receiver = Receiver()
        quick(await cluster.control(), receiver)
        await cluster.node("n1", [fails])
        client = cluster.client()
        row = await client.notifications.add("ops", ["dead"], URL, skill="fai*", every=0)
        assert (row.status, row.when, row.sent) == ("active", ("dead",), 0)
        await client.submit("fails", {"text": "no\r\nBcc: x \x1b[2J"}, id="a", max_retries=0, user="ada")
        await cluster.until(lambda: state(cluster, "ops").fired == 1)
        [body] = told(receiver)
        assert body["title"] == "task a is dead"
        assert body["items"][0]["commands"] == ["claw why a", "claw retry a"]
        assert (
            "Task a is dead (skill fails, user ada)\nWhy: network: ConnectionError: no Bcc: x [2J (test_"
            in body["text"]
        )
        assert "claw why a" in body["text"]


async def test_a_hundred_in_one_minute_are_one_message_with_counts() -> None:
    async with Cluster() as cluster:
        receiver = Receiver()
        quick(await cluster.control(), receiver, 0.3)
        await cluster.node("n1", [fails], slots=20)
        client = cluster.client()
        await client.notifications.add("ops", ["dead", "blocked"], URL)
        await asyncio.gather(*(client.submit("fails", id=f"t{n}", max_retries=0) for n in range(100)))
        await cluster.until(lambda: state(cluster, "ops").fired == 1)
        [body] = told(receiver)
        assert (body["total"], body["counts"], len(body["items"])) == (100, {"dead": 100}, 5)
        assert "100 of dead fails" in body["text"]
        assert len(body["text"]) < 2000
        # The pause of the rule is not over yet.
        await client.submit("fails", id="later", max_retries=0)
        await cluster.until_status("later", "dead")
        assert len(told(receiver)) == 1


async def test_an_approval_and_a_lost_node_are_told_and_others_are_not() -> None:
    async with Cluster() as cluster:
        receiver, control = Receiver(), await cluster.control()
        quick(control, receiver)
        await cluster.node("n1", [asks, fails])
        client = cluster.client()
        await client.notifications.add("people", "approval", URL, user="ada", every="0s")
        await client.submit("asks", id="other", user="bob")
        await client.submit("asks", id="a", user="ada")
        await cluster.until(lambda: state(cluster, "people").fired == 1)
        [body] = told(receiver)
        assert [item["id"] for item in body["items"]] == ["a"]
        assert "Question: Deploy?" in body["text"]
        assert "claw approve a go" in body["text"]
        await client.notifications.add("nodes", "node-lost", URL, every=0)
        [incarnation] = [event.incarnation for event in cluster.events("n1", "node") if isinstance(event, NodeJoined)]
        await cluster.kill("node/n1")
        await control.dispatcher.send(Call(NODES, "n1", (LoseNode(incarnation, "it was killed"),)))
        await cluster.until(lambda: state(cluster, "nodes").fired == 1)
        assert told(receiver)[1:] == [told(receiver)[-1]]
        [lost] = told(receiver)[-1]["items"]
        assert (lost["title"], lost["why"], lost["commands"]) == ("node n1 is lost", "it was killed", ["claw node n1"])


async def test_what_was_sent_and_not_recorded_is_sent_again_under_the_same_id() -> None:
    async with Cluster() as cluster:
        receiver = Receiver()
        quick(await cluster.control("one"), receiver)
        await cluster.node("n1", [fails])
        client = cluster.client()
        await client.notifications.add("ops", "dead", URL, every=0)
        await cluster.until(lambda: state(cluster, "ops").position)
        hit = asyncio.Event()

        def fault(point: str, draft: Draft) -> None:
            if draft.kind == "trigger" and point == "before":
                hit.set()
                raise Unavailable("the cable is cut")

        cluster.links["one"].fault = fault
        await client.submit("fails", id="a", max_retries=0)
        await cluster.until(lambda: receiver.got)
        async with asyncio.timeout(10):
            await hit.wait()
        await cluster.kill("one")
        cluster.leases = type(cluster.leases)(cluster.clock.monotonic_s)
        quick(await cluster.control("two"), receiver)
        await cluster.until(lambda: state(cluster, "ops").fired == 1)
        assert len({headers["Idempotency-Key"] for _, _, headers in receiver.got}) == 1
        assert len(receiver.got) == 2


async def test_what_can_not_be_sent_is_kept_whole_and_can_be_sent_again() -> None:
    async with Cluster() as cluster:
        receiver = Receiver(*[PostReply(500)] * 5)
        quick(await cluster.control(), receiver, 0.2)
        await cluster.node("n1", [fails], slots=5)
        client = cluster.client()
        await client.notifications.add("ops", "dead", URL, every=0)
        await asyncio.gather(*(client.submit("fails", id=f"t{n}", max_retries=0) for n in range(3)))
        await cluster.until(lambda: state(cluster, "ops").failed)
        [failure] = state(cluster, "ops").failures
        assert (failure.reason, failure.tries, failure.place.upto > failure.place.seq) == ("answered 500", 5, True)
        row = await client.notifications.redrive("ops")
        assert row.failures == ()
        await cluster.until(lambda: state(cluster, "ops").fired == 1)
        assert told(receiver)[-1]["total"] == 3
        assert told(receiver)[-1]["id"] == told(receiver)[0]["id"]


async def test_a_muted_rule_tells_nothing_of_what_happens_meanwhile() -> None:
    async with Cluster() as cluster:
        receiver = Receiver()
        quick(await cluster.control(), receiver)
        await cluster.node("n1", [fails])
        client = cluster.client()
        await client.notifications.add("ops", "dead", URL, every=0)
        muted = await client.notifications.mute("ops", "2h")
        assert muted.muted_until is not None
        await client.submit("fails", id="a", max_retries=0)
        await cluster.until_status("a", "dead")
        await cluster.until(lambda: state(cluster, "ops").position >= max(c.record.seq for c in cluster.commits("a")))
        assert (await client.notifications.unmute("ops")).muted_until is None
        await client.submit("fails", id="b", max_retries=0)
        await cluster.until(lambda: state(cluster, "ops").fired)
        assert [item["id"] for body in told(receiver) for item in body["items"]] == ["b"]
        await client.notifications.remove("ops")
        with pytest.raises(NotFound, match="no notification 'ops'"):
            await client.notifications.mute("ops")


async def test_a_test_says_at_once_whether_it_went_out() -> None:
    async with Cluster() as cluster:
        receiver = Receiver(PostReply(200), PostReply(404))
        quick(await cluster.control(), receiver)
        client = cluster.client()
        await client.notifications.add("ops", "dead", URL)
        await client.notifications.test("ops")
        assert told(receiver)[0]["type"] == "notification.test"
        with pytest.raises(Refused, match="the message was not sent: answered 404"):
            await client.notifications.test("ops")
        with pytest.raises(NotFound, match="no notification 'none'"):
            await client.notifications.test("none")
        assert state(cluster, "ops").fired == 0


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"when": "ded", "to": URL}, "did you mean dead"),
        ({"when": (), "to": URL}, "needs to know when"),
        ({"when": "dead", "to": "ftp://x"}, "nowhere to send to"),
        ({"when": "dead", "to": "https://u:p@example.org/"}, "no user or password"),
        ({"when": "dead", "to": "mailto:a@b.c\r\nBcc: d@e.f"}, "no address for mail"),
        ({"when": "dead", "to": "mailto:a@b.c?bcc=d@e.f"}, "no address for mail"),
        ({"when": "dead", "to": "mailto:a@b.c%0aBcc:d@e.f"}, "no address for mail"),
        ({"when": "dead", "to": "telegram:bob"}, "is no chat"),
        ({"when": "dead", "to": "desktop", "secret": "x"}, "a secret signs"),
        ({"when": "dead", "to": URL, "every": "soon"}, "not a valid duration"),
        ({"when": "dead", "to": URL, "every": "30d"}, "use 0s to 7d"),
        ({"when": "dead", "to": URL, "skill": "a\nb"}, "one line"),
        ({"when": "dead", "to": 7}, "is a text, not 7"),
    ],
)
async def test_a_rule_that_can_not_work_is_refused(given: dict[str, Any], reason: str) -> None:
    async with Cluster() as cluster:
        client = cluster.client()
        with pytest.raises(Refused, match=reason):
            await client.notifications.add("x", **given)


async def test_an_alarm_is_told_when_it_begins_and_when_it_is_over() -> None:
    level = 50.0

    async def measure() -> Measured:
        return Measured(level, f"{level:g} % full")

    async with Cluster() as cluster:
        receiver = Receiver()
        control = await cluster.control()
        quick(control, receiver)
        client = cluster.client()
        await client.notifications.add("ops", "disk", URL, every=0)
        await client.notifications.add("lags", "lag", URL, every=0)
        gauge = AlarmGauge(name="disk", measure=measure, raise_at=92, clear_at=88, times=2)
        keeper = AlarmKeeper(control.dispatcher, lambda: True, [gauge], control.triggers.notify_now)
        for level in (95.0, 90.0, 93.0, 94.0, 91.0, 95.0, 89.0, 94.0):  # noqa: B007 # it is measured
            await keeper.check()
        await cluster.until(lambda: state(cluster, "ops").fired == 1)
        level = 80.0
        await keeper.check()
        await keeper.check()
        await cluster.until(lambda: state(cluster, "ops").fired == 2)
        assert [body["title"] for body in told(receiver)] == ["disk: 94 % full", "disk: 80 % full"]
        assert state(cluster, "lags").fired == 0
        alarm = Alarm()
        for commit in cluster.commits("disk", "alarm"):
            for event in commit.events:
                alarm = ALARM.evolve(alarm, event, 1)
        assert (alarm.status, alarm.times) == ("cleared", 1)


async def test_an_alarm_that_can_not_be_put_on_record_is_told_all_the_same() -> None:
    async def measure() -> Measured:
        return Measured(100.0, "nothing can be stored: no space left")

    async with Cluster() as cluster:
        receiver = Receiver()
        control = await cluster.control("one")
        quick(control, receiver)
        await cluster.client().notifications.add("ops", "disk", URL)

        def fault(point: str, draft: Draft) -> None:
            if draft.kind == "alarm":
                raise Unavailable("no space left")

        cluster.links["one"].fault = fault
        gauge = AlarmGauge(name="disk", measure=measure, raise_at=92, clear_at=88)
        keeper = AlarmKeeper(control.dispatcher, lambda: True, [gauge], control.triggers.notify_now)
        for _ in range(3):
            await keeper.check()
        await cluster.until(lambda: receiver.got)
        assert [body["title"] for body in told(receiver)] == ["disk: nothing can be stored: no space left"]


async def test_a_final_refusal_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[NoticeMessage] = []

    async def refuse(outlets: Any, target: str, message: NoticeMessage, *rest: Any) -> None:
        sent.append(message)
        raise OutletFailed("mail.example.org said 550 no such user", final=True)

    monkeypatch.setattr("clawactors.runtime.notifications.outlets.Outlets.send", refuse)
    async with Cluster() as cluster:
        quick(await cluster.control(), Receiver())
        await cluster.node("n1", [fails])
        client = cluster.client()
        await client.notifications.add("ops", "dead", "mailto:ops@example.org", every=0)
        await client.submit("fails", id="a", max_retries=0)
        await cluster.until(lambda: state(cluster, "ops").failed)
        assert len(sent) == 1
        assert state(cluster, "ops").failures[0].tries == 1
