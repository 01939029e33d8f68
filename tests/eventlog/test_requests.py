"""Questions and answers, and what `nats micro` sees of them."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import nats
import pytest

from clawactors.eventlog import Misconfigured, NoResponders, PermissionDenied, TooLarge, Unavailable
from clawactors.eventlog.jetstream import Address, Connection, JetStreamRequests
from tests.servers import PASSWORD, NatsServer

pytestmark = pytest.mark.nats


@pytest.fixture
async def connection(nats_url: str) -> AsyncIterator[Connection]:
    connection = await Connection.open(nats_url, "claw-node/n1")
    yield connection
    await connection.aclose()


async def shout(body: bytes) -> bytes:
    return body.upper()


async def test_a_request_gets_the_answer(connection: Connection) -> None:
    requests = JetStreamRequests(connection)
    serving = await requests.serve("claw.query.shout", shout)
    assert await requests.request("claw.query.shout", b"hi", 2) == b"HI"
    assert await asyncio.gather(*(requests.request("claw.query.shout", b"%d" % n, 2) for n in range(200))) == [
        b"%d" % n for n in range(200)
    ]
    await serving.aclose()
    with pytest.raises(NoResponders, match=r"claw\.query\.shout"):
        await requests.request("claw.query.shout", b"hi", 2)


async def test_no_answer_in_time_is_unavailable(connection: Connection) -> None:
    requests = JetStreamRequests(connection)
    never = asyncio.Event()

    async def hang(_: bytes) -> bytes:
        await never.wait()
        return b""

    serving = await requests.serve("hang", hang)
    with pytest.raises(Unavailable, match=r"within 0\.1 s"):
        await requests.request("hang", b"", 0.1)
    await serving.aclose()


async def test_a_handler_that_fails_is_told_to_the_asker(
    connection: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    requests = JetStreamRequests(connection)

    async def fail(_: bytes) -> bytes:
        raise ValueError("not\r\nsuch")

    await requests.serve("fail", fail)
    with pytest.raises(Unavailable, match="fail failed: ValueError: not such"):
        await requests.request("fail", b"", 2)
    assert len(caplog.records) == 1


async def test_an_answer_that_is_too_large_is_told_to_the_asker(connection: Connection) -> None:
    requests = JetStreamRequests(connection)

    async def flood(_: bytes) -> bytes:
        return b"x" * (2 << 20)

    await requests.serve("flood", flood)
    with pytest.raises(Unavailable, match="too large"):
        await requests.request("flood", b"", 2)


async def test_a_request_that_is_too_large_is_refused_and_ends_nothing(connection: Connection) -> None:
    requests = JetStreamRequests(connection)
    serving = await requests.serve("claw.query.shout", shout)
    with pytest.raises(TooLarge, match="a request of 1048577 bytes is too large"):
        await requests.request("claw.query.shout", b"x" * ((1 << 20) + 1), 2)
    assert connection.online
    assert await requests.request("claw.query.shout", b"hi", 2) == b"HI"
    await serving.aclose()


async def test_one_member_of_a_queue_gets_each_request(connection: Connection) -> None:
    requests = JetStreamRequests(connection)
    answered = []

    async def count(body: bytes) -> bytes:
        answered.append(body)
        return b""

    await requests.serve("work", count, queue="q")
    await requests.serve("work", count, queue="q")
    await asyncio.gather(*(requests.request("work", b"%d" % n, 2) for n in range(50)))
    assert len(answered) == 50


async def test_the_service_protocol_shows_the_process(connection: Connection, nats_url: str) -> None:
    requests = JetStreamRequests(connection, version="1.2.3", description="a node", metadata={"node": "n1"})
    await requests.serve("claw.live.n1", shout)
    await requests.request("claw.live.n1", b"", 2)
    client = await nats.connect(nats_url)
    try:
        for subject in ("$SRV.PING", "$SRV.PING.claw-node", "$SRV.INFO.claw-node", "$SRV.STATS"):
            answer = msgspec.json.decode((await client.request(subject, b"", timeout=2)).data)
            assert (answer["name"], answer["version"]) == ("claw-node", "1.2.3")
            assert answer["metadata"] == {"connection": "claw-node/n1", "node": "n1"}
            assert answer["type"] == f"io.nats.micro.v1.{subject.split('.')[1].lower()}_response"
            one = await client.request(f"{subject.removesuffix('.claw-node')}.claw-node.{answer['id']}", b"", timeout=2)
            assert msgspec.json.decode(one.data)["id"] == answer["id"]
        (endpoint,) = answer["endpoints"]
        assert (endpoint["name"], endpoint["subject"], endpoint["num_requests"]) == ("claw-live-n1", "claw.live.n1", 1)
        assert endpoint["average_processing_time"] > 0
    finally:
        await client.close()


RIGHTS = f"""
authorization {{ users: [
  {{
    user: u, password: {PASSWORD}
    permissions: {{ publish: {{ deny: ["Secret"] }}, subscribe: {{ deny: ["Mine"] }} }}
  }}
] }}
"""


async def test_a_forbidden_subject_is_named_at_once(own_server: Callable[..., NatsServer]) -> None:
    connection = await Connection.open(own_server(RIGHTS).url("u"), "test")
    requests = JetStreamRequests(connection)
    async with asyncio.timeout(2):
        with pytest.raises(PermissionDenied, match="publish to 'Secret'"):
            await requests.request("Secret", b"", 10)
        with pytest.raises(PermissionDenied, match="subscribe to 'Mine'"):
            await requests.serve("Mine", shout)
        await requests.serve("open", shout)
        assert await requests.request("open", b"x", 2) == b"X"
    await connection.aclose()


async def test_endpoints_answer_again_after_a_reconnect(own_server: Callable[..., NatsServer]) -> None:
    server = own_server()
    connection = await Connection.open(server.url(), "test")
    requests = JetStreamRequests(connection)
    await requests.serve("shout", shout)
    lost = asyncio.Event()
    connection.on_lost.append(lost.set)
    server.kill()
    await lost.wait()
    await server.restart()
    assert await requests.request("shout", b"again", 10) == b"AGAIN"
    await connection.aclose()


async def test_a_protocol_error_reconnects(connection: Connection) -> None:
    lost, back = asyncio.Event(), asyncio.Event()
    connection.on_lost.append(lost.set)
    connection.on_back.append(back.set)
    connection.write(b"NONSENSE\r\n")
    async with asyncio.timeout(5):
        await lost.wait()
        await back.wait()
        with pytest.raises(NoResponders):
            await connection.ask("nobody")


async def test_credentials_without_their_package_are_named(
    nats_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nkeys", None)
    (tmp_path / "a.creds").touch(0o600)
    with pytest.raises(Misconfigured, match="nkeys"):
        await Connection.open(Address(urls=(nats_url,), creds=str(tmp_path / "a.creds")), "test")
