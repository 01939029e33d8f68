"""The judges of the fault tests find what is planted: a history with one fault is told from a whole one."""

from collections.abc import Callable
from typing import Any

import pytest

from clawactors.eventlog import Draft, InProcessLog
from clawactors.runtime.client import TaskFailed
from clawactors.systems.nodes import events as ne
from clawactors.systems.tasks import events as te
from tests.scenario.audit import Audit, read_all
from tests.scenario.limited import most_at_once
from tests.scenario.told import Told

CONTROL, NODE, OTHER = ("control/c", "c-1"), ("node/n1", "one-1"), ("node/n2", "two-1")
JOINED = {"n1": ne.NodeJoined(incarnation="one", slots=1), "n2": ne.NodeJoined(incarnation="two", slots=1)}


class History:
    """A log that is written by hand."""

    def __init__(self) -> None:
        self.log, self._versions = InProcessLog(), dict[str, int]()
        self._commits = 0

    async def add(self, kind: str, id: str, event: Any, by: tuple[str, str] = CONTROL) -> None:
        codec: Any = te.CODEC if kind == "task" else ne.CODEC
        name, process = by
        self._commits += 1
        draft = Draft(kind, id, codec.encode((event,)), f"{process}-{self._commits}", by=name)
        self._versions[id] = await self.log.append(draft, self._versions.get(id, 0))

    async def joined(self) -> None:
        for id, by in (("n1", NODE), ("n2", OTHER)):
            await self.add("node", id, JOINED[id], by)

    async def given(self, id: str, node: str = "n1", attempt: int = 1) -> None:
        """Submitted, if it is not yet, and scheduled."""
        if id not in self._versions:
            await self.add("task", id, te.Submitted(skill="plods"))
        incarnation = JOINED[node].incarnation
        await self.add("task", id, te.Scheduled(node=node, incarnation=incarnation, attempt=attempt, skill="plods"))

    async def run(self, id: str, result: Any = 7) -> None:
        """From its submission to its end."""
        await self.given(id)
        await self.add("task", id, te.Started(), NODE)
        await self.add("task", id, te.Completed(result), NODE)

    async def audit(self) -> Audit:
        audit = await read_all(self.log)
        audit.check_ends()
        return audit


def contents(audit: Audit) -> list[str]:
    """The problems without their places."""
    return [problem.partition(": ")[2] or problem for problem in audit.problems]


@pytest.fixture
async def history() -> History:
    history = History()
    await history.joined()
    return history


async def test_a_whole_history_has_no_problems(history: History) -> None:
    await history.run("a")
    audit, told = await history.audit(), Told()
    told.submitted(["a"])
    told.ended("a", 7)
    told.ended("a", 7)
    assert (audit.problems, told.problems(audit.tasks)) == ([], [])
    assert await most_at_once(history.log, "plods") == 1


@pytest.mark.parametrize(
    ("tell", "problem"),
    [
        (lambda told: told.submitted(["lost"]), "task lost was acknowledged and is not in the log"),
        (lambda told: told.submitted(["open"]), "task open was acknowledged and is still pending"),
        (lambda told: told.ended("a", 8), "task a was told as End(status='completed', result=8), and is on record as"),
        (lambda told: told.ended("open", 7), "task open was told as End(status='completed', result=7), and is on"),
        (lambda told: told.ended("a", TaskFailed("a", "dead", None)), "task a was told as End(status='dead'"),
        (lambda told: (told.ended("a", 7), told.ended("a", 9)), "task a: told as End(status='completed', result=7), "),
    ],
    ids=["lost", "stuck", "another result", "not ended", "another end", "told twice"],
)
async def test_what_was_told_and_is_not_so_is_found(
    history: History, tell: Callable[[Told], Any], problem: str
) -> None:
    await history.run("a")
    await history.add("task", "open", te.Submitted(skill="plods"))
    told = Told()
    tell(told)
    (found,) = told.problems((await history.audit()).tasks)
    assert found.startswith(problem)


async def test_a_task_that_completes_twice_is_found(history: History) -> None:
    await history.run("a")
    await history.add("task", "a", te.Completed(8), NODE)
    assert "task a: Completed is illegal, it is completed" in contents(await history.audit())


async def test_an_attempt_that_was_taken_away_and_still_writes_is_found(history: History) -> None:
    await history.given("a")
    await history.add("task", "a", te.Started(), NODE)
    await history.add("task", "a", te.Interrupted("lost"))
    await history.given("a", "n2", 2)
    await history.add("task", "a", te.Started(), OTHER)
    await history.add("task", "a", te.Completed({"attempt": 1}), NODE)
    assert contents(await history.audit()) == [
        "task a: Completed by node/n1, but it is with n2",
        "task a: Completed has a result of try 1, not 2",
    ]


async def test_more_tasks_at_work_than_a_node_has_slots_are_found(history: History) -> None:
    for id in ("a", "b"):
        await history.given(id)
        await history.add("task", id, te.Started(), NODE)
    assert "node n1 runs 2 tasks in 1 slots" in contents(await history.audit())
    assert await most_at_once(history.log, "plods") == 2


async def test_a_task_that_is_stuck_and_a_step_that_is_done_twice_are_found(history: History) -> None:
    await history.given("a")
    await history.add("task", "a", te.Started(), NODE)
    for result in (1, 2):
        await history.add("task", "a", te.StepCompleted("s", result), NODE)
    problems = contents(await history.audit())
    assert problems == ["task a: StepCompleted is illegal, it is running", "task a is still running"]
