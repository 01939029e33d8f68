"""Who may ask: a browser by a one-time link, a script by the owner's token; no page of another site."""

import asyncio
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from clawactors.app.web import arriving
from clawactors.app.weblogin import LINK_S, SESSION_S, WebLogin
from tests.app.web.conftest import PORT, URL

PATIENCE_S = 10.0
COOKIE = f"claw_{PORT}"
TASK = {"skill": "echo", "params": {"text": "hi"}}


class Hand:
    """A time that is set by hand."""

    now_s = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def login(tmp_path: Path, hand: Hand) -> WebLogin:
    return WebLogin(tmp_path, hand)


async def signed_in(browser: httpx.AsyncClient, login: WebLogin) -> None:
    assert (await browser.get(login.link(URL))).status_code == 303


async def test_a_link_signs_in_once_and_leaves_no_code_in_the_address(
    browser: httpx.AsyncClient, login: WebLogin, hand: Hand
) -> None:
    assert (await browser.get("/api/v1/status")).status_code == 401
    link = login.link(URL)
    answer = await browser.get(link)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookies = {each.split("=")[0]: each for each in answer.headers.get_list("set-cookie")}
    assert "HttpOnly" in cookies[COOKIE]
    assert "SameSite=strict" in cookies[COOKIE]
    assert (await browser.get("/api/v1/status")).status_code == 200
    browser.cookies.clear()
    assert (await browser.get(link)).status_code == 401, "it was used"
    person = await browser.get(link, headers={"Accept": "text/html,*/*;q=0.8"})
    assert (person.status_code, person.headers["location"]) == (303, "/?link=stale"), "a page tells what to do"
    old = login.link(URL)
    hand.now_s += LINK_S + 1
    assert (await browser.get(old)).status_code == 401, "it is too old"


async def test_a_session_ends_by_itself_or_by_signing_out_and_survives_a_restart(
    browser: httpx.AsyncClient, login: WebLogin, hand: Hand, tmp_path: Path
) -> None:
    await signed_in(browser, login)
    assert WebLogin(tmp_path, hand).session(browser.cookies[COOKIE]) is not None, "another process knows it"
    session = (await browser.get("/api/v1/session")).json()
    gone = await browser.delete("/api/v1/session", headers={"X-CSRF-Token": session["csrf"]})
    assert gone.status_code == 204
    await signed_in(browser, login)
    hand.now_s += SESSION_S + 1
    assert (await browser.get("/api/v1/status")).json()["detail"] == "your session has ended"


async def test_a_session_is_new_at_each_sign_in(browser: httpx.AsyncClient, login: WebLogin) -> None:
    browser.cookies.set(COOKIE, "chosen-by-an-attacker", domain="127.0.0.1")
    await signed_in(browser, login)
    first = browser.cookies[COOKIE]
    assert first != "chosen-by-an-attacker"
    await signed_in(browser, login)
    assert browser.cookies[COOKIE] != first
    assert login.session(first) is None


async def test_a_change_must_come_from_a_page_of_this_server(browser: httpx.AsyncClient, login: WebLogin) -> None:
    await signed_in(browser, login)
    csrf = (await browser.get("/api/v1/session")).json()["csrf"]
    for headers, status in (
        ({}, 403),
        ({"X-CSRF-Token": "wrong"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": f"http://127.0.0.1:{PORT + 1}"}, 403),
        ({"Origin": "https://evil.example", "X-CSRF-Token": csrf}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": URL}, 201),
        ({"Sec-Fetch-Site": "same-origin"}, 201),
        ({"X-CSRF-Token": csrf}, 201),
    ):
        assert (await browser.post("/api/v1/tasks", json=TASK, headers=headers)).status_code == status, headers


async def test_forged_cookies_and_keys_open_nothing(browser: httpx.AsyncClient, login: WebLogin) -> None:
    for cookie in ("x", "../../token", "..", "a" * 5000, "%00", '"', login.token):
        answer = await browser.get("/api/v1/status", headers={"Cookie": f"{COOKIE}={cookie}"})
        assert answer.status_code == 401, cookie
    for key in ("Bearer", "Bearer x", f"Basic {login.token}", f"Bearer {login.token}x"):
        assert (await browser.get("/api/v1/status", headers={"Authorization": key})).status_code == 401


async def test_who_guesses_is_locked_out_and_who_knows_is_not(browser: httpx.AsyncClient, login: WebLogin) -> None:
    for _ in range(10):
        assert (await browser.get("/login?code=guess")).status_code == 401
    locked = await browser.get("/login?code=guess")
    assert (locked.status_code, locked.json()["code"]) == (429, "too_many")
    assert 0 < int(locked.headers["retry-after"]) <= 61
    person = await browser.get("/login?code=guess", headers={"Accept": "text/html"})
    assert (person.status_code, person.headers["location"]) == (303, "/?link=locked"), "a page tells what to do"
    wrong = await browser.get("/api/v1/status", headers={"Authorization": "Bearer guess"})
    assert wrong.status_code == 429
    right = await browser.get("/api/v1/status", headers={"Authorization": f"Bearer {login.token}"})
    assert right.status_code == 200


@pytest.mark.parametrize("host", ["evil.example", f"evil.example:{PORT}", "127.0.0.1", f"127.0.0.1:{PORT}.evil", ""])
async def test_another_host_reaches_nothing(browser: httpx.AsyncClient, login: WebLogin, host: str) -> None:
    headers = {"Host": host, "Authorization": f"Bearer {login.token}"}
    for path in ("/api/v1/status", "/", "/login?code=x"):
        assert (await browser.get(path, headers=headers)).status_code == 403


async def test_every_answer_tells_the_browser_to_run_nothing_else(browser: httpx.AsyncClient, login: WebLogin) -> None:
    paths = ("/", "/api/v1/status", "/nothing", "/login?code=x")
    for path in paths:
        headers = (await browser.get(path)).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert not [name for name in headers if name.startswith("access-control")]


async def test_only_the_owner_reads_the_files_and_they_open_no_door(login: WebLogin, tmp_path: Path) -> None:
    link = login.link(URL)
    made = login.sign_in(link.partition("code=")[2])
    assert made is not None
    folder = tmp_path / "web"
    files = [each for each in folder.rglob("*") if each.is_file()]
    assert files
    for each in (folder, *folder.rglob("*")):
        assert not stat.S_IMODE(each.stat().st_mode) & 0o077, each
    assert made[0] not in "".join(f"{each.name} {each.read_text('utf-8')}" for each in files)


async def test_a_header_that_could_be_read_in_two_ways_is_refused(browser: httpx.AsyncClient, login: WebLogin) -> None:
    both = [("Host", f"127.0.0.1:{PORT}"), ("Content-Length", "2"), ("Transfer-Encoding", "chunked")]
    for headers in (both, [("Host", f"127.0.0.1:{PORT}"), ("Host", "evil.example")]):
        request = httpx.Request("POST", f"{URL}/api/v1/tasks", headers=headers, content=b"{}")
        assert (await browser.send(request)).status_code in (400, 403)


async def test_who_stops_sending_a_body_is_cut(
    browser: httpx.AsyncClient, login: WebLogin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arriving, "_PATIENCE_S", 0.05)

    async def slowly() -> AsyncIterator[bytes]:
        yield b'{"skill": '
        await asyncio.Event().wait()

    headers = {"Authorization": f"Bearer {login.token}", "Content-Type": "application/json"}
    async with asyncio.timeout(PATIENCE_S):
        answer = await browser.post("/api/v1/tasks", content=slowly(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (408, "timeout")


async def test_a_body_that_is_too_large_is_refused(browser: httpx.AsyncClient, login: WebLogin) -> None:
    headers = {"Authorization": f"Bearer {login.token}", "Content-Type": "application/json"}
    answer = await browser.post("/api/v1/tasks", content=b" " * (65 << 20), headers=headers)
    assert answer.status_code == 413


def test_damaged_files_open_nothing_and_stop_nothing(tmp_path: Path, hand: Hand) -> None:
    login = WebLogin(tmp_path, hand)
    before = login.token
    for file in (login.token_file, tmp_path / "web" / "address"):
        file.write_bytes(b"\xff\xfe\x00")
    again = WebLogin(tmp_path, hand)
    assert again.address() == ""
    assert not again.is_token(before)
    assert again.is_token(again.token)
    assert stat.S_IMODE(again.token_file.stat().st_mode) == 0o600
