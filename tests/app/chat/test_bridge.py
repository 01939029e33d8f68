"""The bridge between a chat and a whole cluster in one loop: each message has its effect, and its answer, once."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from clawactors.app.chat.bridge import ChatBridge
from clawactors.app.chat.sayings import HELP
from clawactors.app.chat.telegram import TelegramChat
from clawactors.kernel.errors import Refused
from clawactors.runtime.client import ClusterClient
from clawactors.runtime.notifications.failure import OutletFailed
from clawactors.runtime.notifications.telegram import TelegramApi
from clawactors.systems.skills import skill
from clawactors.testing import Cluster
from tests.app.chat.faketelegram import TOKEN, FakeTelegram
from tests.waiting import until


@skill("asks")
async def asks(task: Any, question: str = "Deploy?") -> str:
    answer = await task.approve(question)
    return f"{bool(answer)} {answer.by} {answer.comment}"


@skill("echo")
async def echo(task: Any, text: str = "") -> str:
    return text


@pytest.fixture
async def telegram() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram().serving() as served:
        yield served


@contextlib.asynccontextmanager
async def bridged(cluster: Cluster, telegram: FakeTelegram) -> AsyncIterator[asyncio.Task[None]]:
    """A bridge at work; leaving is a kill, as far as the cluster and Telegram see."""

    async def client_of(user: str) -> ClusterClient:
        return cluster.connect(user)

    async with TelegramApi(TOKEN, telegram.url) as api:
        port = await TelegramChat.open(api, poll_s=0.2)
        bridge = ChatBridge("telegram", port, cluster.connect("bridge"), client_of, (0.01,))
        serving = asyncio.create_task(bridge.serve())
        try:
            yield serving
        finally:
            serving.cancel()
            await asyncio.wait((serving,))


@contextlib.asynccontextmanager
async def started() -> AsyncIterator[Cluster]:
    async with Cluster([asks, echo]) as cluster:
        await cluster.client.bridges.allow("telegram", "7", user="ada", skills="ec*")
        yield cluster


async def advanced(cluster: Cluster, place: str) -> None:
    """Returns when the bridge is done with all up to that place."""

    async def is_there() -> bool:
        return (await cluster.client.bridges.state("telegram")).place == place

    await until(is_there, f"the bridge is at {place}", 10)


async def test_a_person_asks_and_answers_and_it_is_on_record_who(telegram: FakeTelegram) -> None:
    async with started() as cluster, bridged(cluster, telegram):
        client = cluster.client
        await client.submit("asks", {"question": "Ship *it*?"}, id="a")
        await client.submit("asks", id="b")
        await cluster.settle()
        for number, text in enumerate(("/status", "approvals", "approve 1", "Deny 2 because it is friday"), 1):
            await telegram.say(text)
            await telegram.until_sent(number)
        assert await client.ref("a").result() == "True client/ada "
        assert await client.ref("b").result() == "False client/ada it is friday"
        status, approvals, approved, denied = telegram.sent
        assert "Nodes: 1" in status["text"]
        assert "2 waiting for approval" in status["text"]
        assert "1: Ship *it*? (task a)\n2: Deploy? (task b)\n" in approvals["text"]
        assert "parse_mode" not in approvals
        assert approvals["entities"][0] == {"type": "code", "offset": 3, "length": 10}
        assert approved["text"].startswith("Approved: a")
        assert denied["text"].startswith("Denied: b")
        await telegram.say("approve 1")
        await telegram.until_sent(5)
        assert "approved already by client/ada" in telegram.texts[4]


SAYINGS = (
    ("help", re.escape(HELP)),
    ("/start", "You act as ada and may submit ec"),
    ("why a", "Task a is completed"),
    ("why nothing-here", "no task 'nothing-here'"),
    ("tasks", "completed a echo"),
    ("tasks dead", "There are none"),
    ("tasks ded", "did not work: .*ded"),
    ("cancel a", "did not work|is cancelled|completed"),
    ('submit echo {"text": "hi"}', r"Submitted: chat-\w+"),
    ("submit echo {", "no JSON object"),
    ("submit echo [1]", "no JSON object"),
    ("submit asks", "you may submit ec"),
    ('submit echo {"txet": 1}', "did not work"),
    ("approve 99", "there is no approval 99"),
    ("/frobnicate", "I do not know /frobnicate"),
    ("", "I can read text only"),
)


async def test_each_saying_has_its_answer(telegram: FakeTelegram) -> None:
    async with started() as cluster, bridged(cluster, telegram):
        await cluster.client.run("echo", id="a")
        for number, (said, answered) in enumerate(SAYINGS, 1):
            await telegram.say(said)
            await telegram.until_sent(number)
            assert re.search(answered, telegram.texts[-1]), (said, telegram.texts[-1])


async def test_a_question_is_one_to_memory(telegram: FakeTelegram) -> None:
    async with started() as cluster, bridged(cluster, telegram):
        await telegram.say("remember the wifi password of the office is hunter2")
        await telegram.until_sent(1)
        assert telegram.texts[0] == "I will remember that."
        await telegram.say("What is the wifi password?")
        await telegram.until_sent(2)
        assert "hunter2" in telegram.texts[1]
        await telegram.say("cancel culture, what is it?")  # a sentence, no command
        await telegram.until_sent(3)
        assert "no task" not in telegram.texts[2]


async def test_strangers_get_nothing_and_are_counted(telegram: FakeTelegram) -> None:
    async with started() as cluster:
        client = cluster.client
        await client.bridges.allow("telegram", "-50", member="7", user="ada")
        async with bridged(cluster, telegram):
            for text in ("status", "approve 1", "\x1b[2J" * 1000):
                await telegram.say(text, member=666, **{"from": {"id": 666, "first_name": "\u202eeve\n"}})
            await telegram.say("/status", member=666, chat=-50)
            await telegram.say("what do you think?", member=7, chat=-50)  # among people
            await telegram.say("/status@other_bot", member=7, chat=-50)
            await telegram.put({"update_id": 500, "edited_message": {"x": 1}})
            await telegram.put({"update_id": 501, "message": {"strange": True}})
            telegram.next_id = 501
            await telegram.say("@claw_bot status", member=7, chat=-50)
            await telegram.until_sent(1)
            await advanced(cluster, f"12:{telegram.next_id}")
        assert len(telegram.sent) == 1
        assert telegram.sent[0]["chat_id"] == -50
        bridge = await client.bridges.state("telegram")
        assert bridge.ignored == 4
        assert [(each.chat, each.called) for each in bridge.strangers] == [("666", "eve"), ("-50", "ada")]
        await client.bridges.disallow("telegram", "7")
        with pytest.raises(Refused, match="is not on the list"):
            await client.bridges.disallow("telegram", "7")


@pytest.mark.parametrize("fault", ["502", "429", "cut"])
async def test_an_answer_that_does_not_go_out_is_sent_again(telegram: FakeTelegram, fault: str) -> None:
    telegram.faults["getUpdates"] = ["502", "429", "cut"]
    telegram.faults["sendMessage"] = [fault] * 3
    async with started() as cluster, bridged(cluster, telegram):
        await telegram.say("help")
        await telegram.until_sent(1)
        await telegram.say("help")
        await telegram.until_sent(2)
        await advanced(cluster, f"12:{telegram.next_id}")
        assert len(telegram.sent) == 2


async def test_one_who_blocked_the_bot_holds_up_nobody(telegram: FakeTelegram) -> None:
    telegram.faults["sendMessage"] = ["403"]
    async with started() as cluster, bridged(cluster, telegram):
        await telegram.say("help")
        await telegram.say("status")
        await telegram.until_sent(1)
        assert "Tasks:" in telegram.texts[0]


@pytest.mark.parametrize("appends", [1, 2, 3, *(pytest.param(n, marks=pytest.mark.soak) for n in (4, 5, 6))])
async def test_killed_anywhere_no_message_is_lost_and_none_is_answered_twice(
    telegram: FakeTelegram, appends: int
) -> None:
    """The bridge is killed at the n-th of its appends, before or after it is stored."""
    async with started() as cluster:
        await telegram.say('submit echo {"text": "one"}')
        await telegram.say('submit echo {"text": "two"}')
        hit, seen = asyncio.Event(), 0
        log = cluster._host.log

        async def watch() -> None:
            nonlocal seen
            follower = await log.follow(["claw.bridge.>"], after=(await log.head()).last_seq)
            async for batch in follower:
                seen += len(batch)
                if seen >= appends:
                    hit.set()

        watching = asyncio.create_task(watch())
        try:
            async with bridged(cluster, telegram):
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.5):
                        await hit.wait()
            async with bridged(cluster, telegram):
                await telegram.say("help")
                while not any(text.startswith("status:") for text in telegram.texts):
                    await telegram.until_sent(len(telegram.sent) + 1)
        finally:
            watching.cancel()
        assert len(await cluster.client.ids("chat-", fresh=True)) == 2
        assert len(telegram.texts) == len(set(telegram.texts)), telegram.texts
        assert len(telegram.texts) >= 2


async def test_what_telegram_forgets_is_done_with_and_ids_may_begin_anew(telegram: FakeTelegram) -> None:
    async with started() as cluster:
        async with bridged(cluster, telegram):
            first = await telegram.say("help")
            await telegram.until_sent(1)
            async with asyncio.timeout(10):
                while first in telegram.left or telegram.offsets[-1] is not None:  # noqa: ASYNC110 - another program
                    await asyncio.sleep(0.02)
            telegram.next_id = 3  # after a week of silence
            await telegram.say("status")
            await telegram.until_sent(2)
        async with bridged(cluster, telegram):
            await telegram.say("approvals")
            await telegram.until_sent(3)
        assert "Nobody asks" in telegram.texts[2]


async def test_a_second_bridge_and_a_wrong_token_are_told(telegram: FakeTelegram) -> None:
    async with started() as cluster:
        async with TelegramApi("12:wrong", telegram.url) as api:
            with pytest.raises(OutletFailed, match="Telegram said 401 Unauthorized") as failed:
                await TelegramChat.open(api)
            assert failed.value.final
            assert "wrong" not in str(failed.value)
        async with bridged(cluster, telegram) as serving:
            await telegram.say("help")
            await telegram.until_sent(1)
            await advanced(cluster, "12:101")
            await cluster.client.bridges.advance("telegram", "12:101", "12:900")
            await telegram.say("help")
            await telegram.until_sent(2)
            with pytest.raises(Refused, match="another process runs this bridge"):
                async with asyncio.timeout(10):
                    await cluster.client.bridges.advance("telegram", "12:101", "12:102")
            assert not serving.done()


async def test_the_address_with_the_token_is_never_shown(caplog: pytest.LogCaptureFixture) -> None:
    async with TelegramApi(TOKEN, "http://127.0.0.1:9") as api:
        with pytest.raises(OutletFailed) as failed:
            await api.call("getMe")
    assert TOKEN not in str(failed.value) + caplog.text


async def test_a_group_that_has_moved_is_told_where_it_is(telegram: FakeTelegram) -> None:
    telegram.faults["sendMessage"] = ["moved"]
    async with TelegramApi(TOKEN, telegram.url) as api:
        await api.send("-50", ("hi",))
        telegram.faults["sendMessage"] = ["403"]
        with pytest.raises(OutletFailed, match="403 Forbidden") as failed:
            await api.send("-50", ("hi",))
    assert (telegram.sent[0]["chat_id"], failed.value.final) == (-1007, True)


async def test_a_number_is_of_one_question_and_outlives_a_restart(telegram: FakeTelegram) -> None:
    async with started() as cluster:
        await cluster.client.submit("asks", {"question": "One?"}, id="a")
        await cluster.settle()
        async with bridged(cluster, telegram):
            await telegram.say("approvals")
            await telegram.until_sent(1)
        await cluster.client.submit("asks", {"question": "Two?"}, id="b")
        await cluster.settle()
        async with bridged(cluster, telegram):
            await telegram.say("approvals")
            await telegram.until_sent(2)
            await cluster.client.cancel("a")
            await cluster.client.retry("a")
            await cluster.settle()
            await telegram.say("approve 1")
            await telegram.until_sent(3)
            await telegram.say("approvals")
            await telegram.until_sent(4)
        assert "1: One? (task a)\n2: Two? (task b)" in telegram.texts[1]
        assert "1 is over, and the task asks again" in telegram.texts[2]
        assert "3: One? (task a)" in telegram.texts[3]


HOSTILE = (
    'submit echo {"text": ' + "[" * 3900,
    'submit echo {"text": "\\ud800"}',
    'submit echo {"text": 1e999}',
    "submit ech\x00o {}",
    "tasks \ud800",
    "why " + "9" * 4000,
    "approve " + "9" * 4000,
    "cancel ../../etc",
    "remember \x00\ud800",
    "recall \ud800\x00" + "(" * 3000,
    "/" + "x" * 4000,
    "\u202e\u0000",
)


async def test_no_message_stops_the_bridge(telegram: FakeTelegram) -> None:
    async with started() as cluster, bridged(cluster, telegram) as serving:
        for number, said in enumerate(HOSTILE, 1):
            await telegram.say(said.encode("utf-8", "replace").decode())
            await telegram.until_sent(number)
            assert not serving.done(), said[:40]


async def test_a_fault_of_the_program_is_answered_once_and_stops_nothing(
    telegram: FakeTelegram, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: Any, **__: Any) -> Any:
        raise KeyError("a fault")

    async with started() as cluster:
        monkeypatch.setattr(type(cluster.client), "why", broken)
        async with bridged(cluster, telegram):
            await cluster.client.run("echo", id="a")
            await telegram.say("why a")
            await telegram.say("help")
            await telegram.until_sent(2)
        assert "a fault of the program" in telegram.texts[0]
        assert telegram.texts[1].startswith(HELP[:20])
        assert "KeyError" in caplog.text
