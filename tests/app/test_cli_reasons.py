"""`claw why` without a cluster: every state has its sentence, told from the task's own events."""

import pytest

from clawactors.app.cli.past import Past
from clawactors.app.cli.reasons import reasons_of, waiting_for
from clawactors.eventlog import Record
from clawactors.eventlog.decoding import Commit
from clawactors.kernel.fold import Snapshot
from clawactors.systems.tasks import STATUSES, TASK
from clawactors.systems.tasks import events as e

SECOND_NS = 1_000_000_000
AT = "1970-01-01T00:16:40Z"
HEADERS = b"NATS/1.0\r\nClaw-By: client/ada\r\n\r\n"

SUBMITTED = e.Submitted(skill="echo")
GIVEN = (SUBMITTED, e.Scheduled(node="n1", incarnation="i", attempt=1, skill="echo"))
STARTED = (*GIVEN, e.Started())
FAILED = e.TaskError("timeout", "too slow")


def past(*events: e.TaskEvent) -> Past:
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
    return Past("t-1", Snapshot(task, len(events)), commits)


TOLD = [
    ("waiting", past(e.Submitted(skill="echo", after=("a", "b"))), "it comes after a, b"),
    ("waiting", past(*STARTED, e.Waiting("timer", 1000 * SECOND_NS)), f"it goes on at {AT}"),
    ("waiting", past(*STARTED, e.Waiting("signal", name="go")), "it waits for the signal 'go'"),
    (
        "waiting",
        past(*STARTED, e.AttemptFailed(error=FAILED, then="retry", retry_at_ns=1000 * SECOND_NS)),
        f"retry 1 of 3 comes at {AT} after timeout: too slow",
    ),
    ("scheduled", past(*GIVEN), f"node n1 has it since {AT} (attempt 1) and starts it in its next free slot"),
    ("running", past(*STARTED), "node n1 runs it, attempt 1; no step is on record yet"),
    (
        "running",
        past(*STARTED, e.StepCompleted("count")),
        f"node n1 runs it, attempt 1; its newest step 'count' is completed since {AT}",
    ),
    ("running", past(*STARTED, e.CancelRequested("grace")), "its end was asked for by grace"),
    ("paused", past(SUBMITTED, e.Paused("grace")), "grace paused it: claw resume t-1 lets it go on as pending"),
    ("paused", past(SUBMITTED, e.Paused()), "client/ada paused it: claw resume t-1 lets it go on as pending"),
    (
        "blocked",
        past(e.Submitted(skill="echo", after=("a", "b")), e.Blocked("its predecessor a is dead", "dependency")),
        "its predecessor a is dead: when that one goes on and completes, so does this",
    ),
    (
        "failed",
        past(
            e.Submitted(skill="echo", after=("a",)), e.Expired(e.TaskError("dependency", "its predecessor a is dead"))
        ),
        "it ended before its code could run, dependency: its predecessor a is dead",
    ),
    ("blocked", past(*STARTED, e.Blocked("the journal does not fit")), "it needs a person: the journal does not fit"),
    ("completed", past(*STARTED, e.Completed(1)), f"it ended well at {AT}, attempt 1"),
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
        f"retry 1 of 7 comes at {AT} after timeout: too slow",
    ),
    (
        "dead",
        past(*STARTED, e.Interrupted("node n1: gone", dead=True)),
        "1 runs in a row were interrupted with no new step: node n1: gone",
    ),
    ("cancelled", past(SUBMITTED, e.CancelRequested(), e.Cancelled()), "client/ada cancelled it"),
    (
        "archived",
        past(*STARTED, e.Completed(1), e.TaskArchived()),
        "it ended, and its history was moved to the archive",
    ),
]


@pytest.mark.parametrize(("status", "task", "reason"), TOLD)
def test_a_state_is_explained(status: str, task: Past, reason: str) -> None:
    assert task.folded.state.life.status == status
    assert reason in reasons_of(task)


def test_every_state_but_pending_is_in_that_table() -> None:
    assert {status for status, _, _ in TOLD} == set(STATUSES) - {"pending"}


def test_placement_explains_what_is_pending() -> None:
    assert reasons_of(past(SUBMITTED)) == []


@pytest.mark.parametrize(
    ("status", "task", "reason"), [told for told in TOLD if told[0] in ("dead", "failed", "blocked")]
)
def test_what_needs_a_person_names_the_way_on(status: str, task: Past, reason: str) -> None:
    assert any(reason.startswith("claw retry t-1 lets it go once more") for reason in reasons_of(task))


def test_a_task_of_a_later_release_says_so() -> None:
    task = past(SUBMITTED)
    frozen = Past("t-1", Snapshot(task.folded.state, 2, frozen="event type 'x' is not known"), task.commits)
    assert reasons_of(frozen) == ["it needs a newer release: event type 'x' is not known"]
    assert frozen.row["needs_upgrade"] == "event type 'x' is not known"


def test_what_it_waits_for_is_data_too() -> None:
    waiting = past(*STARTED, e.Waiting("signal", 1000 * SECOND_NS, "go"))
    assert waiting_for(waiting.folded.state.life) == {
        "for": "signal",
        "until": "1970-01-01T00:16:40.000000+00:00",
        "name": "go",
    }
    assert waiting_for(past(SUBMITTED).folded.state.life) == {}


def test_the_history_has_an_entry_an_event_and_keeps_what_is_no_commit() -> None:
    task = past(SUBMITTED, e.Paused("grace"))
    broken = Commit(Record(3, 0, "claw.task.t-1.log", b"x"), "task", "t-1", fault="malformed", reason="not a commit")
    history = Past("t-1", task.folded, [*task.commits, broken]).history
    assert [(entry["seq"], entry["type"], entry.get("by")) for entry in history] == [
        (1, "task.submitted", "client/ada"),
        (2, "task.paused", "grace"),
        (3, "malformed", None),
    ]
    assert history[2]["reason"] == "not a commit"
