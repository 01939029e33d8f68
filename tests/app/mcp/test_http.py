"""Over HTTP: who is let in, and that a client of the SDK works there."""

import asyncio
from typing import Any

import httpx
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

from clawactors.app.mcp.http import GuardedApp, serve_http, url_of
from clawactors.app.skills.simple import echo
from clawactors.app.webport import listen_at, port_of
from clawactors.eventlog import Misconfigured
from tests.app.mcp.connecting import bench, data

TOKEN = "secret-token-of-the-test"  # noqa: S105
GOOD = {"host": "127.0.0.1:8753", "authorization": f"Bearer {TOKEN}"}


async def status_of(headers: list[tuple[str, str]]) -> int:
    passed: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        passed.append("yes")

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    encoded = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    await GuardedApp(app, TOKEN, 8753)({"type": "http", "headers": encoded}, None, send)
    return 200 if passed else int(sent[0]["status"])


@pytest.mark.parametrize(("changes", "status"), [
    ({}, 200),
    ({"host": "localhost:8753"}, 200),
    ({"host": "LOCALHOST:8753"}, 200),
    ({"origin": "http://localhost:8753"}, 200),
    ({"authorization": f"bearer {TOKEN}"}, 200),
    ({"host": "evil.example:8753"}, 421),
    ({"host": "127.0.0.1:8753.evil.example"}, 421),
    ({"host": "127.0.0.1"}, 421),
    ({"host": "127.0.0.1:80"}, 421),
    ({"host": None}, 421),
    ({"origin": "http://evil.example"}, 403),
    ({"origin": "null"}, 403),
    ({"origin": "http://localhost:3000"}, 403),
    ({"origin": "https://127.0.0.1:8753"}, 403),
    ({"authorization": None}, 401),
    ({"authorization": ""}, 401),
    ({"authorization": "Bearer"}, 401),
    ({"authorization": f"Basic {TOKEN}"}, 401),
    ({"authorization": f"Bearer {TOKEN}x"}, 401),
    ({"authorization": f"Bearer {TOKEN[:-1]}"}, 401),
    ({"authorization": "Bearer ünïcode"}, 401),
])  # fmt: skip
async def test_only_who_means_this_server_and_has_the_token_is_let_in(changes: dict[str, Any], status: int) -> None:
    headers = {name: value for name, value in (GOOD | changes).items() if value is not None}
    assert await status_of(list(headers.items())) == status


async def test_a_header_that_is_there_twice_is_refused() -> None:
    for name, value in (("host", "evil.example"), ("authorization", "Bearer x"), ("origin", "http://evil.example")):
        assert await status_of([*GOOD.items(), (name, value)]) in (401, 403, 421)


async def test_no_websocket_is_let_in() -> None:
    async def app(*_: Any) -> None:
        raise AssertionError

    await GuardedApp(app, TOKEN, 1)({"type": "websocket", "headers": []}, None, None)


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_a_client_works_over_http(mode: str) -> None:
    ready = asyncio.Event()
    async with bench([echo]) as at:
        with listen_at(0) as listening:
            port = listening.getsockname()[1]
            serving = asyncio.create_task(serve_http(at.service, listening, TOKEN, ready.set))
            await ready.wait()
            try:
                async with httpx.AsyncClient() as stranger:
                    assert (await stranger.post(url_of(port), json={})).status_code == 401
                    assert (await stranger.get(f"http://127.0.0.1:{port}/")).status_code == 401
                    large = {"content-type": "application/json", "authorization": f"Bearer {TOKEN}"}
                    answer = await stranger.post(url_of(port), content=b"x" * 5_000_000, headers=large)
                    assert answer.status_code == 413
                http = create_mcp_http_client(headers={"Authorization": f"Bearer {TOKEN}"})
                async with http, Client(streamable_http_client(url_of(port), http_client=http), mode=mode) as agent:
                    asked = {"skill": "echo", "params": {"text": "hi"}, "wait": "9s"}
                    assert data(await agent.call_tool("submit_task", asked))["result"] == "hi"
            finally:
                serving.cancel()
                await asyncio.wait((serving,))


def test_a_port_in_use_is_told() -> None:
    with listen_at(0) as taken, pytest.raises(Misconfigured, match="--port"):
        listen_at(port_of(taken), "--port")


def test_two_that_take_the_usual_port_at_once_get_a_port_each() -> None:
    with listen_at(None) as first, listen_at(None) as second:
        assert port_of(first) != port_of(second)
