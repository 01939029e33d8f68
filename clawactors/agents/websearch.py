"""`web_search`: a tool in two stages, a search, then the text of the pages that it found; and `fetch_page` alone."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Annotated, Any, Final
from urllib.parse import quote

import msgspec

from clawactors.agents.fetching import FetchLimits, FetchRefused, fetch
from clawactors.agents.pagetext import text_of_page
from clawactors.agents.tools import Tool, tool

__all__ = ["fetch_page", "web_search"]

_LISTS: Final = ("results", "items", "organic", "organic_results", "data", "web", "webPages", "value")
_URLS: Final = ("url", "link", "href")
_TITLES: Final = ("title", "name")
_SNIPPETS: Final = ("content", "snippet", "description", "text", "body")
_SNIPPET_CHARS: Final = 300
_PAGE_CHARS: Final = 4000

type Search = Callable[[str], Any] | Callable[[str], Awaitable[Any]]


class _Found(msgspec.Struct, frozen=True):
    url: str
    title: str
    snippet: str


def web_search(
    search: str | Search,
    *,
    results: int = 5,
    pages: int = 3,
    page_chars: int = _PAGE_CHARS,
    limits: FetchLimits | None = None,
    name: str = "web_search",
) -> Tool:
    """A tool that searches the web, and reads the first pages that it finds.

    `search` is the URL of an endpoint that answers with JSON, as SearXNG does, with `{query}` where the query goes
    (`?q={query}&format=json` is added without one), or a function of the query that returns a list of
    `{"url": …, "title": …, "content": …}`. Of `results` the first `pages` are fetched, within `limits`: no addresses of
    private networks unless `FetchLimits(private=True)`. A page that can't be fetched has an `error` in place of a text.
    """
    if results < 1 or pages < 0 or page_chars < 1:
        raise ValueError("results and page_chars are 1 or more, pages 0 or more")
    bounds = limits or FetchLimits()

    async def search_web(query: Annotated[str, "What to search for, in a few words"]) -> list[dict[str, str]]:
        """Searches the web; returns pages with title, URL and text."""
        found = (await _searched(search, query, bounds))[:results]
        texts = await asyncio.gather(*(_read(each.url, bounds, page_chars) for each in found[:pages]))
        rows = [{"title": each.title, "url": each.url, "snippet": each.snippet} for each in found]
        return [row | texts[number] if number < len(texts) else row for number, row in enumerate(rows)]

    return tool(search_web, name=name, limit_chars=results * (page_chars + 1000))


def fetch_page(*, page_chars: int = 20_000, limits: FetchLimits | None = None, name: str = "fetch_page") -> Tool:
    """A tool that reads one page by its address; the same limits as those of `web_search`."""
    bounds = limits or FetchLimits()

    async def read_page(url: Annotated[str, "The address, which begins with https://"]) -> dict[str, str]:
        """Reads the text of a web page."""
        return {"url": url} | await _read(url, bounds, page_chars)

    return tool(read_page, name=name, limit_chars=page_chars + 1000)


async def _read(url: str, limits: FetchLimits, chars: int) -> dict[str, str]:
    """The `text` of the page, or the `error`."""
    try:
        page = await fetch(url, limits)
    except (FetchRefused, TimeoutError) as error:
        return {"error": str(error)}
    text = text_of_page(page.text).text if "html" in page.kind else page.text.strip()
    if not text:
        return {"error": "the page has no text; it may need a browser"}
    return {"text": text if len(text) <= chars else f"{text[:chars]} […]"}


async def _searched(search: str | Search, query: str, limits: FetchLimits) -> list[_Found]:
    if isinstance(search, str):
        mark = "&" if "?" in search else "?"
        url = search if "{query}" in search else f"{search}{mark}q={{query}}&format=json"
        # Its author names the endpoint of the search, so it may be on a private network.
        page = await fetch(url.replace("{query}", quote(query, safe="")), msgspec.structs.replace(limits, private=True))
        try:
            answer = msgspec.json.decode(page.text)
        except msgspec.DecodeError:
            raise FetchRefused(f"the search at {search[:100]} answered with {page.kind}, not with JSON") from None
    elif inspect.iscoroutinefunction(search):
        answer = await search(query)
    else:
        answer = await asyncio.to_thread(search, query)
        answer = await answer if inspect.isawaitable(answer) else answer
    return list(_rows(answer))


def _rows(answer: Any) -> Iterator[_Found]:
    """The results in an answer of any of the usual shapes, each page once."""
    while isinstance(answer, Mapping):
        answer = next((answer[name] for name in _LISTS if name in answer), None)
    seen = set[str]()
    for each in answer if isinstance(answer, list | tuple) else ():
        row = {"url": each} if isinstance(each, str) else each
        if not isinstance(row, Mapping) or not (url := _first(row, _URLS)) or url in seen:
            continue
        seen.add(url)
        yield _Found(url, _first(row, _TITLES), _first(row, _SNIPPETS)[:_SNIPPET_CHARS])


def _first(row: Mapping[str, Any], names: tuple[str, ...]) -> str:
    return next((value for name in names if isinstance(value := row.get(name), str) and value), "")
