"""The sensory and the working level, and what a task's history leaves behind."""

from typing import Any

import pytest

from clawactors.eventlog import Record as Stored
from clawactors.eventlog.decoding import Commit
from clawactors.memory.ingest import task_memories
from clawactors.memory.recall.levels import SensoryMemory, WorkingMemory
from clawactors.runtime.packing import token_count
from clawactors.systems.memories import MEMORY
from clawactors.systems.memories.commands import RecordMemory
from clawactors.systems.tasks import events as t

MINUTE = 60 * 1_000_000_000


def history(*events: Any, id: str = "pkg-1") -> list[Commit]:
    """Commits of one event each; sequences 10, 11, … and a minute apart."""
    return [
        Commit(Stored(seq, seq * MINUTE, f"claw.task.{id}.log", b""), "task", id, (event,))
        for seq, event in enumerate(events, 10)
    ]


SUBMITTED = t.Submitted(skill="install-package", params={"package": "theme-dark", "version": "2.1"}, user="ops")


def scheduled(attempt: int, node: str) -> t.Scheduled:
    return t.Scheduled(node=node, incarnation="i", attempt=attempt, skill="install-package")


def failed(why: str, then: t.Outcome = "retry") -> t.AttemptFailed:
    return t.AttemptFailed(error=t.TaskError("validation", why), then=then)


FAILING = history(
    SUBMITTED,
    scheduled(1, "n1"),
    t.Started(),
    t.StepCompleted("check-dependencies"),
    t.StepFailed("verify-files", "SHA-256 mismatch for icons.tar"),
    failed("SHA-256 mismatch for icons.tar"),
    scheduled(2, "n2"),
    t.StepCompleted("verify-files"),
    t.Completed({"files": 12}),
)


def told(commits: list[Commit]) -> list[str]:
    return [
        order.command.content.text
        for order in task_memories("pkg-1", commits)
        if isinstance(order.command, RecordMemory)
    ]


def test_what_a_task_is_for_is_part_of_what_is_remembered_of_it() -> None:
    about = "Calibrates the spectrometer before each\nmeasurement"
    spec = t.Submitted(skill="calibrate", name="nightly", description=about, user="ops")
    for text in told(history(spec, scheduled(1, "n1"), failed("no lamp"), t.Completed({"peaks": 12}))):
        assert text.startswith("calibrate pkg-1 (nightly: Calibrates the spectrometer before each measurement)")
    nameless = t.Submitted(skill="calibrate", description="校准光谱仪")
    assert told(history(nameless, t.Completed(None)))[0].startswith("calibrate pkg-1 (校准光谱仪) completed")


def test_a_failure_is_remembered_with_its_step_its_reason_and_its_events() -> None:
    order = task_memories("pkg-1", FAILING)[0]
    assert isinstance(order.command, RecordMemory)
    content = order.command.content
    assert content.text == (
        "install-package pkg-1 package=theme-dark, version=2.1 failed at step verify-files on node n1: "
        "validation: SHA-256 mismatch for icons.tar"
    )
    assert content.sources == (14, 15)
    assert content.owner == "ops"
    assert set(content.tags) == {
        "failure",
        "skill:install-package",
        "error:validation",
        "node:n1",
        "step:verify-files",
    }
    assert content.happened_ns == 15 * MINUTE


def test_the_end_says_how_it_went() -> None:
    assert told(FAILING)[-1] == (
        "install-package pkg-1 package=theme-dark, version=2.1 completed on node n2 at attempt 2 after 1 failure; "
        "steps: check-dependencies, verify-files; result: files=12"
    )


def test_an_interruption_and_a_cancel_are_told() -> None:
    interrupted = t.Interrupted("node n1 silent for 2 s")
    texts = told(history(SUBMITTED, scheduled(1, "n1"), t.StepCompleted("count"), interrupted, t.Cancelled()))
    assert "was interrupted on node n1 after step count: node n1 silent for 2 s" in texts[0]
    assert "was cancelled" in texts[1]


def test_the_same_history_gives_the_same_orders_and_a_longer_one_only_adds() -> None:
    orders = task_memories("pkg-1", FAILING)
    assert orders == task_memories("pkg-1", FAILING)
    for cut in range(len(FAILING)):
        assert task_memories("pkg-1", FAILING[:cut]) == orders[: len(task_memories("pkg-1", FAILING[:cut]))]
    assert len({order.id for order in orders}) == len(orders)


def test_odd_histories_are_told_or_left_out() -> None:
    assert task_memories("x", []) == []
    assert task_memories("x", history(failed("no submission"))) == []
    odd = t.Submitted(skill="echo", params={"a": {"b": ["\x00", "x" * 10_000]}, "\ud800": 1})
    for order in task_memories(
        "x", history(odd, scheduled(1, "n"), failed("y" * 100_000, "dead"), t.Completed(object))
    ):
        assert MEMORY.decide(order.command, MEMORY.initial)


# Working


def working(*commits: Commit) -> WorkingMemory:
    made = WorkingMemory("pkg-1")
    for commit in commits:
        made.apply(commit)
    return made


def test_working_memory_holds_the_task_its_steps_errors_and_what_it_asked() -> None:
    memory = working(*FAILING)
    memory.add_answers("how was theme-dark installed before?", {"m-1": "it failed on n1"}, 9)
    text = memory.text(500)
    assert text.startswith("task pkg-1: install-package")
    for part in ("step check-dependencies completed", "SHA-256 mismatch", "asked memory"):
        assert part in text


@pytest.mark.parametrize("budget", [0, 5, 30, 60, 200])
def test_working_memory_keeps_its_budget_and_drops_the_less_needed_first(budget: int) -> None:
    memory = working(*FAILING, *history(*(t.StepCompleted(f"copy-{nth}", nth) for nth in range(300)))[10:])
    text = memory.text(budget)
    assert token_count(text) <= budget
    if budget >= 60:
        assert "SHA-256 mismatch" in text
    if budget >= 200:
        assert "copy-299" in text
        assert "copy-20 " not in text


def test_a_commit_seen_twice_is_quiet() -> None:
    assert working(*FAILING, *FAILING).text(10_000) == working(*FAILING).text(10_000)


def test_tokens_are_estimated_for_wide_and_other_characters() -> None:
    assert token_count("") == 0
    assert token_count("abcdefgh") == 2
    assert token_count("记忆库") == 3


# Sensory


def test_the_newest_events_are_at_hand_and_the_oldest_fade() -> None:
    sensory = SensoryMemory(limit=5)
    for commit in FAILING:
        sensory.add(commit)
        sensory.add(commit)
    newest = sensory.newest(3)
    assert [commit.record.seq for commit, _ in newest] == [16, 17, 18]
    assert isinstance(newest[-1][1], t.Completed)
    assert len(sensory.newest(1000)) == 5
    assert sensory.newest(0) == []
    assert [commit.record.seq for commit, _ in sensory.newest(9, since_ns=17 * MINUTE)] == [17, 18]
