"""The files of the dashboard, without a browser: what they weigh, what they must not hold, the policy with them."""

import re
from pathlib import Path

import httpx
import pytest
from litestar import Litestar

from clawactors.app.web.guard import Guard
from clawactors.app.web.keyring import KeyRing
from clawactors.app.web.pages import ADDRESSES, STATIC, page_routes
from clawactors.app.weblogin import WebLogin
from clawactors.runtime.client import ClusterClient

SOURCES = sorted(STATIC.rglob("*.js"))
PAGES = sorted((STATIC / "pages").glob("*.js"))
BUDGET = 100_000
"""Bytes of a page, uncompressed, with all that it loads."""

IMPORT = re.compile(r'(?:from|import) ?"(\.[^"]+)"')
UNSAFE = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|setHTML|\beval\(|new Function"
    r"|setTimeout\(['\"]|javascript:|srcdoc\s*=|text/html"
)
ELSEWHERE = re.compile(r"https?://(?=\w)(?!www\.w3\.org/2000/svg)")


def served(folder: Path) -> httpx.AsyncClient:
    """A browser's view of the pages, without the API."""

    async def nobody() -> ClusterClient:
        raise AssertionError("pages need no key")

    guarded = Guard(Litestar([page_routes()]), WebLogin(folder), KeyRing(nobody), 8420)
    return httpx.AsyncClient(transport=httpx.ASGITransport(guarded), base_url="http://127.0.0.1:8420")


def loaded(*files: Path) -> set[Path]:
    """These files and all that they import, and what those import."""
    known: set[Path] = set()
    waiting = list(files)
    while waiting:
        file = waiting.pop()
        if file not in known:
            known.add(file)
            waiting += [(file.parent / name).resolve() for name in IMPORT.findall(file.read_text())]
    return known


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_weighs_no_more_than_100_kb(page: Path) -> None:
    always = [STATIC / name for name in ("index.html", "app.css", "theme.js", "icon.svg")]
    files = loaded(STATIC / "app.js", page) | set(always)
    assert sum(file.stat().st_size for file in files) <= BUDGET


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_no_text_can_become_markup_or_code(source: Path) -> None:
    assert not UNSAFE.search(source.read_text())


@pytest.mark.parametrize("file", [*SOURCES, STATIC / "app.css", STATIC / "index.html"], ids=lambda file: file.name)
def test_nothing_is_loaded_from_elsewhere(file: Path) -> None:
    found = ELSEWHERE.findall(file.read_text())
    assert not found


def test_every_address_of_the_script_is_served() -> None:
    script = (STATIC / "app.js").read_text()
    first = set(re.findall(r'^  \["(/\w*)",', script, re.MULTILINE))
    assert first == {"/", *(address for address in ADDRESSES if "{" not in address)}
    modules = set(re.findall(r'^  \["/\w*", "[^"]+", "\w", "(\w+)"', script, re.MULTILINE))
    assert modules | {"task", "signin"} == {page.stem for page in PAGES}


def test_the_page_has_no_script_and_no_style_of_its_own() -> None:
    page = (STATIC / "index.html").read_text()
    assert not re.search(r"<script>|<style|\sstyle=|\son\w+=", page)


@pytest.mark.parametrize("address", ["/", "/tasks", "/tasks/a%3Cb", "/memory/m-1", "/settings", "/assets/app.js"])
async def test_pages_and_files_are_served_with_the_policy(address: str, tmp_path: Path) -> None:
    async with served(tmp_path) as http:
        answer = await http.get(address)
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert {"default-src 'none'", "script-src 'self'", "style-src 'self'"} <= set(policy.split("; "))
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-cache"


async def test_what_is_no_page_is_not_found(tmp_path: Path) -> None:
    async with served(tmp_path) as http:
        for address in ("/nowhere", "/assets/../pages.py", "/assets/%2e%2e/pages.py", "/assets/nothing.js"):
            assert (await http.get(address)).status_code == 404
