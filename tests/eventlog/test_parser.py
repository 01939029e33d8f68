"""The parser gives the same messages however the bytes are cut, and never stops for a reader's fault."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.errors import ProtocolError

from clawactors.eventlog.jetstream.wire.parser import MessageParser
from clawactors.eventlog.jetstream.wire.transport import Reader

RAW = b"7"
ENDED = b"8"


class Sink:
    """Writes down what the parser hands out."""

    def __init__(self) -> None:
        self.seen: list[tuple[Any, ...]] = []
        self.parser = MessageParser(self)
        self.parser.routes[RAW] = lambda *message: self.seen.append(("raw", *message))

    async def _process_err(self, err_msg: str) -> None:
        self.seen.append(("err", err_msg))

    async def _process_ping(self) -> None:
        await asyncio.sleep(0)  # as the client's own, which writes
        self.seen.append(("ping",))

    async def _process_pong(self) -> None:
        self.seen.append(("pong",))

    async def _process_info(self, info: dict[str, Any]) -> None:
        self.seen.append(("info", info))


def feed(*chunks: bytes) -> list[tuple[Any, ...]]:
    sink = Sink()

    async def run() -> None:
        for chunk in chunks:
            await sink.parser.parse(chunk)

    asyncio.run(run())
    return sink.seen


token = st.text("abcXYZ019_-$", min_size=1, max_size=6).map(str.encode)
subject = st.lists(token, min_size=1, max_size=4).map(b".".join)
reply = st.one_of(st.just(b""), subject)
body = st.one_of(st.binary(max_size=40), st.just(b"MSG a 7 3\r\nPING\r\n"), st.just(b"\r\n\r\n"))
headers = st.binary(max_size=20).map(lambda text: b"NATS/1.0\r\nA: " + text + b"\r\n\r\n")
sid = st.sampled_from([RAW, ENDED])


@st.composite
def messages(draw: st.DrawFn) -> tuple[bytes, tuple[Any, ...] | None]:
    where, at, to, text = draw(subject), draw(sid), draw(reply), draw(body)
    head = draw(st.one_of(st.just(b""), headers))
    place = where + b" " + at + (b" " + to if to else b"")
    if head:
        wire = b"HMSG %b %d %d\r\n%b%b\r\n" % (place, len(head), len(head) + len(text), head, text)
    else:
        wire = b"MSG %b %d\r\n%b\r\n" % (place, len(text), text)
    return wire, ("raw", where, to, head, text) if at == RAW else None


controls = st.sampled_from(
    [
        (b"PING\r\n", ("ping",)),
        (b"PONG\r\n", ("pong",)),
        (b"+OK\r\n", None),
        (
            b"-ERR 'Permissions Violation for Publish to \"a.B\"'\r\n",
            ("err", 'Permissions Violation for Publish to "a.B"'),
        ),
        (b'INFO {"version":"2.15.0"} \r\n', ("info", {"version": "2.15.0"})),
    ]
)
streams = st.lists(st.one_of(messages(), controls), max_size=12)


@given(streams, st.data())
def test_any_split_of_a_stream_gives_the_same_messages(
    stream: list[tuple[bytes, tuple[Any, ...] | None]], data: st.DataObject
) -> None:
    wire = b"".join(part for part, _ in stream)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=10)))
    chunks = [wire[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(wire)], strict=True)]
    assert feed(*chunks) == [seen for _, seen in stream if seen is not None]


@given(streams, st.data())
def test_what_comes_straight_and_what_the_loop_reads_keep_their_order(
    stream: list[tuple[bytes, tuple[Any, ...] | None]], data: st.DataObject
) -> None:
    wire = b"".join(part for part, _ in stream)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=10)))
    turns = data.draw(st.lists(st.integers(0, 3), min_size=len(cuts) + 1, max_size=len(cuts) + 1))
    sink = Sink()

    async def run() -> None:
        reader = Reader(sink.parser.feed)

        async def loop() -> None:
            while part := await reader.read(1 << 16):
                await sink.parser.parse(part)

        reading = asyncio.ensure_future(loop())
        for start, stop, some in zip([0, *cuts], [*cuts, len(wire)], turns, strict=True):
            for _ in range(some):
                await asyncio.sleep(0)
            if start < stop:
                reader.feed_data(wire[start:stop])
        reader.feed_eof()
        await reading

    asyncio.run(run())
    assert sink.seen == [seen for _, seen in stream if seen is not None]


async def test_a_protocol_error_reaches_whoever_reads() -> None:
    reader = Reader(Sink().parser.feed)
    reading = asyncio.ensure_future(reader.read(1))
    await asyncio.sleep(0)
    reader.feed_data(b"MSG a 7 x\r\n")
    with pytest.raises(ProtocolError):
        await reading


def test_messages_come_without_a_task_switch_up_to_the_first_line_that_is_none() -> None:
    sink = Sink()
    assert sink.parser.feed(b"MSG a 7 1\r\n1\r\nMSG a 7 1\r\n2\r\nPI") == b""
    assert sink.parser.feed(b"NG\r\nMSG a 7 1\r\n3\r\n") == b"PING\r\nMSG a 7 1\r\n3\r\n"
    assert [body for _, _, _, _, body in sink.seen] == [b"1", b"2"]


def test_one_byte_at_a_time_gives_the_same_messages() -> None:
    wire = b'INFO {"a":1}\r\nMSG a.b 7 r.s 3\r\nx\r\n\r\nHMSG a 7 12 14\r\nNATS/1.0\r\n\r\nhi\r\nPING\r\n'
    assert feed(*(bytes([each]) for each in wire)) == feed(wire)
    assert len(feed(wire)) == 4


def test_a_huge_message_arrives_whole_and_in_linear_time() -> None:
    huge = b"x" * (32 << 20)
    wire = b"MSG a 7 %d\r\n%b\r\nPING\r\n" % (len(huge), huge)
    chunks = (wire[start : start + 65536] for start in range(0, len(wire), 65536))
    first, second = feed(*chunks)
    assert (len(first[4]), second) == (len(huge), ("ping",))


def test_a_reader_that_fails_on_a_message_is_logged_and_gets_the_next_one(caplog: pytest.LogCaptureFixture) -> None:
    sink = Sink()
    got: list[bytes] = []

    def fragile(_subject: bytes, _reply: bytes, _headers: bytes, body: bytes) -> None:
        got.append(body)
        raise RuntimeError(body)

    sink.parser.routes[RAW] = fragile
    asyncio.run(sink.parser.parse(b"MSG a 7 1\r\n1\r\nHMSG a 7 12 13\r\nNATS/1.0\r\n\r\n2\r\n"))
    assert got == [b"1", b"2"]
    assert len(caplog.records) == 2


@pytest.mark.parametrize(
    "line", [b"NONSENSE\r\n", b"\r\n", b"MSG a 7 x\r\n", b"MSG a\r\n", b"HMSG a 7 5\r\n", b"INFO {\r\n"]
)
def test_a_malformed_line_is_a_protocol_error(line: bytes) -> None:
    with pytest.raises(ProtocolError):
        feed(line)


def test_a_line_without_end_is_a_protocol_error() -> None:
    with pytest.raises(ProtocolError):
        feed(b"x" * (2 << 20))


def test_a_reset_forgets_the_unfinished_message() -> None:
    sink = Sink()

    async def run() -> None:
        await sink.parser.parse(b"MSG a 7 100\r\nhalf")
        sink.parser.reset()
        await sink.parser.parse(b"PING\r\n")

    asyncio.run(run())
    assert sink.seen == [("ping",)]


def test_a_reset_while_parsing_drops_the_rest_of_the_old_connection() -> None:
    sink = Sink()

    async def reset_on_error(_text: str) -> None:
        sink.parser.reset()

    sink._process_err = reset_on_error  # type: ignore[method-assign]

    async def run() -> None:
        await sink.parser.parse(b"-ERR 'gone'\r\nMSG a 7 100\r\nhalf")
        await sink.parser.parse(b"PING\r\n")

    asyncio.run(run())
    assert sink.seen == [("ping",)]


def test_info_may_hold_any_json() -> None:
    info = {"connect_urls": ["127.0.0.1:4222", "a b"], "n": None}
    assert feed(b"INFO " + json.dumps(info).encode() + b"\r\n") == [("info", info)]
