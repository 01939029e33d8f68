"""Connections that delay, stall, drip, reset and break in the middle of a frame: nothing hangs, everything returns."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from clawactors.eventlog import Misconfigured, Unavailable
from clawactors.eventlog.jetstream import Address, Connection, Disconnects
from clawactors.eventlog.jetstream.wire import pool
from tests.eventlog.certificates import Authority
from tests.proxy import Proxy
from tests.servers import HOST, NatsServer, free_port

pytestmark = pytest.mark.nats


@pytest.fixture(params=["tcp", "tls"])
async def line(
    request: pytest.FixtureRequest, own_server: Callable[..., NatsServer], tmp_path: Path
) -> AsyncIterator[tuple[Proxy, Address]]:
    """A server behind a proxy."""
    authority = Authority(tmp_path)
    certificate, key = authority.issue(HOST)
    is_tls = request.param == "tls"
    tls = f'tls {{ cert_file: "{certificate}", key_file: "{key}" }}' if is_tls else ""
    server = own_server(tls, jetstream=False)
    async with Proxy(server.port) as proxy:
        yield proxy, Address(urls=(proxy.url(server.url()),), ca=str(authority.ca) if is_tls else "")


async def echoing(connection: Connection) -> None:
    """Answers on `echo` what it is asked."""

    def answer(subject: bytes, reply: bytes, headers: bytes, body: bytes) -> None:
        connection.publish_now(reply, body)

    await connection.confirm(connection.listen("echo", answer))


async def echoes(connection: Connection, body: bytes = b"ping") -> None:
    """Returns once an answer came, and it was the right one."""
    async with asyncio.timeout(10):
        while True:
            try:
                assert (await connection.ask("echo", body, timeout_s=0.5))[1] == body
                return
            except Unavailable:
                await asyncio.sleep(0)


@pytest.fixture
def pinging(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections notice within moments what takes 15 s otherwise."""
    monkeypatch.setattr(pool, "PING_S", 0.05)


async def test_a_line_that_drips(line: tuple[Proxy, Address]) -> None:
    proxy, address = line
    proxy.piece = 7
    async with await Connection.open(address, "test") as connection:
        await echoing(connection)
        await echoes(connection, bytes(range(256)) * 40)


async def test_a_line_that_breaks_in_the_middle_of_a_frame(line: tuple[Proxy, Address]) -> None:
    proxy, address = line
    async with await Connection.open(address, "test") as connection:
        await echoing(connection)
        for left in (0, 1, 5, 21, 40, 60, 100, 300, 1023):
            lost = asyncio.Event()
            connection.on_lost[:] = [lost.set]
            proxy.left = left + 1
            await echoes(connection, b"x" * 1000)
            await lost.wait()
            await echoes(connection)


async def test_a_line_that_resets_and_then_works(line: tuple[Proxy, Address]) -> None:
    proxy, address = line
    async with await Connection.open(address, "test") as connection:
        await echoing(connection)
        proxy.resets = 5
        proxy.cut()
        await echoes(connection)
        assert proxy.resets == 0


async def test_a_server_that_accepts_and_says_nothing(line: tuple[Proxy, Address]) -> None:
    proxy, address = line
    proxy.freeze()
    async with asyncio.timeout(5):
        with pytest.raises(Unavailable, match="says nothing"):
            await Connection.open(address, "test", 0.2)


@pytest.mark.usefixtures("pinging")
async def test_a_line_that_stalls_with_full_buffers_is_left(line: tuple[Proxy, Address]) -> None:
    proxy, address = line
    async with await Connection.open(address, "test") as connection:
        await echoing(connection)
        await echoes(connection)
        proxy.cut()  # the new connection pings by the new interval
        await echoes(connection)
        lost = asyncio.Event()
        connection.on_lost.append(lost.set)
        proxy.freeze()
        for _ in range(200):
            connection.publish_now(b"any", bytes(100_000))
        async with asyncio.timeout(10):
            await lost.wait()
        proxy.thaw()
        await echoes(connection)


FULL = [
    ("", "max_connections: 1"),
    ("ada", "accounts { A { limits { max_connections: 1 }\nusers: [{ user: ada, password: secret }] } }"),
]


async def admitted(address: Address) -> Connection:
    """Connected once the server has seen that the other one left."""
    while True:
        with contextlib.suppress(Unavailable):
            return await Connection.open(address, "second")


@pytest.mark.parametrize(("user", "limit"), FULL, ids=["server", "account"])
@pytest.mark.parametrize("is_tls", [False, True])
async def test_a_full_server_is_told_as_that(
    own_server: Callable[..., NatsServer], tmp_path: Path, user: str, limit: str, is_tls: bool
) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.issue(HOST)
    tls = f'tls {{ cert_file: "{certificate}", key_file: "{key}" }}' if is_tls else ""
    server = own_server(f"{limit}\n{tls}", jetstream=False)
    address = Address(urls=(server.url(user),), ca=str(authority.ca) if is_tls else "")
    async with await Connection.open(address, "first"):
        with pytest.raises(Unavailable, match=r"takes nobody else: .* connections exceeded: raise max_connections"):
            await Connection.open(address, "second")
    async with asyncio.timeout(10), await admitted(address):
        pass


async def test_how_a_closed_line_ends_is_not_told(
    line: tuple[Proxy, Address], caplog: pytest.LogCaptureFixture
) -> None:
    _, address = line
    caplog.set_level("DEBUG", logger="clawactors")
    async with await Connection.open(address, "fast") as fast:
        for _ in range(5):
            async with await Connection.open(address, "closing") as closing:
                arrived = asyncio.Event()
                await closing.confirm(closing.listen("any", lambda *_, seen=arrived: seen.set()))
                for _ in range(20):
                    fast.publish_now(b"any", bytes(100_000))
                await arrived.wait()
    assert "refused" not in caplog.text
    assert "APPLICATION_DATA" not in caplog.text


@contextlib.contextmanager
def nowhere(host: str, port: int) -> Iterator[None]:
    """A place where nobody takes connections, nor refuses them."""
    with contextlib.ExitStack() as stack:
        full = stack.enter_context(socket.socket())
        full.bind((host, port))
        full.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex((host, port))
        yield


async def test_of_several_addresses_the_first_that_answers_is_taken(own_server: Callable[..., NatsServer]) -> None:
    server, port = own_server(jetstream=False), free_port()
    with nowhere(HOST, port):
        address = Address(urls=(f"nats://{HOST}:{port}", f"nats://{HOST}:{free_port()}", server.url()))
        async with asyncio.timeout(10):  # one after the other, half of the tries would take 5 s each
            for _ in range(5):
                async with await Connection.open(address, "test", 5) as connection:
                    assert len(connection._client.servers) == 3


async def test_the_worst_reason_of_several_is_told(own_server: Callable[..., NatsServer], tmp_path: Path) -> None:
    certificate, key = Authority(tmp_path).issue(HOST)
    server = own_server(f'tls {{ cert_file: "{certificate}", key_file: "{key}" }}', jetstream=False)
    for urls in ((server.url(), f"nats://{HOST}:{free_port()}"), (f"nats://{HOST}:{free_port()}", server.url())):
        with pytest.raises(Misconfigured, match="its authority is not trusted"):
            await Connection.open(Address(urls=urls), "test")


async def test_a_name_whose_first_address_leads_nowhere(
    own_server: Callable[..., NatsServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = own_server(jetstream=False)
    with nowhere("127.0.0.2", server.port):
        loop = asyncio.get_running_loop()
        resolve = loop.getaddrinfo

        async def addresses(host: str, port: int, **options: int) -> list[Any]:
            if host != "two.test":
                return await resolve(host, port, **options)
            return [row for each in ("127.0.0.2", HOST) for row in await resolve(each, port, **options)]

        monkeypatch.setattr(loop, "getaddrinfo", addresses)
        async with await Connection.open(f"nats://two.test:{server.port}", "test", 0.4) as connection:
            assert connection.online
            with pytest.raises(Unavailable, match=r"nobody took the connection within 0\.2 s"):
                await Connection.open(f"nats://127.0.0.2:{server.port}", "other", 0.2)


class Stranger:
    """Listens in place of a server, says something and keeps what it hears."""

    def __init__(self, port: int, said: bytes) -> None:
        self._port, self._said = port, said
        self._writers: list[asyncio.StreamWriter] = []
        self.heard = b""

    @property
    def asked(self) -> int:
        """How many connections there have been."""
        return len(self._writers)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, HOST, self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        writer.write(self._said)
        with contextlib.suppress(OSError):
            while more := await reader.read(1000):
                self.heard += more
        writer.transport.abort()


STRANGERS = [
    b"HTTP/1.1 400 Bad Request\r\n\r\n",
    b"SSH-2.0-OpenSSH_9.9\r\n",
    b"INFO {not json}\r\n",
    b"INFO \xff\r\n",
    b"x" * (1 << 20),
]


@pytest.mark.parametrize("said", STRANGERS, ids=["http", "ssh", "json", "bytes", "endless"])
async def test_a_stranger_on_the_port_is_told_and_outlasted(own_server: Callable[..., NatsServer], said: bytes) -> None:
    server = own_server(jetstream=False)
    async with await Connection.open(server.url(), "test") as connection:
        server.kill()
        async with Stranger(server.port, said) as stranger:
            with pytest.raises(Unavailable, match="no nats-server: is this its port for clients"):
                await Connection.open(server.url(), "other")
            async with asyncio.timeout(10):
                while stranger.asked < 3:
                    await why_offline(connection)
        await server.restart()
        await connection.wait_online(10)


INFO = b'INFO {"server_id":"S","version":"2.12.0","headers":true,"max_payload":1048576,"auth_required":true}\r\n'


@pytest.mark.parametrize("scheme", ["nats", "tls"])
async def test_after_a_downgrade_no_byte_is_sent(
    own_server: Callable[..., NatsServer], tmp_path: Path, scheme: str
) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.issue(HOST)
    tls = f'tls {{ cert_file: "{certificate}", key_file: "{key}" }}'
    server = own_server(f"authorization {{ user: ada, password: secret }}\n{tls}", jetstream=False)
    url = server.url("ada").replace("nats:", f"{scheme}:")
    address = Address(urls=(url,), ca_pem=authority.ca.read_text())
    async with await Connection.open(address, "test") as connection:
        server.kill()
        async with Stranger(server.port, INFO) as plain:
            with pytest.raises(Misconfigured, match="speaks no TLS, and TLS is demanded"):
                await Connection.open(address, "other")
            async with asyncio.timeout(10):
                while "speaks no TLS" not in await why_offline(connection):
                    pass
        assert plain.asked >= 2
        assert plain.heard == b""
        await server.restart()
        await connection.wait_online(10)


async def why_offline(connection: Connection) -> str:
    try:
        await connection.ask("any", timeout_s=0.05)
    except Unavailable as error:
        return str(error)
    return ""


async def test_who_is_cut_for_reading_too_slowly_is_named(
    own_server: Callable[..., NatsServer], caplog: pytest.LogCaptureFixture
) -> None:
    users = (
        "accounts { A { users: [{ user: ada, password: secret }] }\nSYS { users: [{ user: sys, password: secret }] } }"
    )
    server = own_server(f"{users}\nsystem_account: SYS\nmax_payload: 90000\nmax_pending: 100000", jetstream=False)
    cut = asyncio.Event()
    async with (
        await Disconnects.open(server.url("sys"), lambda name: cut.set() if name == "slow" else None),
        await Connection.open(server.url("ada"), "slow") as slow,
        await Connection.open(server.url("ada"), "fast") as fast,
    ):
        await slow.confirm(slow.listen("big", lambda *_: None))
        reading = slow._client._transport._io_writer.transport
        reading.pause_reading()
        async with asyncio.timeout(20):
            while not cut.is_set():
                for _ in range(20):
                    fast.publish_now(b"big", bytes(80_000))
                await fast.confirm(fast.listen("any", lambda *_: None))
        reading.resume_reading()
        assert "the server cut 'slow', which reads too slowly: Slow Consumer" in caplog.text
        await slow.wait_online(10)
