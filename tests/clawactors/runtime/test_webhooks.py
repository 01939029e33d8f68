"""One POST over real sockets: signed, limited in time, and honest about what was answered."""

import asyncio
import contextlib
import shutil
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from clawactors.runtime.webhooks import HttpSender, PostReply, SendFailed, signed
from tests.clawactors.runtime.cluster import Cluster
from tests.clawactors.runtime.test_examples import example
from tests.clawactors.runtime.test_triggers import echo, follow, state

type Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def receiving(answer: Answer) -> AsyncIterator[str]:
    async def answered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(answered, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook?a=1"


def says(reply: bytes) -> Answer:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply)
        await writer.drain()

    return answer


@pytest.mark.parametrize(
    ("answer", "reply"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", PostReply(204)),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf", PostReply(200)),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\n\r\n", PostReply(201)),
        (b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\n\r\n", PostReply(302)),
        (b"HTTP/1.1 503 Busy\r\nretry-after: 7\r\n\r\n", PostReply(503, 7.0)),
        (
            b"HTTP/1.1 429 No\r\nDate: 01 Jan 2026 00:00:00 GMT\r\nRetry-After: 01 Jan 2026 00:01:00 GMT\r\n\r\n",
            PostReply(429, 60.0),
        ),
        (b"HTTP/1.1 500 x\r\nRetry-After: soon\r\n\r\n", PostReply(500)),
    ],
)
async def test_the_answer_is_its_status_and_what_the_receiver_wants(answer: bytes, reply: PostReply) -> None:
    async with receiving(says(answer)) as url:
        assert await HttpSender().post(url, b"{}", {}) == reply


@pytest.mark.parametrize(
    "answer", [b"", b"SSH-2.0\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200\r\n" + b"a" * 70_000]
)
async def test_what_is_no_answer_fails_in_one_line(answer: bytes) -> None:
    async with receiving(says(answer)) as url:
        with pytest.raises(SendFailed) as failed:
            await HttpSender(5).post(url, b"{}", {})
        assert "\n" not in str(failed.value)


async def test_a_receiver_that_trickles_is_left_in_time() -> None:
    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not writer.is_closing():
            writer.write(b"H")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with receiving(trickle) as url:
        begun = time.monotonic()
        with pytest.raises(SendFailed, match=r"no answer within 0\.1 s"):
            await HttpSender(0.1).post(url, b"{}", {})
        assert time.monotonic() - begun < 5


async def test_nobody_there_fails() -> None:
    with pytest.raises(SendFailed):
        await HttpSender(5).post("http://127.0.0.1:1/", b"{}", {})


async def test_names_and_paths_of_any_language_and_ipv6_are_written_as_http_has_them() -> None:
    heads: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 204 x\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "::1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        url = f"http://[::1]:{port}/größe/a%20b?q=ü&x=1"
        assert await HttpSender(5).post(url, b"{}", {}) == PostReply(204)
    first, *_ = lines = heads[0].decode("ascii").split("\r\n")
    assert first == "POST /gr%C3%B6%C3%9Fe/a%20b?q=%C3%BC&x=1 HTTP/1.1"
    assert f"Host: [::1]:{port}" in lines


def endless(part: bytes, head: bytes = b"HTTP/1.1 200 OK\r\n") -> Answer:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head)
        with contextlib.suppress(ConnectionError):
            while not writer.is_closing():
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(0)

    return answer


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (endless(b"X-More: 1\r\n"), "headers of the answer are longer than 32 KB"),
        (endless(b"a" * 1000, b""), "longer than 32 KB"),
        (endless(b"HTTP/1.1 100 Continue\r\n\r\n", b""), "no answer among the first 10 replies"),
        (says(b"HTTP/1.1 200 OK\r\n"), "closed before an answer"),
        (says("HTTP/1.1 ²00 OK\r\n\r\n".encode("latin-1")), "no HTTP answer"),
    ],
)
async def test_a_hostile_receiver_gets_no_more_than_its_headers_read(answer: Answer, text: str) -> None:
    async with receiving(answer) as url:
        with pytest.raises(SendFailed, match=text):
            await HttpSender(5).post(url, b"{}", {})


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n",
        "HTTP/1.1 200 OK\r\nRetry-After: ²\r\n\r\n".encode("latin-1"),
    ],
)
async def test_no_body_is_waited_for(head: bytes) -> None:
    async with receiving(endless(b"x" * 65536, head)) as url:
        assert await HttpSender(5).post(url, b"{}", {}) == PostReply(200)


@pytest.mark.parametrize("where", ["file:///etc/passwd", "http://127.0.0.1:1/", "//elsewhere"])
async def test_a_redirect_is_an_answer_wherever_it_leads(where: str) -> None:
    async with receiving(says(f"HTTP/1.1 307 x\r\nLocation: {where}\r\n\r\n".encode())) as url:
        assert await HttpSender(5).post(url, b"{}", {}) == PostReply(307)


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """Of another name than that of this machine, signed by nobody, and its key."""
    if (openssl := shutil.which("openssl")) is None:
        pytest.skip("needs openssl, which makes certificates")
    made = tmp_path / "cert.pem", tmp_path / "key.pem"
    argv = (
        openssl,
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    )
    named = ("-subj", "/CN=other.example", "-addext", "subjectAltName=DNS:other.example")
    subprocess.run([*argv, *named, "-out", made[0], "-keyout", made[1]], check=True, capture_output=True)
    return made


async def test_a_certificate_of_another_name_or_of_nobody_known_is_no_receiver(
    certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(*certificate)
    got: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        got.append(await reader.readuntil(b"\r\n\r\n"))

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=serving)
    async with server:
        url = f"https://localhost:{server.sockets[0].getsockname()[1]}/"
        with pytest.raises(SendFailed, match="self-signed certificate"):
            await HttpSender(5).post(url, b"{}", {})
        monkeypatch.setattr(
            "clawactors.runtime.webhooks._tls", lambda: ssl.create_default_context(cafile=certificate[0])
        )
        with pytest.raises(SendFailed, match="Hostname mismatch"):
            await HttpSender(5).post(url, b"{}", {})
    assert got == []


async def test_the_example_takes_what_is_genuine_once(monkeypatch: pytest.MonkeyPatch) -> None:
    webhook = example("webhook_trigger")
    monkeypatch.setenv("CLAW_SECRET_OPS", "please-change")
    got: list[str] = []
    async with await webhook.receive("please-change", lambda message: got.append(message["id"])), Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [echo, follow])
        client = cluster.client()
        address = "http://127.0.0.1:8765/"
        await client.triggers.add("ends", on="task.completed", webhook=address, secret="ops")  # noqa: S106 - a name
        await client.submit("echo", id="a")
        await cluster.until(lambda: state(cluster, "ends").fired == 1)
        assert len(got) == 1
        foreign = signed("other", "x", int(time.time()), b"{}")
        assert (await HttpSender().post(address, b"{}", foreign)).status == 401
        old = signed("please-change", "x", 1, b"{}")
        assert (await HttpSender().post(address, b"{}", old)).status == 401
        assert len(got) == 1
