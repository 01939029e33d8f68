"""The tool that searches the web, on a local server: what it finds, reads, bounds and refuses."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
import pytest_asyncio

from clawactors.agents import FetchLimits, Tool, agent, fetch_page, web_search
from clawactors.agents.fetching import FetchRefused, fetch
from clawactors.agents.pagetext import text_of_page
from clawactors.testing import Cluster
from tests.clawactors.agents.model import StubModel, at, call, calls, results, script

pytest.importorskip("httpx")

OPEN = FetchLimits(private=True, timeout_s=2, max_bytes=50_000)
PAGE = """<!doctype html><html><head><title>The  sky</title><style>x{}</style><script>alert("no")</script></head>
<body><nav><a>Home</a></nav><h1>Why is it blue?</h1><p>Light is <b>scattered</b> &amp; more.</p>
<ul><li>one</li><li>two</li></ul><footer>Imprint</footer></body></html>"""


class Site:
    """A web site and its search."""

    def __init__(self) -> None:
        self.asked = list[str]()
        self.hosts = list[str]()
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            path = head.split(" ")[1]
            self.asked.append(path)
            self.hosts.append(head.lower().partition("host: ")[2].partition("\r\n")[0])
            await self._answer(writer, path)
            await writer.drain()
        writer.close()

    async def _answer(self, writer: asyncio.StreamWriter, path: str) -> None:
        kind, body, status, more = "text/html; charset=utf-8", PAGE.encode(), "200 OK", ""
        match urlsplit(path).path:
            case "/search":
                query = parse_qs(urlsplit(path).query)["q"][0]
                pages = [("/page", "A page"), ("/page", "Again"), ("/missing", "Gone"), ("/more", "More")]
                rows = [{"url": self.url + each, "title": title, "content": query} for each, title in pages]
                kind, body = "application/json", msgspec.json.encode({"results": rows})
            case "/loop":
                status, more = "302 Found", "Location: /loop\r\n"
            case "/moved":
                status, more = "301 Moved", "Location: /page\r\n"
            case "/inside":
                status, more = "302 Found", "Location: http://169.254.169.254/latest/meta-data\r\n"
            case "/file":
                status, more = "302 Found", "Location: file:///etc/passwd\r\n"
            case "/missing":
                status = "404 Not Found"
            case "/huge":
                body = b"<p>" + b"word " * 1_000_000
            case "/slow":
                await asyncio.sleep(30)
            case "/picture":
                kind = "image/png"
            case "/latin":
                kind, body = "text/plain; charset=latin-1", "Größe".encode("latin-1")
            case "/chinese":
                kind, body = "text/html", "<meta charset=gbk><p>天空".encode("gbk")
            case "/odd":
                kind, body = "text/plain; charset=nonsense", b"fine"
        head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n{more}Content-Length: {len(body)}\r\n"
        writer.write(f"{head}Connection: close\r\n\r\n".encode() + body)


@pytest_asyncio.fixture
async def site() -> AsyncIterator[Site]:
    made = Site()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield made
    server.close()


async def use(tool: Tool, **arguments: Any) -> Any:
    assert tool.function is not None
    return await tool.function(**arguments)


async def test_a_search_reads_the_pages_that_it_finds(site: Site) -> None:
    found = await use(web_search(f"{site.url}/search", pages=2, limits=OPEN), query="blue sky & more")
    assert [row["url"].removeprefix(site.url) for row in found] == ["/page", "/missing", "/more"], "each page once"
    assert found[0]["text"] == "Why is it blue?\nLight is scattered & more.\n- one\n- two"
    assert (found[0]["title"], found[0]["snippet"]) == ("A page", "blue sky & more")
    assert "404" in found[1]["error"]
    assert "text" not in found[2]
    assert site.asked[0] == "/search?q=blue%20sky%20%26%20more&format=json"


@pytest.mark.parametrize("is_async", [True, False])
async def test_a_function_may_search(site: Site, is_async: bool) -> None:
    async def later(query: str) -> list[str]:
        return [f"{site.url}/page"]

    def now(query: str) -> dict[str, Any]:
        return {"web": {"results": [{"link": f"{site.url}/page", "name": "x"}]}}

    (row,) = await use(web_search(later if is_async else now, limits=OPEN), query="x")
    assert row["text"].startswith("Why")


async def test_an_agent_searches(site: Site) -> None:
    async with StubModel(script(calls(call("web_search", query="sky")), "done")) as stub:
        made = agent("a", model="m", endpoint=at(stub), tools=[web_search(f"{site.url}/search", limits=OPEN)])
        async with Cluster([made]) as cluster:
            assert await cluster.client.run("a", {"prompt": "Go"}) == "done"
    assert "Light is scattered" in results(stub.requests[1])[0]


async def test_pages_on_private_networks_are_refused_and_the_search_is_not(site: Site) -> None:
    (row, *_) = await use(web_search(f"{site.url}/search"), query="x")
    assert "private network" in row["error"]
    assert site.asked == ["/search?q=x&format=json"]


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost/",
        "http://127.0.0.1/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f.0.0.1/",
        "http://0.0.0.0/",
        "http://10.1.2.3/",
        "http://192.168.0.1/",
        "http://172.16.0.1/",
        "http://100.64.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]/",
        "http://[::]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:10.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[2002:7f00:1::]/",
        "http://[fe80::1]/",
        "http://[fd00::1]/",
        "http://224.0.0.1/",
    ],
)
async def test_an_address_of_a_private_network_is_refused(url: str) -> None:
    with pytest.raises(FetchRefused, match=r"private network|no host"):
        await fetch(url)


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "ftp://example.org/", "example.org", "", "http://", "http://[", "http://a:b@example.org/"],
)
async def test_what_is_no_page_is_refused(url: str) -> None:
    with pytest.raises(FetchRefused):
        await fetch(url)


async def test_a_name_is_resolved_once_and_the_checked_address_is_asked(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that points to another address a moment later reaches nothing."""
    loop, asked = asyncio.get_running_loop(), list[str]()
    real = loop.getaddrinfo

    async def resolve(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host == "rebinding.example":
            asked.append(host)
            host = "127.0.0.1" if len(asked) == 1 else "10.0.0.1"
        return await real(host, *args, **kwargs)

    monkeypatch.setattr(loop, "getaddrinfo", resolve)
    port = urlsplit(site.url).port
    page = await fetch(f"http://rebinding.example:{port}/page", OPEN)
    assert (page.url, asked) == (f"http://rebinding.example:{port}/page", ["rebinding.example"])
    assert site.hosts == [f"rebinding.example:{port}"]


async def test_each_redirect_is_checked(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await fetch(f"{site.url}/moved", OPEN)).url == f"{site.url}/page"
    with pytest.raises(FetchRefused, match="redirects more than 5 times"):
        await fetch(f"{site.url}/loop", OPEN)
    with pytest.raises(FetchRefused, match="no address of a page"):
        await fetch(f"{site.url}/file", OPEN)
    from clawactors.agents import fetching

    real = fetching._is_public
    monkeypatch.setattr(fetching, "_is_public", lambda address: address == "127.0.0.1" or real(address))
    with pytest.raises(FetchRefused, match="private network"):
        await fetch(f"{site.url}/inside", FetchLimits())


async def test_size_time_and_kind_are_bounded(site: Site) -> None:
    huge = await fetch(f"{site.url}/huge", OPEN)
    assert (len(huge.text), huge.cut) == (50_000, True)
    with pytest.raises(TimeoutError, match="within"):
        await fetch(f"{site.url}/slow", FetchLimits(private=True, timeout_s=0.1))
    with pytest.raises(FetchRefused, match="image/png"):
        await fetch(f"{site.url}/picture", OPEN)
    assert (await fetch(f"{site.url}/latin", OPEN)).text == "Größe"
    assert "天空" in (await fetch(f"{site.url}/chinese", OPEN)).text
    assert (await fetch(f"{site.url}/odd", OPEN)).text == "fine"
    assert (await use(fetch_page(limits=OPEN), url=f"{site.url}/latin"))["text"] == "Größe"


async def test_a_host_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(*args: Any, **kwargs: Any) -> Any:
        raise socket.gaierror

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", nothing)
    assert "no host" in (await use(fetch_page(), url="https://nothing.example/"))["error"]


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>a<p>b", "a\nb"),
        ("<main>" + "word " * 50 + "</main><div>menu</div>", ("word " * 50).strip()),
        ("<main>short</main><div>more</div>", "short\nmore"),
        ("<script>x</script><b>y</b><noscript>z</noscript>", "y"),
        ("<nav><ul><li>x</nav>after", "after"),
        ("<head><title>t</title><body>after", "after"),
        ("<table><tr><td>a<td>b</table>", "| a | b"),
        ("<img alt='a cat'><br>&lt;b&gt; &#8364;", "a cat\n<b> €"),
        ("no markup", "no markup"),
        ("", ""),
    ],
)
def test_the_text_of_a_page_is_what_people_read(html: str, text: str) -> None:
    assert text_of_page(html).text == text


def test_the_title_of_a_page_is_read() -> None:
    assert text_of_page(PAGE).title == "The sky"
