"""The transition table: as the design says, as it is drawn in `docs/states.md`, and as the states can be reached."""

import importlib.util
from collections import defaultdict
from pathlib import Path
from types import ModuleType

from clawactors.systems.tasks import FINAL, OPEN, STATUSES, TASK, Task
from clawactors.systems.tasks import events as e
from tests.clawactors.systems.tasks.reachable import NOW_NS, events

DOCS = Path(__file__).parents[4] / "docs"

PENDING, RUNNING = {"pending"}, {"running"}
DESIGN: dict[str, dict[str, set[str]]] = {
    "task.submitted": {"absent": {"pending", "waiting"}},
    "task.ready": {status: {"pending", "waiting"} for status in ("waiting", "blocked")},
    "task.scheduled": {"pending": {"scheduled"}},
    "task.started": {"scheduled": RUNNING},
    "task.returned": {"scheduled": PENDING},
    "step.started": {"running": RUNNING},
    "step.completed": {"running": RUNNING, "paused": {"paused"}},
    "step.failed": {"running": RUNNING},
    "step.compensated": {"running": RUNNING, "paused": {"paused"}},
    "step.undo_failed": {"running": RUNNING, "paused": {"paused"}},
    "task.waiting": {"running": {"waiting"}, "blocked": {"waiting"}},
    "task.unparked": {"waiting": {"waiting"}, "pending": PENDING},
    "task.interrupted": {"scheduled": {"pending", "dead"}, "running": {"pending", "dead"}},
    "task.attempt_failed": {"running": {"waiting", "failed", "dead", "blocked"}},
    "task.completed": {"running": {"completed"}},
    "task.continued": {"running": {"pending", "waiting"}},
    "task.cancel_requested": {status: {status} for status in OPEN},
    "task.cancelled": {status: {"cancelled"} for status in OPEN},
    "task.compensating": {status: {status} if status in ("scheduled", "running") else PENDING for status in OPEN},
    "task.paused": {status: {"paused"} for status in OPEN - {"paused"}},
    "task.resumed": {"paused": {"pending", "waiting", "blocked"}},
    "task.blocked": {status: {"blocked"} for status in OPEN - {"blocked"}},
    "task.unblocked": {"blocked": PENDING},
    "task.retried": {
        **{status: {"pending", "waiting"} for status in ("failed", "cancelled")},
        **{status: {"pending"} for status in ("dead", "blocked")},
    },
    "task.signalled": {status: {status} for status in OPEN},
    "task.edited": {
        **{status: {status} for status in ("pending", "paused", "blocked")},
        "waiting": {"waiting", "pending"},
    },
    "task.deleted": {status: {"archived"} for status in set(STATUSES) - {"scheduled", "running", "archived"}},
    "task.expired": {status: {"failed"} for status in OPEN},
    "task.forked": {"waiting": {"waiting"}},
    "task.fork_made": {status: {status} for status in set(STATUSES) - {"archived"}},
    "task.approval_asked": {"running": RUNNING},
    "task.approval_answered": {status: {status} for status in OPEN},
    "task.approval_withdrawn": {"running": RUNNING},
    "task.recalled": {"running": RUNNING, "paused": {"paused"}},
    "task.archived": {status: {"archived"} for status in (*FINAL, "absent")},
}


def states_page() -> ModuleType:
    """The script that draws the tables."""
    found = importlib.util.spec_from_file_location("states_page", DOCS / "states.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


PAGE = states_page()


def test_the_table_is_the_design() -> None:
    table = {tag: {status: set(to) for status, to in row.items()} for tag, row in PAGE.task_table().items()}
    assert table == DESIGN


def test_the_design_names_every_event_and_status() -> None:
    assert set(DESIGN) == e.CODEC.tags
    assert set(STATUSES) == OPEN | FINAL


def test_states_that_can_be_reached_move_by_the_table(reached: list[Task]) -> None:
    moves: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for task in reached:
        for event in events(task):
            after = TASK.evolve(task, event, NOW_NS)
            if after is not task:
                before = task.life.status if task.exists else "absent"
                moves[str(event.__struct_config__.tag)][before].add(after.life.status)
    moves["task.cancelled"] |= {
        status: {"cancelled"} for status in OPEN
    }  # together with the request, where nothing runs
    assert moves == DESIGN


def test_the_page_is_what_is_derived() -> None:
    assert (DOCS / "states.md").read_text(encoding="utf-8") == PAGE.page(), "run `python docs/states.py`"
