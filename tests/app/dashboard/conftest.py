"""A live cluster with its web process, filled as by a team of agents, and a browser that watches what goes wrong."""

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from clawactors import Client
from tests.app.dashboard.seed import hostile, seed
from tests.scenario.claw import Claw

SKILLS = str(Path(__file__).with_name("skills.py"))
MUST = bool(os.environ.get("CI")) or os.environ.get("CLAW_BROWSER") == "require"


WATCH = """
window.policyBroken = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.policyBroken.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
"""


class Live(msgspec.Struct, frozen=True):
    """Where the dashboard is, and the ids of tasks by what they show."""

    http: str
    login: str
    ids: dict[str, str]
    data: str


def aside(data: str, work: Callable[[Client], Awaitable[dict[str, str]]]) -> dict[str, str]:
    """What the work on that cluster returns; in a thread of its own, as this one's loop is the browser's."""

    async def run() -> dict[str, str]:
        async with Client.connect(data=data) as client:
            return await work(client)

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, run()).result()


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """One cluster for all tests of the dashboard."""
    claw = Claw(tmp_path_factory.mktemp("dashboard") / "data")
    ready = claw(*("up", "--web", "--detach", "--nodes", "1", "--slots", "8", "--skills", SKILLS, "--json"))
    assert ready.code == 0, ready.err
    try:
        ids = aside(str(claw.data), lambda client: seed(client, tasks=12))
        yield Live(ready.answer["http"], ready.answer["login"], ids, str(claw.data))
    finally:
        claw("down")


@pytest.fixture(scope="module")
def hostile_ids(live: Live) -> dict[str, str]:
    """Ids of what has markup in every field."""
    return aside(live.data, hostile)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium."""
    path = shutil.which("chromium")
    if path is None:
        reason = "these tests drive Chromium: apt-get install chromium"
        if MUST:
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []  # its sandbox refuses to run as root
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def session(chromium: Browser, live: Live) -> Iterator[BrowserContext]:
    """A browser that is signed in."""
    context = chromium.new_context(viewport={"width": 1280, "height": 860}, base_url=live.http)
    context.add_init_script(WATCH)
    context.set_default_timeout(10_000)
    first = context.new_page()
    first.goto(live.login)
    first.close()
    yield context
    context.close()


@pytest.fixture
def page(session: BrowserContext) -> Iterator[Page]:
    """A page of it; the test fails where its console told of an error or the policy was broken."""
    page = session.new_page()
    wrong: list[str] = []
    page.on("console", lambda said: wrong.append(f"{said.text} {said.location}") if said.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    yield page
    wrong += page.evaluate("window.policyBroken ?? []")
    page.close()
    assert not wrong
