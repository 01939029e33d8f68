"""What a follower makes of the server's messages, fed by hand: gaps, heartbeats, credit, both forms of replies."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import msgspec
import pytest

from clawactors.eventlog import PermissionDenied
from clawactors.eventlog.jetstream.log.follower import PushFollower
from clawactors.eventlog.jetstream.log.source import StreamSource
from clawactors.eventlog.jetstream.wire.connection import Connection
from clawactors.eventlog.jetstream.wire.contexts import Address
from clawactors.eventlog.jetstream.wire.parser import OnMessage

HEADERS = b"NATS/1.0\r\n\r\n"


class Subscription:
    is_denied = False


class Wire:
    """Stands in for the connection: consumers are always created, what is written is kept."""

    def __init__(self) -> None:
        self.address = Address()
        self.on_lost: list[Callable[[], None]] = []
        self.on_back: list[Callable[[], None]] = []
        self.on_denied: list[Callable[[PermissionDenied], None]] = []
        self.online, self.is_closed, self.is_clustered = True, False, False
        self.deliver: OnMessage = lambda *_: None
        self.written: list[bytes] = []
        self.created: list[dict[str, Any]] = []
        self.last_seq = 0
        self.stored: list[int] = []
        self.assigns = asyncio.Event()
        self.assigns.set()
        self.made = asyncio.Event()

    def new_inbox(self) -> str:
        return f"_INBOX.{len(self.created)}"

    def listen(self, subject: str, on_message: OnMessage) -> Subscription:
        self.deliver = on_message
        return Subscription()

    def unlisten(self, subscription: Subscription) -> None:
        self.deliver = lambda *_: None

    def expect_nothing(self) -> str:
        return "_INBOX.none"

    def write(self, frames: bytes) -> bool:
        self.written.append(frames)
        return True

    def publish_request(self, subject: str, reply: str) -> bool:
        return True

    async def wait_online(self, timeout_s: float) -> None: ...

    async def ask(
        self, subject: str, body: bytes = b"", headers: bytes = b"", timeout_s: float = 5
    ) -> tuple[bytes, bytes]:
        if "CONSUMER.CREATE" in subject:
            await self.assigns.wait()
            self.created.append(msgspec.json.decode(body)["config"])
            self.made.set()
            return b"", b'{"num_pending": 5}'
        if "MSG.GET" in subject:
            after = msgspec.json.decode(body)["seq"]
            found = next((seq for seq in self.stored if seq >= after), None)
            error = {"error": {"code": 404, "err_code": 10037}}
            return b"", msgspec.json.encode({"message": {"subject": "s", "seq": found}} if found else error)
        return b"", b'{"created": "now", "config": {}, "state": {"last_seq": %d}}' % self.last_seq

    def message(self, seq: int, number: int, pending: int = 1, subject: bytes = b"claw.task.a.log") -> None:
        self.deliver(subject, b"$JS.ACK.E.c.1.%d.%d.99.%d" % (seq, number, pending), b"", b"x")

    def heartbeat(self, number: int, seq: int, more: bytes = b"") -> None:
        head = b"NATS/1.0 100 Idle Heartbeat\r\nNats-Last-Consumer: %d\r\nNats-Last-Stream: %d\r\n%b\r\n"
        self.deliver(b"_INBOX.0", b"", head % (number, seq, more), b"")


@pytest.fixture
def wire() -> Wire:
    return Wire()


async def follow(wire: Wire, *patterns: str, after: int = 0, replicas: int = 1) -> PushFollower:
    config = {"name": "E", "num_replicas": replicas}
    source = StreamSource(cast("Connection", wire), {"created": "now", "config": config})
    return await PushFollower(source, patterns or (">",), after).open()


async def recreated(wire: Wire) -> dict[str, Any]:
    """The next consumer that the follower asks for."""
    wire.made.clear()
    async with asyncio.timeout(2):
        await wire.made.wait()
    return wire.created[-1]


async def test_both_forms_of_the_reply_subject_are_read(wire: Wire) -> None:
    follower = await follow(wire)
    wire.deliver(b"a", b"$JS.ACK.E.c.1.7.1.99.1", HEADERS, b"x")
    wire.deliver(b"b", b"$JS.ACK.hub.HASH.E.c.1.9.2.98.0.rAnDoM", HEADERS, b"y")
    assert [(record.seq, record.at_ns, record.subject, record.body) for record in follower.take()] == [
        (7, 99, "a", b"x"),
        (9, 98, "b", b"y"),
    ]
    assert follower.at_end
    await follower.aclose()


async def test_a_hole_in_the_consumer_sequence_makes_a_new_consumer_after_the_last_record(wire: Wire) -> None:
    follower = await follow(wire)
    wire.message(10, 1)
    wire.last_seq = 30
    wire.message(30, 3)
    config = await recreated(wire)
    assert (config["deliver_policy"], config["opt_start_seq"]) == ("by_start_sequence", 11)
    wire.message(20, 1)
    wire.message(30, 2)
    assert [record.seq for record in follower.take()] == [10, 20, 30]
    await follower.aclose()


async def test_a_heartbeat_that_counts_more_than_came_makes_a_new_consumer(wire: Wire) -> None:
    follower = await follow(wire, after=4)
    assert wire.created[0]["opt_start_seq"] == 5
    wire.message(10, 1)
    wire.last_seq = 12
    wire.heartbeat(2, 12)
    assert (await recreated(wire))["opt_start_seq"] == 11
    await follower.aclose()


async def test_a_heartbeat_moves_the_position_over_what_does_not_match(wire: Wire) -> None:
    follower = await follow(wire)
    wire.message(10, 1)
    wire.heartbeat(1, 55)
    assert follower.position == 0, "record 10 has not been handed out"
    await anext(follower)
    assert follower.position == 55
    await follower.aclose()


async def test_flow_control_is_answered_when_what_came_before_is_taken(wire: Wire) -> None:
    follower = await follow(wire)
    wire.message(10, 1)
    wire.deliver(b"_INBOX.0", b"$JS.FC.E.c.x", b"NATS/1.0 100 FlowControl Request\r\n\r\n", b"")
    assert wire.written == []
    follower.take()
    assert wire.written == [b"PUB $JS.FC.E.c.x 0\r\n\r\n"]
    wire.heartbeat(1, 10, b"Nats-Consumer-Stalled: $JS.FC.E.c.y\r\n")
    assert wire.written[1:] == [b"PUB $JS.FC.E.c.y 0\r\n\r\n"], "nothing waits, so more may come at once"
    await follower.aclose()


async def test_several_patterns_are_read_through_the_one_that_covers_them(wire: Wire) -> None:
    follower = await follow(wire, "claw.task.*.to.n1", "claw.node.n1.>")
    assert wire.created[0]["filter_subject"] == "claw.>"
    wire.message(1, 1, subject=b"claw.task.a.to.n1")
    wire.message(2, 2, subject=b"claw.task.a.to.n2")
    wire.message(3, 3, subject=b"claw.node.n1.log")
    assert [record.seq for record in follower.take()] == [1, 3]
    await follower.aclose()


async def test_a_subject_that_is_no_text_is_a_record_like_any_other(wire: Wire) -> None:
    follower = await follow(wire)
    wire.message(1, 1, subject=b"claw.task.\xff.log")
    (record,) = follower.take()
    assert record.subject == "claw.task.�.log"
    await follower.aclose()


async def test_a_reconnect_makes_a_new_consumer(wire: Wire) -> None:
    follower = await follow(wire)
    wire.message(10, 1)
    wire.last_seq = 10
    for on_lost in list(wire.on_lost):
        on_lost()
    for on_back in list(wire.on_back):
        on_back()
    assert (await recreated(wire))["opt_start_seq"] == 11
    await follower.aclose()
    assert (wire.on_lost, wire.on_back) == ([], [])


async def test_records_are_fetched_while_a_cluster_makes_no_consumer_and_none_comes_twice(wire: Wire) -> None:
    wire.stored, wire.last_seq = [5, 9, 12], 12
    follower = await follow(wire, after=4, replicas=3)
    wire.message(5, 1)
    wire.assigns.clear()
    wire.heartbeat(2, 12)  # the second message of the consumer is missing
    seen: list[int] = []
    async with asyncio.timeout(5):
        while len(seen) < 3:
            seen += [record.seq for record in await anext(follower)]
    wire.assigns.set()
    assert (await recreated(wire))["opt_start_seq"] == 6, "as it was asked for before anything was fetched"
    for number, seq in enumerate((9, 12, 15), 1):
        wire.message(seq, number)
    assert seen + [record.seq for record in follower.take()] == [5, 9, 12, 15]
    await follower.aclose()
