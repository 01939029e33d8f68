"""Requests and answers, for both adapters: who may ask, what is dropped, what each of the answers says."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Protocol

import msgspec
import pytest

from clawactors.eventlog import Draft, NoResponders, Unavailable
from clawactors.eventlog.jetstream import Connection, JetStreamLog, JetStreamRequests
from clawactors.eventlog.requests import InProcessRequests, Requests

PURGE = "$JS.API.STREAM.PURGE.CLAW_EVENTS"


class Network(Protocol):
    """One network with a leader on it, and what others need to speak to it."""

    leader: Requests

    async def client(self, principal: str) -> Requests: ...
    async def forge(self, subject: str, body: bytes, reply: str) -> None: ...


class InProcess:
    def __init__(self) -> None:
        self._network = InProcessRequests()
        self.leader: Requests = self._network

    async def client(self, principal: str) -> Requests:
        return self._network.of(principal)

    async def forge(self, subject: str, body: bytes, reply: str) -> None:
        self._network.post(subject, body, reply)


class OnServer:
    """The leader asks on one connection and answers on another."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._open: list[Connection] = []

    async def connect(self, inbox: str = "") -> Connection:
        connection = await Connection.open(self._url, "test", inbox=inbox)
        self._open.append(connection)
        return connection

    async def start(self) -> None:
        self.leader: Requests = JetStreamRequests(await self.connect(), replies=await self.connect())
        self._forger = await self.connect()

    async def client(self, principal: str) -> Requests:
        return JetStreamRequests(await self.connect(f"_INBOX.{principal}"))

    async def forge(self, subject: str, body: bytes, reply: str) -> None:
        self._forger.write(f"PUB {subject} {reply} {len(body)}\r\n".encode() + body + b"\r\n")
        await self._forger._client.flush()

    async def aclose(self) -> None:
        for connection in self._open:
            await connection.aclose()


@pytest.fixture(params=["inprocess", pytest.param("jetstream", marks=pytest.mark.nats)])
async def network(request: pytest.FixtureRequest) -> AsyncIterator[Network]:
    """An empty network: the test runs once for each adapter."""
    if request.param == "inprocess":
        yield InProcess()
        return
    server = OnServer(request.getfixturevalue("nats_url"))
    await server.start()
    yield server
    await server.aclose()


async def greet(principal: str, body: bytes) -> bytes:
    return b"%b, %b" % (body, principal.encode())


def error_of(answer: bytes) -> str:
    code: str = msgspec.json.decode(answer)["error"]["code"]
    return code


async def test_the_handler_learns_from_the_subject_who_asks(network: Network) -> None:
    await network.leader.answer("claw.do.*.task", greet)
    ada, bob = await network.client("ada"), await network.client("bob")
    assert await ada.request("claw.do.ada.task", b"hello", 5) == b"hello, ada"
    assert await bob.request("claw.do.bob.task", b"hello", 5) == b"hello, bob"


async def test_the_principal_may_stand_elsewhere_in_the_subject(network: Network) -> None:
    await network.leader.answer("claw.ask.tasks.*", greet, principal_token=3)
    ada = await network.client("ada")
    assert await ada.request("claw.ask.tasks.ada", b"hello", 5) == b"hello, ada"


FORGED = (PURGE, "claw.task.T1.log", "_INBOX.bob.1", "_INBOX.ada", "_INBOX.adam.1", "_INBOX", "claw.do.bob.task")


@pytest.mark.parametrize("reply", FORGED)
async def test_a_request_with_a_forged_reply_subject_is_dropped_and_counted(network: Network, reply: str) -> None:
    handled: list[str] = []
    reached: list[str] = []

    async def handle(principal: str, body: bytes) -> bytes:
        handled.append(principal)
        return b"[]"

    await network.leader.subscribe(reply, lambda subject, _: reached.append(subject))
    serving = await network.leader.answer("claw.do.*.task", handle)
    await network.forge("claw.do.ada.task", b"{}", reply)
    ada = await network.client("ada")
    assert await ada.request("claw.do.ada.task", b"{}", 5) == b"[]"
    assert (handled, reached, serving.dropped) == (["ada"], [], 1)


async def test_a_request_without_a_reply_subject_is_dropped_and_counted(network: Network) -> None:
    serving = await network.leader.answer("claw.do.*.task", greet)
    ada = await network.client("ada")
    ada.publish("claw.do.ada.task", b"hello")
    assert await ada.request("claw.do.ada.task", b"hello", 5) == b"hello, ada"
    assert serving.dropped == 1


async def test_a_principal_that_asks_from_the_inbox_of_another_gets_no_answer(network: Network) -> None:
    serving = await network.leader.answer("claw.do.*.task", greet)
    bob = await network.client("bob")
    with pytest.raises(Unavailable, match=r"within 0\.1 s"):
        await bob.request("claw.do.ada.task", b"hello", 0.1)
    assert serving.dropped == 1


@pytest.mark.nats
async def test_a_forged_request_neither_purges_the_log_nor_writes_to_it(jetstream_log: JetStreamLog) -> None:
    await jetstream_log.append(Draft("task", "T1", b"{}", "c1"), 0)
    leader = JetStreamRequests(jetstream_log.connection)

    async def silent(principal: str, body: bytes) -> bytes:
        return b""

    async def empty(body: bytes) -> bytes:
        return b""

    await leader.answer("claw.do.*.task", silent)
    await leader.serve("claw.query.old", empty)
    for subject in ("claw.do.ada.task", "claw.query.old", "$SRV.PING"):
        for reply in (PURGE, "claw.task.T1.log", "claw.task.T2.log"):
            jetstream_log.connection.write(f"PUB {subject} {reply} 2\r\n{{}}\r\n".encode())
    await jetstream_log.connection._client.flush()
    await jetstream_log.connection._client.flush()  # whatever was answered to them has been carried out
    head = await jetstream_log.head()
    assert (head.last_seq, head.messages) == (1, 1)


async def test_above_its_bound_a_principal_hears_busy_and_others_are_served(network: Network) -> None:
    go_on = asyncio.Event()
    begun: list[str] = []

    async def wait(principal: str, body: bytes) -> bytes:
        begun.append(principal)
        if principal == "ada":
            await go_on.wait()
        return b"done"

    await network.leader.answer("claw.do.*.task", wait, most_per_principal=3)
    ada, bob = await network.client("ada"), await network.client("bob")
    asked = [asyncio.ensure_future(ada.request("claw.do.ada.task", b"", 10)) for _ in range(5)]
    busy, rest = await asyncio.wait(asked[3:], timeout=5)
    assert not rest
    assert [error_of(each.result()) for each in busy] == ["busy", "busy"]
    assert await bob.request("claw.do.bob.task", b"", 5) == b"done"
    assert begun == ["ada"] * 3 + ["bob"]
    go_on.set()
    assert await asyncio.gather(*asked[:3]) == [b"done"] * 3
    assert await ada.request("claw.do.ada.task", b"", 5) == b"done"


async def test_requests_are_answered_in_any_order(network: Network) -> None:
    second_done = asyncio.Event()

    async def reverse(principal: str, body: bytes) -> bytes:
        if body == b"first":
            await second_done.wait()
        else:
            second_done.set()
        return body

    await network.leader.answer("claw.do.*.task", reverse)
    ada = await network.client("ada")
    answers = await asyncio.gather(*(ada.request("claw.do.ada.task", body, 5) for body in (b"first", b"second")))
    assert answers == [b"first", b"second"]


async def test_with_nobody_there_and_after_its_end_the_answer_is_at_once_that_nobody_listens(network: Network) -> None:
    ada = await network.client("ada")
    with pytest.raises(NoResponders, match=r"claw\.do\.ada\.task"):
        await ada.request("claw.do.ada.task", b"", 60)
    serving = await network.leader.answer("claw.do.*.task", greet)
    await ada.request("claw.do.ada.task", b"hello", 5)
    await serving.aclose()
    await serving.aclose()
    with pytest.raises(NoResponders, match=r"claw\.do\.ada\.task"):
        await ada.request("claw.do.ada.task", b"", 60)


async def test_those_whose_requests_are_under_way_at_its_end_hear_of_it_at_once(network: Network) -> None:
    begun = asyncio.Event()

    async def hang(principal: str, body: bytes) -> bytes:
        begun.set()
        await asyncio.Event().wait()
        return b"never"

    serving = await network.leader.answer("claw.do.*.task", hang)
    ada = await network.client("ada")
    asked = asyncio.ensure_future(ada.request("claw.do.ada.task", b"", 60))
    await begun.wait()
    await serving.aclose()
    async with asyncio.timeout(5):
        with pytest.raises(Unavailable, match="no longer served"):
            await asked


@pytest.mark.parametrize("nothing", [b"", b"{}"])
async def test_an_answer_is_never_empty(network: Network, nothing: bytes) -> None:
    async def silent(principal: str, body: bytes) -> bytes:
        return nothing

    await network.leader.answer("claw.do.*.task", silent)
    ada = await network.client("ada")
    with pytest.raises(Unavailable, match="empty answer"):
        await ada.request("claw.do.ada.task", b"", 5)


async def test_a_handler_that_fails_is_told_to_the_asker(network: Network, caplog: pytest.LogCaptureFixture) -> None:
    async def fail(principal: str, body: bytes) -> bytes:
        raise ValueError("not\r\nsuch")

    await network.leader.answer("claw.do.*.task", fail)
    ada = await network.client("ada")
    with pytest.raises(Unavailable, match="ValueError: not such"):
        await ada.request("claw.do.ada.task", b"", 5)
    assert len(caplog.records) == 1


async def test_a_notice_reaches_the_client_that_listens_for_it(network: Network) -> None:
    ada = await network.client("ada")
    notices: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
    stop = await ada.subscribe("claw.ended.ada.c1", lambda subject, body: notices.put_nowait((subject, body)))
    network.leader.publish("claw.ended.ada.c2", b"for another")
    network.leader.publish("claw.ended.ada.c1", b"[1]")
    async with asyncio.timeout(5):
        assert await notices.get() == ("claw.ended.ada.c1", b"[1]")
    stop()
    assert notices.empty()


@pytest.mark.nats
async def test_all_reply_subjects_of_a_connection_lie_under_its_inbox(nats_url: str) -> None:
    connection = await Connection.open(nats_url, "test", inbox="_INBOX.ada")
    other = await Connection.open(nats_url, "test")
    seen: asyncio.Queue[bytes] = asyncio.Queue()
    await other.confirm(other.listen("claw.do.>", lambda _, reply, __, ___: seen.put_nowait(reply)))
    with pytest.raises(Unavailable):
        await connection.ask("claw.do.ada.task", timeout_s=0.05)
    connection.publish_request("claw.do.ada.task", connection.expect_nothing())
    async with asyncio.timeout(5):
        replies = [await seen.get(), await seen.get()]
    assert all(reply.startswith(b"_INBOX.ada.") for reply in replies)
    assert connection.new_inbox().startswith("_INBOX.ada.")
    await connection.aclose()
    await other.aclose()


@pytest.mark.nats
async def test_answers_leave_on_the_connection_for_answers(nats_url: str) -> None:
    served, answering = await Connection.open(nats_url, "test"), await Connection.open(nats_url, "test")
    leader = JetStreamRequests(served, replies=answering)
    await leader.answer("claw.do.*.task", greet)
    wrote: list[bytes] = []
    write: Callable[[bytes], bool] = answering.write

    def spy(frames: bytes) -> bool:
        wrote.append(frames)
        return write(frames)

    answering.write = spy  # type: ignore[method-assign]
    ada = await Connection.open(nats_url, "test", inbox="_INBOX.ada")
    assert (await ada.ask("claw.do.ada.task", b"hello"))[1] == b"hello, ada"
    assert len(wrote) == 1
    for connection in (served, answering, ada):
        await connection.aclose()
