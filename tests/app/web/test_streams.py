"""Streams over real sockets: how many there may be, and how each ends, whatever who listens does."""

import asyncio
import json
import os
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Self

import httpx
import pytest

from clawactors.app.web import listening, streams
from clawactors.app.web.application import web_application
from clawactors.app.web.guard import Guard
from clawactors.app.web.limits import WebLimits, web_limits
from clawactors.app.weblogin import WebLogin
from clawactors.testing import Cluster
from tests.app.web.conftest import CLIENTS

PATIENCE_S = 10.0


class Connection:
    """One connection, of which nothing is read but what is asked for."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self.writer, self.head = reader, writer, b""

    async def until(self, text: bytes) -> bytes:
        """What comes up to that text."""
        async with asyncio.timeout(PATIENCE_S):
            return await self._reader.readuntil(text)

    async def rest(self) -> bytes:
        """What comes until the server closes it."""
        async with asyncio.timeout(PATIENCE_S):
            return await self._reader.read()

    async def ask(self, path: str, key: str, version: str = "1.1", method: str = "GET", headers: str = "") -> Self:
        """Sends a request, and reads the head of the answer."""
        host = "{}:{}".format(*self.writer.get_extra_info("peername"))
        self.writer.write(
            f"{method} {path} HTTP/{version}\r\nHost: {host}\r\n{headers}".encode()
            + (f"Authorization: Bearer {key}\r\n\r\n" if key else "\r\n").encode()
        )
        self.head = (await self.until(b"\r\n\r\n")).lower()
        return self

    def reset(self) -> None:
        """Ends it as a process that is killed does with what it has not read."""
        own = self.writer.get_extra_info("socket")
        own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


class Served:
    """The API at a port of its own."""

    def __init__(self, guard: Guard, port: int, login: WebLogin, serving: asyncio.Task[None]) -> None:
        self.guard, self.port, self.key, self.serving = guard, port, login.token, serving
        self.login = login
        self._connections = list[Connection]()

    async def connect(self) -> Connection:
        """Opens a connection."""
        connection = Connection(*await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 24))
        self._connections.append(connection)
        return connection

    async def ask(self, path: str, key: str = "", **how: Any) -> Connection:
        """Asks on a new connection."""
        return await (await self.connect()).ask(f"/api/v1{path}", key or self.key, **how)

    async def listen(self, path: str = "/events", key: str = "", **how: Any) -> Connection:
        """The same, up to the beginning of the stream."""
        made = await self.ask(path, key, **how)
        assert made.head.startswith(b"http/1.1 200"), made.head
        await made.until(b"retry: ")
        return made

    async def aclose(self) -> None:
        """Ends all, and waits until nothing is left of it."""
        self.serving.cancel()
        await asyncio.gather(self.serving, return_exceptions=True)
        for each in self._connections:
            each.writer.close()
            with suppress(ConnectionError):
                await each.writer.wait_closed()

    async def until_open(self, number: int) -> None:
        """Waits until so many streams are open."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self.guard.streams) != number:  # noqa: ASYNC110 # it is said nowhere
                await asyncio.sleep(0.01)


@asynccontextmanager
async def serving(folder: Path, limits: WebLimits) -> AsyncIterator[Served]:
    made = socket.create_server(("127.0.0.1", 0))
    port = made.getsockname()[1]
    login = WebLogin(folder)
    guard = web_application(CLIENTS, login, port, limits)
    run = asyncio.create_task(listening.run_http(guard, made, limits.connections, guard.streams.aclose))
    served = Served(guard, port, login, run)
    try:
        yield served
    finally:
        await served.aclose()


@pytest.fixture
async def served(cluster: Cluster, tmp_path: Path) -> AsyncIterator[Served]:
    async with serving(tmp_path, WebLimits()) as made:
        yield made


async def test_streams_and_calls_have_limits_of_their_own(cluster: Cluster, tmp_path: Path) -> None:
    async with serving(tmp_path, WebLimits(connections=9, streams=1, calls=1)) as served:
        first = await served.listen()
        second = await served.ask("/events")
        assert second.head.startswith(b"http/1.1 503")
        assert b"retry-after: " in second.head
        assert b"connection: close" in second.head
        assert b'"code":"unavailable"' in await second.rest()
        assert (await served.ask("/status")).head.startswith(b"http/1.1 200"), "the stream is no call"

        await cluster.client.submit("nobody-has-it", id="w1")
        waiting = await served.connect()
        asking = asyncio.create_task(waiting.ask("/api/v1/tasks/w1/result?wait=30s", served.key))
        async with asyncio.timeout(PATIENCE_S):
            while not (refused := (await served.ask("/status")).head).startswith(b"http/1.1 503"):
                pass
        assert b"retry-after: 1\r\n" in refused
        assert b"connection: close" in refused
        assert (await (await served.connect()).ask("/livez", "")).head.startswith(b"http/1.1 200")
        await cluster.client.cancel("w1")
        assert (await asking).head.startswith(b"http/1.1 409")

        first.reset()
        await served.until_open(0)
        await served.listen()


async def test_a_connection_too_many_is_told_to_come_again(cluster: Cluster, tmp_path: Path) -> None:
    async with serving(tmp_path, WebLimits(connections=1)) as served:
        await served.listen()
        second = await served.ask("/status")
        assert second.head.startswith(b"http/1.1 503")
        assert b"retry-after: " in second.head
        assert b"too many connections" in await second.rest()


def test_the_limits_fit_the_files_that_the_system_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    import resource

    raised: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: raised.append(limits))
    for (allowed, most), connections, wanted in (
        ((1024, 524_288), 16_000, [(16_200, 524_288)]),
        ((1024, resource.RLIM_INFINITY), 16_000, [(16_200, resource.RLIM_INFINITY)]),
        ((1024, 1024), 824, []),
        ((resource.RLIM_INFINITY, resource.RLIM_INFINITY), 16_000, []),
    ):
        raised.clear()
        monkeypatch.setattr(resource, "getrlimit", lambda _, both=(allowed, most): both)
        limits = web_limits()
        assert (limits.connections, raised) == (connections, wanted)
        assert limits.streams < limits.connections


async def test_who_does_not_read_is_cut_and_goes_on_behind_its_last_id(
    served: Served, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "_STALLED_S", 0.05)
    loop, stalled = asyncio.get_running_loop(), socket.socket()
    stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stalled.setblocking(False)
    await loop.sock_connect(stalled, ("127.0.0.1", served.port))
    asked = f"GET /api/v1/events?type=task.submitted HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\n"
    await loop.sock_sendall(stalled, f"{asked}Authorization: Bearer {served.key}\r\n\r\n".encode())
    await served.until_open(1)
    quick = await served.listen("/events?type=task.submitted")
    for number in range(30):
        await cluster.client.submit("nobody-has-it", {"text": "x" * 40_000}, id=f"t{number}")
    await served.until_open(1)
    got = b""
    with suppress(ConnectionResetError):
        while part := await loop.sock_recv(stalled, 65536):
            got += part
    stalled.close()
    last = got.rpartition(b"\n\n")[0].rpartition(b"id: ")[2].partition(b"\n")[0].decode()
    again = await served.listen("/events?type=task.submitted", headers=f"Last-Event-ID: {last}\r\n")
    assert b'"id":"t29"' in await quick.until(b'"id":"t29"')
    told = got.rpartition(b"\n\n")[0] + await again.until(b'"id":"t29"')
    assert [told.count(f'"id":"t{number}"'.encode()) for number in range(30)] == [1] * 30


async def test_a_stream_ends_at_once_with_its_key_or_session(
    served: Served, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = cluster.client.keys
    await cluster.client.run("echo", {"text": "hi"}, id="a")
    await cluster.client.submit("nobody-has-it", id="b")
    other = await served.listen(key=(await keys.add("other", ["read"])).secret)
    revoked = (await keys.add("revoked", ["read"])).secret
    ending = [await served.listen(path, revoked) for path in ("/events", "/tasks/a/events", "/tasks/b/stream/out")]
    monkeypatch.setattr(streams, "_LOOK_S", 3600.0)  # what ends them is that the log tells of it
    await asyncio.sleep(0)
    began = asyncio.get_running_loop().time()
    await keys.revoke("revoked")
    for each in ending:
        assert (await each.until(b"\r\n0\r\n\r\n")).endswith(b"\r\n0\r\n\r\n"), "it ends as a whole answer does"
    assert asyncio.get_running_loop().time() - began < 1
    await served.until_open(1)
    other.reset()


async def test_a_stream_ends_when_its_session_does(served: Served) -> None:
    made = served.login.sign_in(served.login.link("").rpartition("=")[2])
    assert made is not None
    cookie = f"Cookie: claw_{served.port}={made[0]}\r\n"
    connection = await served.connect()
    host = f"127.0.0.1:{served.port}"
    connection.writer.write(f"GET /api/v1/events HTTP/1.1\r\nHost: {host}\r\n{cookie}\r\n".encode())
    await connection.until(b"retry: ")
    served.login.sign_out(made[0])
    await connection.until(b"\r\n0\r\n\r\n")


async def test_a_process_that_stops_waits_for_no_stream(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    open_ones = [await served.listen() for _ in range(20)]
    began = asyncio.get_running_loop().time()
    served.serving.cancel()
    await asyncio.gather(served.serving, return_exceptions=True)
    assert asyncio.get_running_loop().time() - began < listening._GRACE_S
    for each in open_ones:
        assert (await each.rest()).endswith(b"\r\n0\r\n\r\n")
    assert not [each for each in caplog.records if each.levelname in ("ERROR", "CRITICAL")]


async def test_nothing_is_left_of_those_who_have_gone(served: Served) -> None:
    await (await served.listen()).until(b"\n\n")
    await served.until_open(1)
    files, tasks = len(os.listdir("/proc/self/fd")), len(asyncio.all_tasks())
    for _ in range(10):
        some = [await served.listen() for _ in range(20)]
        for each in some:
            each.reset()
    await served.until_open(1)
    async with asyncio.timeout(PATIENCE_S):
        while len(os.listdir("/proc/self/fd")) > files or len(asyncio.all_tasks()) > tasks:  # noqa: ASYNC110 # as above
            await asyncio.sleep(0.01)


async def test_an_old_client_gets_no_chunks(served: Served, cluster: Cluster) -> None:
    await cluster.client.run("talk", id="o1")
    old = await served.ask("/tasks/o1/stream/out?live=false", version="1.0")
    assert b"transfer-encoding" not in old.head
    assert b"connection: close" in old.head
    assert (await old.rest()).endswith(b"\n\nevent: end\ndata: {}\n\n")
    old = await served.ask("/events?type=task.submitted", version="1.0")
    await old.until(b"\n\n")
    await cluster.client.submit("nobody-has-it", id="o2")
    assert (await old.until(b"\n\n")).startswith(b"id: ")
    assert b"content-length: " in (await served.ask("/status", version="1.0")).head


async def test_no_proxy_holds_a_stream_back(served: Served, http: httpx.AsyncClient) -> None:
    head = (await served.listen(headers="Accept-Encoding: gzip, br\r\nOrigin: http://elsewhere\r\n")).head
    assert b"cache-control: no-store, no-transform\r\n" in head
    assert b"x-accel-buffering: no\r\n" in head
    assert b"content-encoding" not in head
    assert b"access-control" not in head
    for method, status in (("HEAD", b"405"), ("OPTIONS", b"204"), ("POST", b"405")):
        answer = (await served.ask("/events", method=method)).head
        assert answer.startswith(b"http/1.1 " + status), answer
        assert b"access-control" not in answer


async def test_what_comes_between_the_beginning_and_the_first_event_is_not_missed(
    served: Served, cluster: Cluster
) -> None:
    """A connection that is cut before its first event has an id all the same."""
    first = await served.ask("/events?type=task.submitted")
    begun = await first.until(b"\n\n")
    first.reset()
    await cluster.client.submit("nobody-has-it", id="between")
    last = begun.rpartition(b"id: ")[2].strip().decode()
    again = await served.listen("/events?type=task.submitted", headers=f"Last-Event-ID: {last}\r\n")
    await again.until(b'"id":"between"')


@pytest.mark.parametrize("path", ["/events", "/tasks/t/events", "/tasks/t/stream/out"])
async def test_a_last_id_that_is_none_is_refused_and_one_to_come_counts_as_now(
    served: Served, cluster: Cluster, path: str
) -> None:
    await cluster.client.submit("nobody-has-it", id="t")
    for last in ("-1", "1e3", "0x10", "1.", "٣", "9" * 20, "9" * 5000, "1;2", '"1"', "NaN", "1 2"):
        answer = await served.ask(path, headers=f"Last-Event-ID: {last}\r\n")
        assert answer.head.startswith(b"http/1.1 400"), last
    listening = await served.listen(path, headers=f"Last-Event-ID: {'9' * 18}\r\n")
    if "stream" not in path:
        await cluster.client.cancel("t")
        await listening.until(b"event: task.cancelled\n")


async def test_whatever_an_event_says_is_one_line_that_every_client_can_read(served: Served, cluster: Cluster) -> None:
    """Some clients take what Unicode calls a line break for the end of a line, though the format does not."""
    said = "a\nb\r\nc\rd\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029 data: x\n\nevent: end\n\n" + "y" * 200_000
    await cluster.client.submit("nobody-has-it", {"text": said}, id="t")
    listening, frame = await served.listen("/tasks/t/events?from=0&type=task.submitted"), b""
    while b"\ndata: " not in frame:
        frame = await listening.until(b"\n\n")
    (data,) = frame.partition(b"\ndata: ")[2].decode().splitlines()[:-1]
    assert json.loads(data)["params"] == {"text": said}


async def test_clients_that_go_at_any_moment_are_no_faults(
    served: Served, cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    await served.listen()
    for sent in (0, 10, 60, 1000):
        for _ in range(10):
            each = await served.connect()
            text = f"GET /api/v1/events?from=0 HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\nAuthorization: Bearer "
            each.writer.write(f"{text}{served.key}\r\n\r\n".encode()[:sent])
            await asyncio.sleep(0)
            each.reset()
    await cluster.client.submit("nobody-has-it")
    await served.until_open(1)
    assert not caplog.records
