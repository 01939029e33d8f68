"""What an attacker sends, and what a careless program sends."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
import pytest

from clawactors.app.web import arriving, bodies, gateway, hub, listeners, listening
from clawactors.app.web.bodies import read_lines
from clawactors.app.web.guard import Guard
from clawactors.app.web.hub import EventHub, id_of
from clawactors.app.web.keyring import KeyRing
from clawactors.app.web.routes import batches
from clawactors.app.weblogin import WebLogin
from clawactors.runtime.client import ClusterClient
from clawactors.runtime.client.events import LogFilter
from clawactors.testing import Cluster
from tests.app.web.conftest import CLIENTS, PORT, URL, application

COOKIE = f"claw_{PORT}"
PATIENCE_S = 10.0


@pytest.mark.parametrize("path", ["//api/v1/events", "///api//v1/status", "//api/v1/tasks", "/%2fapi/v1/events"])
async def test_no_other_writing_of_a_path_goes_past_the_guard(browser: httpx.AsyncClient, path: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        assert (await browser.get(URL + path)).status_code == 401


async def test_a_path_with_control_characters_is_refused(browser: httpx.AsyncClient) -> None:
    for path in ("/assets/app.js%00", "/assets/%0d%0aX:%20y", "/tasks/%00"):
        assert (await browser.get(URL + path)).status_code == 400, path


async def test_cookies_of_others_on_this_machine_sign_nobody_out(browser: httpx.AsyncClient, login: WebLogin) -> None:
    assert (await browser.get(login.link(URL))).status_code == 303
    ours = f"{COOKIE}={browser.cookies[COOKIE]}"
    browser.cookies.clear()
    for before in ('a={"b":1}', 'a={"b":"c, d"}', "a b=1", "a", "=1", 'a="x', "secure", "a=\xe9", f"x{COOKIE}=1"):
        for cookies in (f"{before}; {ours}", f"{ours}; {before}"):
            answer = await browser.get("/api/v1/session", headers=[(b"cookie", cookies.encode("latin-1"))])
            assert answer.status_code == 200, cookies


async def test_pages_of_other_sites_can_neither_ask_nor_lock_the_owner_out(
    browser: httpx.AsyncClient, login: WebLogin
) -> None:
    elsewhere = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
    for _ in range(30):
        assert (await browser.get("/login?code=guess", headers=elsewhere)).status_code == 403
    assert (await browser.get("/login?code=guess")).status_code == 401
    for _ in range(30):
        await browser.get("/login?code=guess")
    followed = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    answer = await browser.get(login.link(URL), headers=followed)
    assert answer.status_code == 303, "a link in a chat or a terminal that is a page"


async def test_a_body_that_is_no_text_or_missing_is_told_so(http: httpx.AsyncClient) -> None:
    for body, said in ((b'{"skill":"echo","params":{"text":"\xff"}}', "UTF-8"), (b"", "missing")):
        answer = await http.post("/tasks", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400
        assert said in answer.json()["detail"]


async def test_one_of_many_edits_of_the_same_version_wins(http: httpx.AsyncClient) -> None:
    task = {"skill": "echo", "params": {"text": "hi"}, "id": "raced", "at": "2099-01-01T00:00:00Z"}
    tag = (await http.post("/tasks", json=task)).headers["etag"]
    edits = [http.patch("/tasks/raced", json={"name": f"n{n}"}, headers={"If-Match": tag}) for n in range(20)]
    answers = sorted(each.status_code for each in await asyncio.gather(*edits))
    assert answers == [200] + [412] * 19


async def test_a_delete_of_a_version_that_an_edit_has_left_behind_does_nothing(http: httpx.AsyncClient) -> None:
    task = {"skill": "echo", "params": {"text": "hi"}, "id": "kept", "at": "2099-01-01T00:00:00Z"}
    tag = (await http.post("/tasks", json=task)).headers["etag"]
    edit = http.patch("/tasks/kept", json={"name": "new"}, headers={"If-Match": tag})
    answers = await asyncio.gather(edit, *(http.delete("/tasks/kept", headers={"If-Match": tag}) for _ in range(10)))
    assert sorted(each.status_code for each in answers) == [200] + [412] * 10


@pytest.mark.parametrize("text", ["9" * 5000, "1." + "9" * 5000, "1.", ".1", "-1", "1.2.3", "²", "1e3", " "])
def test_a_last_event_id_of_garbage_is_none(text: str) -> None:
    assert id_of(text) is None


async def test_events_go_on_after_a_fault_of_the_follower(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(hub, "_AGAIN_S", 0.0)
    asked = 0

    async def client() -> ClusterClient:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise RuntimeError("a fault")
        return await CLIENTS.client()

    events = EventHub(client)
    async with asyncio.timeout(PATIENCE_S):
        heard = await events.listen(LogFilter(["task.submitted"]), None)
        await anext(heard)
        await cluster.client.run("echo", {"text": "hi"}, id="f1")
        assert b"task.submitted" in await anext(heard)
    await events.aclose()


async def test_what_is_kept_and_what_waits_for_slow_readers_is_bounded_in_bytes(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "_KEPT_BYTES", 20_000)
    monkeypatch.setattr(listeners, "_QUEUE_BYTES", 10_000)
    events = EventHub(CLIENTS.client)
    slow, fast = await events.listen(LogFilter(), None), await events.listen(LogFilter(["task.completed"]), None)
    sizes = []
    for stream in (fast, slow):
        await anext(stream)
    await cluster.client.run("echo", {"text": "x"}, id="first")
    for stream in (fast, slow):
        await anext(stream)
    async with asyncio.timeout(PATIENCE_S):
        for number in range(6):
            await cluster.client.run("echo", {"text": "x" * 5000}, id=f"k{number}")
            await anext(fast)
            sizes.append(sum(len(told.frame) for told in (await events.begin())._kept))
        assert [text async for text in slow][-1] == b"event: lagged\ndata: {}\n\n"
        missed = await events.listen(LogFilter(["task.completed"]), (0, 1 << 30))
        text = b""
        async for frames in missed:
            text += frames
            if text.count(b"event: task.completed") == 7:
                break
    assert max(sizes) <= 20_000
    await events.aclose()


class _Body:
    def __init__(self, chunks: list[bytes]) -> None:
        self._chunks = chunks

    async def stream(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            yield chunk


async def lines_of(chunks: list[bytes]) -> list[list[tuple[int, bytes]]]:
    request: Any = _Body(chunks)
    return [group async for group in read_lines(request, 1 << 20)]


async def test_large_lines_are_not_held_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "_GROUP_BYTES", 100)
    groups = await lines_of([b"a" * 60 + b"\n"] * 10 + [b"", b"tail"])
    assert max(sum(len(line) for _, line in group) for group in groups) <= 160
    assert [number for group in groups for number, _ in group] == list(range(1, 12))


@pytest.mark.parametrize("cut", [1, 2, 3, 100])
async def test_lines_and_lists_are_read_alike_however_they_are_cut(cut: int) -> None:
    for text, lines in (
        (b"one\n\ntwo\nthree", [(1, b"one"), (2, b""), (3, b"two"), (4, b"three")]),
        (b'  [{"a": 1}, 2]', [(1, b'{"a": 1}'), (2, b"2")]),
        (b"", []),
    ):
        chunks = [b"", *(text[n : n + cut] for n in range(0, len(text), cut)), b""]
        assert [line for group in await lines_of(chunks) for line in group] == lines


async def answer_of(application: Any, sent: list[bytes]) -> bytes:
    """What comes back until the connection is closed."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.create_task(listening.run_http(application, listener, 10, nothing_open))
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        try:
            async with asyncio.timeout(PATIENCE_S):
                for each in sent:
                    writer.write(each)
                return await reader.read()
        finally:
            writer.close()
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)


async def nothing_open() -> None:
    """There are no streams that would have to end."""


async def nothing(scope: Any, receive: Any, send: Any) -> None:
    while (await receive()).get("more_body"):
        pass


async def test_a_request_that_does_not_begin_or_has_no_end_is_cut(
    login: WebLogin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "_HEAD_S", 0.1)
    assert await answer_of(nothing, [b""]) == b""
    assert await answer_of(nothing, [b"GET / HTTP/1.1\r\nX: 1"]) == b""
    monkeypatch.setattr(listening, "_HEAD_MAX_BYTES", 10_000)
    monkeypatch.setattr(listening, "_HEAD_S", PATIENCE_S)
    endless = [b"GET / HTTP/1.1\r\nX: ", *([b"x" * 5000] * 3)]
    assert b" 400 " in await answer_of(nothing, endless)


async def told(scope: Any, receive: Any, send: Any) -> None:
    """Answers with the body."""
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


async def test_what_stands_between_and_behind_the_parts_of_a_body_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "_HEAD_MAX_BYTES", 10_000)
    head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"
    for endless in (b"1;" + b"x" * 5000, b"0\r\nX: " + b"x" * 5000, b"0\r\n" + b"X: y\r\n" * 1000):
        assert b" 400 " in await answer_of(told, [head, endless, b"x" * 5000, b"x" * 5000])
    long = [b"%x\r\n%b\r\n" % (5000, b"y" * 5000)] * 4
    answer = await answer_of(told, [head.replace(b"Host", b"Connection: close\r\nHost"), *long, b"0\r\n\r\n"])
    assert answer.endswith(b"{}" + b"y" * 20_000)


@pytest.mark.parametrize("cut", [1, 7, 1000])
@pytest.mark.parametrize(
    "framing",
    [b"Content-Length: 4\r\n\r\nbody", b"Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n"],
)
async def test_an_offer_of_another_protocol_costs_no_body(framing: bytes, cut: int) -> None:
    offer = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n"
    last = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    sent = b"POST / HTTP/1.1\r\nHost: x\r\n" + offer + framing
    sent += b"GET / HTTP/1.1\r\nHost: x\r\n" + offer + b"\r\n" + last
    answer = await answer_of(told, [sent[begin : begin + cut] for begin in range(0, len(sent), cut)])
    assert answer.count(b" 200 ") == 3
    assert answer.count(b"body") == 1


async def test_many_offers_in_a_row_are_answered() -> None:
    offer = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    last = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert (await answer_of(told, [offer * 2000 + last])).count(b" 200 ") == 2001


async def test_a_body_that_drips_is_a_timeout(http: httpx.AsyncClient, login: WebLogin) -> None:
    """Each of its parts comes in time."""
    now = 0.0

    async def receive() -> Any:
        nonlocal now
        now += 10
        return {"type": "http.request", "body": b"{", "more_body": True}

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    keys = KeyRing(CLIENTS.client)
    guarding = Guard(application(), login, keys, PORT, monotonic_s=lambda: now)
    headers = [(b"host", f"127.0.0.1:{PORT}".encode()), (b"authorization", f"Bearer {login.token}".encode())]
    headers += [(b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/api/v1/tasks", "raw_path": b"", "query_string": b""}
    await guarding(scope | {"headers": headers, "client": None, "scheme": "http", "http_version": "1.1"}, receive, send)
    assert sent[0]["status"] == 408
    assert now <= 50


async def test_a_batch_that_is_all_wrong_is_not_held(http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "_HELD_MAX_BYTES", 20_000)
    for line in ({}, {"skill": "echo", "params": {"text": "x"}, "after": ["nope"]}):
        lines = b"".join(msgspec.json.encode(line) + b"\n" for _ in range(100))
        answer = await http.post("/tasks/batch", content=lines)
        assert (answer.status_code, answer.json()["code"]) == (413, "refused")


async def test_a_body_that_stops_coming_is_a_timeout(
    http: httpx.AsyncClient, login: WebLogin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arriving, "_PATIENCE_S", 0.05)
    stalled = asyncio.Event()
    messages: list[Any] = [{"type": "http.request", "body": b"{", "more_body": True}]
    sent: list[Any] = []

    async def receive() -> Any:
        if messages:
            return messages.pop()
        await stalled.wait()
        return None

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/api/v1/tasks",
        "raw_path": b"/api/v1/tasks",
        "query_string": b"",
        "headers": [
            (b"host", f"127.0.0.1:{PORT}".encode()),
            (b"authorization", f"Bearer {login.token}".encode()),
            (b"content-length", b"5"),
        ],
    }

    transport: Any = http._transport
    async with asyncio.timeout(PATIENCE_S):
        await transport.app(scope, receive, send)
    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]
    assert json.loads(sent[1]["body"])["code"] == "timeout"


async def test_a_client_that_a_request_may_still_use_stays_open(monkeypatch: pytest.MonkeyPatch) -> None:
    now, closed = [0.0], list[str]()

    @asynccontextmanager
    async def of(_: Any, *, user: str, **__: Any) -> AsyncIterator[str]:
        yield user
        closed.append(user)

    monkeypatch.setattr(gateway.Client, "of", of)
    found: Any = None
    async with gateway.Gateway(found, lambda: now[0]) as made:
        for number in range(100):
            await made.client(f"u{number}")
        assert closed == []
        now[0] += gateway._IDLE_S + 1
        await made.client("u1")
        assert closed == [""]
    assert len(closed) == 101
