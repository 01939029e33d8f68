"""The connection by itself: what it does while the server is away, and what it never does."""

import asyncio
import functools
import signal
from collections.abc import Callable
from typing import Any
from urllib.parse import urlparse

import pytest

from clawactors.eventlog import Draft, NoResponders, Unavailable
from clawactors.eventlog.jetstream import Address, Connection
from clawactors.eventlog.jetstream.wire.pool import MAX_RECONNECT_WAIT_S
from clawactors.eventlog.jetstream.wire.transport import ParsingTransport
from tests.logs import open_log
from tests.servers import NatsServer, free_port

pytestmark = pytest.mark.nats


async def test_a_socket_that_reaches_itself_is_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    loop = asyncio.get_running_loop()
    itself = functools.partial(loop.create_connection, local_addr=("127.0.0.1", port))
    monkeypatch.setattr(loop, "create_connection", itself)
    with pytest.raises(OSError, match="connected to itself"):
        await ParsingTransport(bytes).connect(urlparse(f"nats://127.0.0.1:{port}"), 1, 2)


async def test_a_request_waits_for_a_server_that_comes_back(own_server: Callable[..., NatsServer]) -> None:
    server = own_server()
    connection = await Connection.open(server.url(), "test")
    lost = asyncio.Event()
    connection.on_lost.append(lost.set)
    server.kill()
    await lost.wait()
    waiting = asyncio.ensure_future(connection.ask("$JS.API.INFO", timeout_s=10))
    await server.restart()
    _, answer = await waiting
    assert b"account_info_response" in answer
    await connection.aclose()


async def test_a_request_gives_up_in_its_time_while_the_server_is_away(own_server: Callable[..., NatsServer]) -> None:
    server = own_server()
    connection = await Connection.open(server.url(), "test")
    lost = asyncio.Event()
    connection.on_lost.append(lost.set)
    server.kill()
    await lost.wait()
    assert not connection.online
    with pytest.raises(Unavailable, match=r"no connection to nats://127\.0\.0\.1"):
        await connection.ask("any", timeout_s=0.2)
    assert connection.write(b"PUB a 0\r\n\r\n") is False
    await connection.aclose()
    with pytest.raises(Unavailable, match="closed"):
        await connection.ask("any")


async def test_it_comes_back_within_a_quarter_of_a_second_once_the_server_is_there(
    own_server: Callable[..., NatsServer],
) -> None:
    server = own_server()
    connection = await Connection.open(server.url(), "test")
    back = asyncio.Event()
    connection.on_back.append(back.set)
    server.kill()
    await server.restart()
    async with asyncio.timeout(MAX_RECONNECT_WAIT_S + 1):
        await back.wait()
    await connection.aclose()


class Breaking:
    """A transport that raises once while the client still believes in it, as uvloop's does when it is closed."""

    def __init__(self, transport: Any) -> None:
        self._transport, self.raised = transport, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def __bool__(self) -> bool:
        return True

    def write(self, payload: bytes) -> None:
        if not self.raised:
            self.raised = True
            raise RuntimeError("unable to perform operation on <TCPTransport closed=True>; the handler is closed")
        self._transport.write(payload)


@pytest.mark.parametrize("count", [1, 3, 500])
async def test_appends_that_a_broken_transport_did_not_take_are_stored_once_it_is_back(
    own_server: Callable[..., NatsServer], count: int
) -> None:
    async with await open_log(own_server().url(), "test") as log:
        broken = Breaking(log.connection._client._transport)
        log.connection._client._transport = broken  # type: ignore[assignment]
        async with asyncio.timeout(5):  # they were told to be in doubt after 30 s
            versions = await asyncio.gather(
                *(log.append(Draft("task", f"t{n}", b"{}", f"c{n}"), 0) for n in range(count))
            )
        assert broken.raised
        assert sorted(versions) == list(range(1, count + 1))


async def test_a_write_into_a_broken_transport_tells_and_the_connection_comes_back(
    own_server: Callable[..., NatsServer],
) -> None:
    connection = await Connection.open(own_server().url(), "test")
    back = asyncio.Event()
    connection.on_back.append(back.set)
    connection._client._transport = Breaking(connection._client._transport)  # type: ignore[assignment]
    assert connection.publish_now(b"a", b"gone") is False
    assert not connection.online
    async with asyncio.timeout(5):
        await back.wait()
    assert connection.publish_now(b"a", b"sent")
    await connection.aclose()


async def test_a_write_into_a_closed_transport_tells(own_server: Callable[..., NatsServer]) -> None:
    connection = await Connection.open(own_server().url(), "test")
    assert connection._client._transport is not None
    connection._client._transport.close()  # type: ignore[no-untyped-call]
    assert connection.publish_now(b"a", b"gone") is False
    with pytest.raises(NoResponders):
        await connection.ask("nobody", timeout_s=5)
    await connection.aclose()


async def test_a_pong_whose_waiter_has_given_up_does_not_end_the_reading(
    own_server: Callable[..., NatsServer], caplog: pytest.LogCaptureFixture
) -> None:
    server = own_server()
    connection = await Connection.open(server.url(), "test")
    lost: list[bool] = []
    connection.on_lost.append(lambda: lost.append(True))
    server.freeze()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await connection.confirm(connection.listen("a", lambda *_: None))
    server.signal(signal.SIGCONT)
    with pytest.raises(NoResponders):
        await connection.ask("nobody", timeout_s=5)
    await connection._client.flush()
    assert not lost
    assert not [record for record in caplog.records if record.exc_info]
    await connection.aclose()


async def test_who_waits_for_a_pong_hears_at_once_that_the_connection_is_lost(
    own_server: Callable[..., NatsServer],
) -> None:
    server = own_server()
    connection = await Connection.open(server.url(), "test")
    server.freeze()
    waiting = asyncio.ensure_future(connection.confirm(connection.listen("a", lambda *_: None)))
    await asyncio.sleep(0)
    server.kill()
    async with asyncio.timeout(5):  # nats-py forgets it: it took 10 s
        with pytest.raises(Unavailable, match="did not take 'a'"):
            await waiting
    assert [each.subject for each in connection._client._subs.values()] == [f"{connection._replies.inbox}.*"]
    await connection.aclose()


async def test_passwords_are_not_shown() -> None:
    with pytest.raises(Unavailable) as caught:
        await Connection.open(Address(urls=("nats://user:hidden@127.0.0.1:1",)), "test")
    assert "hidden" not in str(caught.value)


async def test_a_route_takes_what_comes_until_its_end(nats_url: str) -> None:
    connection = await Connection.open(nats_url, "test")
    took: asyncio.Queue[bytes] = asyncio.Queue()
    still: asyncio.Queue[bytes] = asyncio.Queue()
    subscription = connection.listen("a.*", lambda _s, _r, _h, body: took.put_nowait(body))
    connection.listen("a.b", lambda _s, _r, _h, body: still.put_nowait(body))
    connection.publish_now(b"a.b", b"one", b"NATS/1.0\r\nA: b\r\n\r\n")
    async with asyncio.timeout(5):
        assert (await took.get(), await still.get()) == (b"one", b"one")
        connection.unlisten(subscription)
        connection.publish_now(b"a.b", b"two")
        assert await still.get() == b"two"
    assert took.empty()
    await connection.aclose()


async def test_servers_that_take_connections_and_hang_cost_one_socket_at_a_time() -> None:
    tries = 0
    open_now: set[asyncio.StreamWriter] = set()
    tried_often = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal tries
        tries += 1
        open_now.add(writer)
        if tries == 1:
            writer.write(b'INFO {"version":"2.12.0","headers":true,"max_payload":1048576}\r\n')
            while (line := await reader.readline()) and b"_INBOX" not in line:
                if line.startswith(b"PING"):
                    writer.write(b"PONG\r\n")
            writer.write(b"PONG\r\n")
            await writer.drain()
        else:
            if tries > 6:
                tried_often.set()
            await reader.read()
        open_now.discard(writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    connection = await Connection.open(
        f"nats://127.0.0.1:{server.sockets[0].getsockname()[1]}", "test", connect_timeout_s=0.2
    )
    async with asyncio.timeout(30):
        await tried_often.wait()
    held = len(open_now)
    await connection.aclose()
    server.close()
    for writer in open_now:
        writer.close()
    assert held <= 2, "the newest, and the one before that it is just giving up"
