"""The dashboard in a real browser, on a live cluster."""

import re
from typing import Any, Final
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.app.dashboard.conftest import Live
from tests.app.dashboard.skills import HOSTILE

PAGES: Final = {
    "/": "Overview",
    "/tasks": "Tasks",
    "/tasks/{researched}": "Latency budget of the search|Pricing of competitors|Storage costs in three regions",
    "/approvals": "Approvals",
    "/workflows": "Workflows",
    "/workflows/release_notes": "release_notes",
    "/schedules": "Schedules",
    "/triggers": "Triggers",
    "/faults": "Dead letters",
    "/memory?q=Where+does+Ada+live": "Memory",
    "/memory?view=graph&q=Ada": "Memory",
    "/nodes": "Nodes",
    "/nodes/n1": "Node n1",
    "/logs": "Log",
    "/access": "Access",
    "/doctor": "Doctor",
    "/settings": "Settings",
}
EXAMINED: Final = ("/", "/tasks/{researched}", "/memory?q=Where+does+Ada+live", "/access")
"""Pages of each sort, whose accessibility is examined each time; that of the others in a soak."""
WIDTHS = "({ page: document.documentElement.scrollWidth, window: innerWidth })"
SUBMIT = """async (task) => (await fetch("/api/v1/tasks", {
  method: "POST", headers: {"content-type": "application/json"}, body: JSON.stringify(task) })).json()"""
STATUS_WITH = """async (secret) => (await fetch("/api/v1/status", {
  credentials: "omit", headers: {authorization: `Bearer ${secret}`} })).status"""
GO = "(address) => { history.pushState(null, '', address); dispatchEvent(new PopStateEvent('popstate')); }"


def shown(page: Page, address: str) -> None:
    """Opens it in the page that is there, or loads it, and waits until it is complete."""
    if page.url.startswith("http"):
        page.evaluate("document.getElementById('main').setAttribute('aria-busy', 'true')")
        page.evaluate(GO, address)
    else:
        page.goto(address)
    page.wait_for_selector("main:not([aria-busy])")


def violations(page: Page, **options: object) -> list[str]:
    found = Axe().run(page, options={"resultTypes": ["violations"], **options}).response["violations"]
    return [f"{each['id']}: {each['help']}: {[node['html'][:200] for node in each['nodes'][:3]]}" for each in found]


def test_every_page_is_complete_accessible_and_fits_a_phone(page: Page, live: Live) -> None:
    wrong = []
    for number, (address, title) in enumerate(PAGES.items()):
        page.emulate_media(color_scheme="dark" if number % 2 else "light")
        shown(page, address.format(**live.ids))
        expect(page.locator("h1")).to_have_text(re.compile(title))
        expect(page.locator(".trouble")).to_have_count(0)
        wrong += [f"{address} {each}" for each in violations(page)] if address in EXAMINED else []
        page.set_viewport_size({"width": 360, "height": 740})
        widths = page.evaluate(WIDTHS)
        wrong += [f"{address} is {widths['page']} px wide"] if widths["page"] > widths["window"] else []
        page.set_viewport_size({"width": 1280, "height": 860})
    assert not wrong


@pytest.mark.soak
@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_accessible_in_both_themes_and_sizes(page: Page, live: Live, scheme: Any, width: int) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 860})
    wrong = []
    for address in (*PAGES, "/memory?view=timeline", "/memory?view=audit", *map("/tasks/{{{}}}".format, live.ids)):
        page.goto(address.format(**live.ids))
        page.wait_for_selector("main:not([aria-busy])")
        page.evaluate("for (const fold of document.querySelectorAll('main details')) fold.open = true")
        wrong += [f"{address} {each}" for each in violations(page)]
    assert not wrong


def test_addresses_are_states(page: Page) -> None:
    page.goto("/tasks?status=dead")
    expect(page.get_by_label("Status")).to_have_value("dead")
    expect(page.locator(".vbody .vrow")).to_have_count(3)
    page.get_by_label("Skill").fill("nothing-of-that-name")
    expect(page.get_by_text("No task matches these filters.")).to_be_visible()
    assert page.url.endswith("/tasks?status=dead&skill=nothing-of-that-name")
    page.get_by_role("button", name="Clear the filters").click()
    expect(page.get_by_label("Status")).to_have_value("")
    page.get_by_role("link", name="Newsletter").click()
    expect(page.locator("h1")).to_have_text("Newsletter")
    page.go_back()
    expect(page.locator("h1")).to_have_text("Tasks")
    page.get_by_label("Search", exact=True).fill("contoso")
    expect(page.locator(".vbody .vrow")).to_have_count(1)


def test_a_task_is_approved_and_its_page_follows(page: Page, live: Live) -> None:
    page.goto(f"/tasks/{live.ids['asking']}")
    expect(page.locator(".notice")).to_contain_text("waits for an approval")
    page.get_by_role("button", name="Approve").click()
    expect(page.locator(".title .badge")).to_contain_text("completed")
    expect(page.get_by_role("list", name="Attempts and steps")).to_contain_text("send")
    page.goto("/approvals")
    expect(page.get_by_text("Prices for 2027")).to_be_visible()
    expect(page.get_by_text("What changed in November")).to_have_count(0)


def test_output_comes_live_and_progress_moves(page: Page, live: Live) -> None:
    page.goto(f"/tasks/{live.ids['running']}")
    log = page.get_by_role("log", name="Output")
    expect(log).to_contain_text("indexed 10 of")
    page.get_by_role("button", name="Tokens").click()
    expect(log).to_contain_text("file-12")
    last = re.findall(r"file-(\d+)", log.inner_text())[-1]
    expect(log).to_contain_text(f"file-{int(last) + 8} ")


@pytest.mark.soak
def test_the_log_follows_and_begins_where_it_is_asked(page: Page, live: Live) -> None:
    page.goto(f"/logs?task={live.ids['running']}&from=1")
    expect(page.locator(".vbody .vrow").first).to_contain_text("task.submitted")
    expect(page.get_by_role("heading", name=re.compile("^Event "))).to_be_visible()
    page.goto("/logs?type=task.*")
    first = page.locator(".vbody .vrow").first
    expect(first).to_contain_text("task.")
    made = page.evaluate(SUBMIT, {"skill": "summarise", "params": {"document": "today.md"}})
    expect(first).to_contain_text(made["id"])


def test_a_page_that_nobody_sees_gives_its_connection_back(page: Page, live: Live) -> None:
    page.clock.install()
    with page.expect_response(re.compile("/events")) as answered:
        shown(page, "/logs?type=task.*")
    made = page.evaluate(SUBMIT, {"skill": "summarise", "params": {"document": "today.md"}})
    expect(page.locator(".vbody .vrow").first).to_contain_text(made["id"])
    hide = "(hidden) => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true }); "
    with page.expect_event("requestfailed", lambda request: request == answered.value.request):
        page.evaluate(f"{hide}document.dispatchEvent(new Event('visibilitychange')); }}", True)
        page.clock.fast_forward(11_000)
    with page.expect_request(re.compile("/events")) as again:
        page.evaluate(f"{hide}document.dispatchEvent(new Event('visibilitychange')); }}", False)
    assert again.value.headers["last-event-id"]


def test_a_task_is_submitted_by_its_form(page: Page) -> None:
    page.goto("/tasks")
    page.get_by_role("button", name="New task").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Skill").fill("summarise")
    dialog.get_by_label("Parameters (JSON)").fill('{"document": ')
    dialog.get_by_role("button", name="Submit").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Parameters (JSON) is no valid JSON")
    dialog.get_by_label("Parameters (JSON)").fill('{"document": "today.md"}')
    dialog.get_by_role("button", name="Submit").click()
    expect(page.locator(".title .badge")).to_contain_text("completed")


def test_a_file_goes_in_with_a_task_and_comes_out_of_its_page(page: Page) -> None:
    page.goto("/tasks")
    page.get_by_role("button", name="New task").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Skill").fill("translate")
    dialog.get_by_label("Files").set_input_files(
        {"name": "Bericht 文.csv", "mimeType": "text/csv", "buffer": b"a,b\n1,2\n"}
    )
    dialog.get_by_role("button", name="Submit").click()
    files = page.locator("section", has=page.get_by_role("heading", name="Files", exact=True))
    with page.expect_download() as found:
        files.get_by_role("link", name="Bericht 文.csv").click()
    assert found.value.suggested_filename == "Bericht 文.csv"
    assert found.value.path().read_bytes() == b"a,b\n1,2\n"


def test_many_tasks_come_from_a_file_and_a_refused_line_is_told(page: Page) -> None:
    page.goto("/tasks?skill=echo")
    page.get_by_role("button", name="From a file").click()
    lines = b'{"skill": "echo", "params": {"text": "one"}, "id": "from-a-file"}\n{"skil": 1}\n'
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("File").set_input_files({"name": "t.jsonl", "mimeType": "application/json", "buffer": lines})
    dialog.get_by_role("button", name="Submit all").click()
    expect(page.locator(".toast")).to_contain_text("1 submitted, 1 refused.")
    expect(page.locator(".toast")).to_contain_text("line 2")
    expect(page.get_by_role("link", name="from-a-file")).to_be_visible()


def test_dead_letters_say_why_tasks_are_blocked(page: Page) -> None:
    page.goto("/faults")
    row = page.get_by_role("row", name=re.compile("Charge Contoso"))
    expect(row).to_contain_text("permission: PermissionError: the key of the payment service may not charge Contoso")


@pytest.mark.soak
def test_time_travel_shows_a_state_of_the_past(page: Page, live: Live) -> None:
    page.goto(f"/tasks/{live.ids['dead']}")
    section = page.locator("section", has=page.get_by_role("heading", name="Time travel"))
    slider = section.get_by_role("slider")
    expect(section).to_contain_text(re.compile(r"\(\d+ of \d+\)"))  # its history is there
    slider.focus()
    page.keyboard.press("Home")
    expect(section).to_contain_text("task.submitted")
    expect(section.locator(".badge").first).to_contain_text(re.compile("scheduled|pending"))
    address = page.url
    assert re.search(r"\?at=\d+$", address)
    page.goto("/")
    page.goto(address)
    expect(section).to_contain_text("task.submitted")
    expect(section.get_by_role("row", name=re.compile("^status"))).to_be_visible()


def test_many_tasks_are_changed_at_once(page: Page) -> None:
    page.goto("/tasks?status=dead&skill=import-invoices")
    expect(page.locator(".vbody .vrow")).to_have_count(3)
    page.locator(".vbody .vrow input").first.check()
    page.get_by_role("button", name="Select all 3 that match").click()
    page.get_by_role("button", name="Redrive").click()
    page.get_by_role("dialog").get_by_role("button", name="Redrive").click()
    expect(page.locator(".toast")).to_contain_text("Redrive: 3 changed")


def test_hostile_text_stays_text(page: Page, hostile_ids: dict[str, str]) -> None:
    addresses = [f"/tasks/{hostile_ids[each]}" for each in ("raised", "returned", "asking")]
    addresses += ["/tasks?text=img", "/approvals", "/faults", "/schedules", "/triggers", "/memory?q=img", "/logs", "/"]
    addresses += ["/nodes/n1", "/access"]
    addresses += [f"/memory/{hostile_ids['noted']}", "/memory?view=timeline", "/memory?view=graph&q=<b>x</b>"]
    for address in addresses:
        shown(page, address)
        if address.startswith("/tasks/t-"):
            page.get_by_role("button", name="Tokens").click()
            page.evaluate("for (const fold of document.querySelectorAll('main details')) fold.open = true")
        assert page.locator("main :is(img, b, script, i, u):not(.tile b)").count() == 0, address
        assert page.title() != "owned", address
    page.goto(addresses[0])
    expect(page.locator("h1")).to_have_text(HOSTILE)


def test_a_key_is_added_its_secret_shown_once_and_revoked(page: Page) -> None:
    page.goto("/access")
    page.get_by_role("button", name="New key").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("ci")
    dialog.get_by_label("tasks:").check()
    dialog.get_by_role("button", name="Add").click()
    told = page.get_by_role("dialog", name="The secret of ci")
    secret = told.locator("code.wrap").inner_text()
    assert page.evaluate(STATUS_WITH, secret) == 200
    told.get_by_role("button", name="I have kept it").click()
    row = page.get_by_role("row", name="ci")
    for text in ("active", "read, tasks", "in 3 mo"):
        expect(row).to_contain_text(text)
    page.get_by_role("button", name="Revoke ci").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(row).to_have_count(0)
    assert secret not in page.content()


@pytest.mark.soak
def test_a_chat_is_let_in_and_shut_out(page: Page) -> None:
    page.goto("/access")
    page.get_by_role("button", name="Allow a chat").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Chat", exact=True).fill("-1002")
    dialog.get_by_label("May submit").fill("report-*, summarise")
    dialog.get_by_role("button", name="Allow").click()
    row = page.get_by_role("row", name="-1002")
    expect(row).to_contain_text("report-*, summarise")
    expect(row).to_contain_text("chat-1002")
    page.get_by_role("button", name="Shut out -1002").click()
    page.get_by_role("dialog").get_by_role("button", name="Shut out").click()
    expect(row).to_have_count(0)


def test_memory_shows_what_an_agent_is_told_and_keeps_the_settings_of_an_owner(page: Page) -> None:
    page.goto("/memory?q=Where+does+Ada+live")
    page.get_by_role("button", name="Context").click()
    page.get_by_role("dialog").get_by_role("button", name="Show").click()
    expect(page.get_by_role("dialog", name="Context", exact=True)).to_contain_text("Berlin")
    page.keyboard.press("Escape")
    for days in ("30", ""):
        page.get_by_role("button", name="Of an owner").click()
        page.get_by_role("dialog").get_by_label("Owner").fill("grace")
        page.get_by_role("dialog").get_by_role("button", name="Next").click()
        dialog = page.get_by_role("dialog", name="Memory of grace")
        if days:
            dialog.get_by_label("Forget after days").fill(days)
            dialog.get_by_role("button", name="Save").click()
            expect(page.get_by_role("dialog")).to_have_count(0)
        else:
            expect(dialog.get_by_label("Forget after days")).to_have_value("30")
            page.keyboard.press("Escape")


def test_a_person_is_erased_only_when_named_twice(page: Page) -> None:
    page.goto("/settings")
    page.get_by_role("button", name="Erase a person").click()
    dialog = page.get_by_role("dialog", name="Erase a person")
    dialog.get_by_label("User").fill("nobody-there")
    dialog.get_by_label("The same name again").fill("nobody-their")
    dialog.get_by_role("button", name="Erase for good").click()
    expect(dialog.get_by_role("alert")).to_contain_text("the two names differ")
    dialog.get_by_label("The same name again").fill("nobody-there")
    dialog.get_by_role("button", name="Erase for good").click()
    expect(page.get_by_role("dialog", name="What was erased")).to_be_visible()


def test_all_of_it_works_by_keyboard(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("g")
    page.keyboard.press("t")
    expect(page.locator("h1")).to_have_text("Tasks")
    page.locator(".vbody .vrow").first.wait_for()
    page.keyboard.press("/")
    expect(page.get_by_label("Search", exact=True)).to_be_focused()
    page.locator(".vlist").focus()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.get_by_role("region", name="Changes of the selected tasks")).to_contain_text("1 selected")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/tasks/.+"))
    page.locator("main").focus()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.soak
def test_a_theme_that_was_chosen_stays(page: Page) -> None:
    background = "getComputedStyle(document.documentElement).backgroundColor"
    page.emulate_media(color_scheme="light")
    page.goto("/doctor")
    light = page.evaluate(background)
    page.get_by_role("button", name="Theme: system").click()
    page.get_by_role("button", name="Theme: light").click()
    page.reload()
    assert page.evaluate(background) != light
    page.get_by_role("button", name="Theme: dark").click()
    assert page.evaluate(background) == light


def test_who_is_not_signed_in_is_told_how(chromium: Browser, live: Live) -> None:
    stranger = chromium.new_context(base_url=live.http)
    page = stranger.new_page()
    page.goto("/tasks?status=dead")
    expect(page.locator("h1")).to_have_text("Sign in")
    expect(page.get_by_text("claw login", exact=True)).to_be_visible()
    page.goto(live.login)
    expect(page.get_by_text("That link was used")).to_be_visible()
    assert not violations(page)
    page.goto("/?link=locked")
    expect(page.get_by_role("alert")).to_contain_text("Wait a minute")
    stranger.close()


@pytest.mark.soak
def test_what_is_not_there_is_told_with_a_hint(session: BrowserContext) -> None:
    page = session.new_page()
    page.goto("/tasks/t-not-there")
    expect(page.get_by_role("alert")).to_contain_text("there is no task")
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    for kind in ("tasks", "nodes", "workflows", "memory"):
        page.goto(f"/{kind}/{quote('<b>x</b>', safe='')}")
        expect(page.get_by_role("alert")).to_be_visible()
        assert page.locator("main b").count() == 0
    page.close()
