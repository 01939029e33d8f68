"""`claw why` without a cluster: every state has its sentence, told from the task's own events."""

import pytest

from clawactors.eventlog import Record
from clawactors.eventlog.decoding import Commit
from clawactors.kernel.fold import Snapshot
from clawactors.runtime.client.history import TaskHistory
from clawactors.runtime.client.reasons import reasons_of, waiting_for
from clawactors.systems.tasks import STATUSES, TASK
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.approvalevents import ApprovalAsked
from clawactors.systems.tasks.approvals import APPROVAL

SECOND_NS = 1_000_000_000
AT = "1970-01-01T00:16:40Z"
HEADERS = b"NATS/1.0\r\nClaw-By: client/ada\r\n\r\n"

SUBMITTED = e.Submitted(skill="echo")
GIVEN = (SUBMITTED, e.Scheduled(node="n1", incarnation="i", attempt=1, skill="echo"))
STARTED = (*GIVEN, e.Started())
FAILED = e.TaskError("timeout", "too slow")

ASKED = ApprovalAsked(name="first", question="go?")
ASKS = e.Waiting("signal", name=f"{APPROVAL}first")


def past(*events: e.TaskEvent) -> TaskHistory:
    """A task after these events, each of them a commit of ada's at the same moment."""
    task = TASK.initial
    commits = []
    for seq, event in enumerate(events, 1):
        after = TASK.evolve(task, event, 1000 * SECOND_NS)
        assert after is not task, event
        task = after
        commits.append(
            Commit(Record(seq, 1000 * SECOND_NS, "claw.task.t-1.log", b"", HEADERS), "task", "t-1", (event,))
        )
    return TaskHistory("t-1", Snapshot(task, len(events)), commits)


TOLD = [
    ("waiting", past(e.Submitted(skill="echo", after=("a", "b"))), "it starts after 2 tasks"),
    ("waiting", past(*STARTED, e.Waiting("timer", 1000 * SECOND_NS)), f"it sleeps and wakes up at {AT}"),
    ("waiting", past(*STARTED, e.Waiting("signal", name="go")), "it waits for the signal 'go'"),
    ("waiting", past(*STARTED, ASKED, ASKS), "it waits for an approval: 'go?' (claw approve t-1 or claw deny t-1)"),
    (
        "waiting",
        past(*STARTED, ASKED, ApprovalAsked(name="second", question="?"), ASKS),
        "it waits for an approval: 'go?' (claw approve t-1 first or claw deny t-1 first)",
    ),
    (
        "waiting",
        past(*STARTED, e.AttemptFailed(error=FAILED, then="retry", retry_at_ns=1000 * SECOND_NS)),
        f"retry 1 of 3 starts at {AT} after timeout: too slow",
    ),
    ("scheduled", past(*GIVEN), f"scheduled on node n1 since {AT} (attempt 1): it starts in the next free slot"),
    ("running", past(*STARTED), "running on node n1, attempt 1; no step is recorded yet"),
    (
        "running",
        past(*STARTED, e.StepCompleted("count")),
        f"running on node n1, attempt 1; its newest step 'count' is completed since {AT}",
    ),
    ("running", past(*STARTED, e.CancelRequested("grace")), "grace has asked to cancel it"),
    ("paused", past(SUBMITTED, e.Paused("grace")), "grace paused it: claw resume t-1 resumes it as pending"),
    ("paused", past(SUBMITTED, e.Paused()), "client/ada paused it: claw resume t-1 resumes it as pending"),
    (
        "blocked",
        past(e.Submitted(skill="echo", after=("a", "b")), e.Blocked("its predecessor a is dead", "dependency")),
        "its predecessor a is dead: when that task completes, this one runs",
    ),
    (
        "failed",
        past(
            e.Submitted(skill="echo", after=("a",)), e.Expired(e.TaskError("dependency", "its predecessor a is dead"))
        ),
        "it ended before its code could run, dependency: its predecessor a is dead",
    ),
    ("blocked", past(*STARTED, e.Blocked("the journal does not fit")), "it needs a person: the journal does not fit"),
    ("completed", past(*STARTED, e.Completed(1)), f"completed at {AT}, attempt 1"),
    (
        "failed",
        past(*STARTED, e.AttemptFailed(error=FAILED, then="failed")),
        "attempt 1 failed with an error that is not retried, timeout: too slow",
    ),
    (
        "dead",
        past(*STARTED, e.AttemptFailed(error=FAILED, then="dead")),
        "attempt 1 failed and its 3 retries are used up, timeout: too slow",
    ),
    (
        "dead",
        past(*STARTED, e.AttemptFailed(error=FAILED, then="dead", max_retries=0)),
        "attempt 1 failed and it has no retries, timeout: too slow",
    ),
    (
        "waiting",
        past(*STARTED, e.AttemptFailed(error=FAILED, then="retry", retry_at_ns=1000 * SECOND_NS, max_retries=7)),
        f"retry 1 of 7 starts at {AT} after timeout: too slow",
    ),
    (
        "dead",
        past(*STARTED, e.Interrupted("node n1: gone", dead=True)),
        "1 attempts in a row were interrupted without a new step: node n1: gone",
    ),
    ("cancelled", past(SUBMITTED, e.CancelRequested(), e.Cancelled()), "client/ada cancelled it"),
    (
        "archived",
        past(*STARTED, e.Completed(1), e.TaskArchived()),
        "it has ended, and its history was moved to the archive",
    ),
]


@pytest.mark.parametrize(("status", "task", "reason"), TOLD)
def test_a_state_is_explained(status: str, task: TaskHistory, reason: str) -> None:
    assert task.known.state.life.status == status
    assert reason in reasons_of(task)


def test_every_state_but_pending_is_in_that_table() -> None:
    assert {status for status, _, _ in TOLD} == set(STATUSES) - {"pending"}


def test_placement_explains_what_is_pending() -> None:
    assert reasons_of(past(SUBMITTED)) == []


@pytest.mark.parametrize(
    ("status", "task", "reason"), [told for told in TOLD if told[0] in ("dead", "failed", "blocked")]
)
def test_what_needs_a_person_names_the_way_on(status: str, task: TaskHistory, reason: str) -> None:
    assert any(reason.startswith("claw retry t-1 retries it") for reason in reasons_of(task))


def test_a_task_of_a_later_release_says_so() -> None:
    task = past(SUBMITTED)
    frozen = TaskHistory("t-1", Snapshot(task.known.state, 2, frozen="event type 'x' is not known"), task.commits)
    assert reasons_of(frozen) == ["it needs a newer release: event type 'x' is not known"]
    assert frozen.row.needs_upgrade == "event type 'x' is not known"


def test_what_it_waits_for_is_data_too() -> None:
    waiting = past(*STARTED, e.Waiting("signal", 1000 * SECOND_NS, "go"))
    assert waiting_for(waiting.known.state.life) == {
        "for": "signal",
        "until": "1970-01-01T00:16:40.000000+00:00",
        "name": "go",
    }
    assert waiting_for(past(SUBMITTED).known.state.life) == {}


def test_the_history_has_an_entry_an_event_and_keeps_what_is_no_commit() -> None:
    task = past(SUBMITTED, e.Paused("grace"))
    broken = Commit(Record(3, 0, "claw.task.t-1.log", b"x"), "task", "t-1", fault="malformed", reason="not a commit")
    history = TaskHistory("t-1", task.known, [*task.commits, broken]).entries
    assert [(entry.seq, entry.type, entry.row.get("by")) for entry in history] == [
        (1, "task.submitted", "client/ada"),
        (2, "task.paused", "grace"),
        (3, "malformed", None),
    ]
    assert history[2].row["reason"] == "not a commit"
