"""Every function of the client that has a path is asked by a page of the dashboard, or it is said here why not."""

import re
from typing import Final

from clawactors.app.web.pages import STATIC
from tests.app.dashboard.test_static import loaded
from tests.app.web.conftest import application

ELSEWHERE: Final = {
    "pending": "the tasks page by status",
    "queue": "`claw queue`; a task says why it waits",
    "result": "a task has it",
    "steps": "a task has them",
    "redrive": "of many: change_tasks; of one: Retry",
    "ids": "pages have whole ids",
    "leader": "the overview has it",
    "archived": "their pages open by id; the list is `claw archive list`",
    "blob": "what tasks hold is shown by their pages, files by files.read",
    "skill": "the list of skills has all of each",
    "session": "pages send the cookie",
    "backups.note": "for the process that makes a backup",
    "config.get": "config.list",
    "config.change": "config.set, one at a time",
    "config.difference": "config.history shows what each version changed",
    "dead_letters.get": "the list has the reason; a task has its page",
    "keys.get": "keys.list",
    "identities.get": "identities.list",
    "notifications.get": "notifications.list",
    "schedules.get": "schedules.list",
    "triggers.get": "triggers.list",
    "triggers.drop": "dead_letters.drop",
    "workflows.check": "workflows.add refuses what is wrong, with the reasons",
    "workflows.check_params": "workflows.submit refuses what is wrong, with the reasons",
    "say": "for the programs that talk with people",
    "memories.consolidate": "it runs by itself",
    "memories.export": "writes many megabytes: `claw memory export`",
    "memories.recent": "the log page",
    "memories.working": "for the code of a task",
}


CALLS: Final = {"get": "get|follow|download", "post": "post", "put": "send|put", "patch": "patch", "delete": "remove"}


def is_asked(method: str, path: str, page: str) -> bool:
    """Whether a page names all parts of this path, the last in a call of this method."""
    words = [part for part in path.removeprefix("/api/v1/").split("/") if not part.startswith("{")]
    if not all(re.search(rf'[`"/]{re.escape(word)}[`"/]', page) for word in words):
        return False
    last = (
        rf'[`"/]{re.escape(words[-1])}[`"/]|\bwhere\b' if path.endswith("}") else rf'[`"/]{re.escape(words[-1])}[`"/]'
    )
    by_word = r"\$\{(?:verb|name|archived [^}]*)\}"  # a call that several buttons share
    return bool(re.search(rf"\b(?:{CALLS[method]}|request)\b.*(?:{last}|{by_word})", page))


def test_every_path_is_asked_by_a_page() -> None:
    pages = [
        "\n".join(file.read_text() for file in sorted(loaded(page)))
        for page in (STATIC / "app.js", *sorted((STATIC / "pages").glob("*.js")))
    ]
    missing, known = {}, set()
    for path, methods in application().openapi_schema.to_schema()["paths"].items():
        for method, operation in methods.items():
            name = operation["operationId"]
            known.add(name)
            if name not in ELSEWHERE and not any(is_asked(method, path, page) for page in pages):
                missing[name] = path
    assert not missing, "give these a place in the dashboard, or say in ELSEWHERE why they have none"
    assert not set(ELSEWHERE) - known, "these are no paths any more"
