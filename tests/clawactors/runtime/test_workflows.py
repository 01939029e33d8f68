"""Workflows on a cluster in memory: what each field does, failures, undo, versions, and nodes that die."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from clawactors import InvalidDefinition, NotFound, Refused, Retry, Task, TaskFailed, skill
from clawactors.app.skills.simple import echo
from clawactors.app.skills.workflow import workflow_skill
from clawactors.systems.tasks.children import child_id
from clawactors.testing import Cluster

EXAMPLES = Path(__file__).parents[3] / "examples"

calls: list[str] = []
running = {"now": 0, "most": 0}


@pytest.fixture(autouse=True)
def _fresh() -> None:
    calls.clear()
    running.update(now=0, most=0)


@skill("add")
async def add(task: Task, a: int, b: int = 1) -> int:
    calls.append(f"add {a} {b}")
    running["now"] += 1
    running["most"] = max(running["now"], running["most"])
    await asyncio.sleep(0.003)
    running["now"] -= 1
    return a + b


@skill("fail", retry=Retry(max_retries=0))
async def fail(task: Task, text: str = "no") -> None:
    calls.append(f"fail {text}")
    raise RuntimeError(text)


@skill("odd", retry=Retry(max_retries=0))
async def odd(task: Task, n: int) -> int:
    if n % 2 == 0:
        raise RuntimeError(f"{n} is even")
    return n


@skill("slow")
async def slow(task: Task) -> None:
    calls.append("slow")
    await task.sleep("1d")
    calls.append("slow ended")


@skill("book")
async def book(task: Task, what: str) -> dict[str, str]:
    calls.append(f"book {what}")
    return {"id": f"{what}-1"}


@skill("unbook")
async def unbook(task: Task, id: str, n: int = 0) -> None:
    calls.append(f"unbook {id}")
    if id.startswith("stuck"):
        raise ValueError("it can't be undone")


SKILLS = (add, fail, odd, slow, book, unbook, workflow_skill)


def cluster(**options: Any) -> Cluster:
    return Cluster(SKILLS, **options)


def flow(steps: str, *more: str) -> str:
    return "\n".join(["workflow: w", "params: {n: 1, rows: [1, 2, 3]}", *more, "steps:", steps])


async def run(steps: str, *more: str, params: dict[str, Any] | None = None, **options: Any) -> Any:
    async with cluster(**options) as it:
        await it.client.workflows.add(flow(steps, *more))
        return await it.client.workflows.run("w", params)


async def test_results_go_from_step_to_step_with_their_types() -> None:
    steps = """
  - {id: one, skill: add, params: {a: "${params.n}"}}
  - {id: two, skill: add, params: {a: "${steps.one.result}", b: '${params["n"] + 1}'}}
  - {id: text, value: {said: "it is ${steps.two.result}", big: "${params.n > 0}", list: ["${steps.one.result}"]}}
"""
    result = await run(steps, "result: ${steps.text.result}")
    assert result == {"said": "it is 4", "big": True, "list": [2]}


async def test_steps_without_needs_run_side_by_side() -> None:
    steps = "\n".join(f"  - {{id: s{n}, skill: add, params: {{a: {n}}}}}" for n in range(4))
    await run(steps)
    assert running["most"] > 1


CONDITIONS = """
  - {id: a, if: params.n > 1, skill: add, params: {a: 1}}
  - {id: b, if: "${params.n > 1}", for_each: params.rows, skill: add, params: {a: "${steps.nope.result.x.y}"}}
  - {id: nope, if: false, value: 1}
  - {id: c, after: [a, b], skill: add, params: {a: 5}}
  - {id: d, value: "${steps.a.result}"}
  - {id: e, value: null}
"""


async def test_a_skipped_step_counts_as_done_with_null_and_its_inputs_are_not_evaluated() -> None:
    """With others it depends on the kind of the step what is run after it (Argo #3378, #1807, #10321)."""
    result = await run(
        CONDITIONS,
        "result: ['${steps.a.status}', '${steps.b.status}', '${steps.e.result}', '${steps.c.result}', '${steps.d}']",
    )
    assert result == ["skipped", "skipped", None, 6, {"status": "completed", "result": None, "error": None}]
    assert calls == ["add 5 1"]


async def test_for_each_keeps_the_order_the_limit_and_an_empty_list() -> None:
    """With others the limit held for the first ones only (Kestra #2976); no elements meant skipped (Airflow #51320)."""
    steps = """
  - {id: many, skill: add, for_each: params.rows, as: row, parallel: 2, params: {a: "${row}", b: "${index * 10}"}}
  - {id: none, skill: add, for_each: [], params: {a: "${item}"}}
  - {id: sum, value: "${steps.many.result.map(x, x + 1)}"}
"""
    rows = [5, 4, 3, 2, 1, 0]
    wanted = "result: ['${steps.many.result}', '${steps.none}', '${steps.sum.result[0]}']"
    many, none, first = await run(steps, wanted, params={"rows": rows}, slots=20)
    assert many == [row + 10 * number for number, row in enumerate(rows)]
    assert none == {"status": "completed", "result": [], "error": None}
    assert first == 6
    assert running["most"] == 2


async def test_a_failure_ends_the_workflow_cancels_the_others_and_names_the_step() -> None:
    steps = """
  - {id: long, skill: slow}
  - {id: bad, skill: fail, params: {text: broken}}
  - {id: never, after: [bad], skill: add, params: {a: 1}}
"""
    async with cluster() as it:
        await it.client.workflows.add(flow(steps))
        with pytest.raises(TaskFailed, match=r"step 'bad': child .* broken") as failed:
            await it.client.workflows.run("w", id="i")
        assert failed.value.error is not None
        assert failed.value.error.kind == "child"
        await it.settle()
        assert (await it.client.task(child_id("i", "long"))).status == "cancelled"
        assert (await it.client.task("i")).attempt == 1
    assert "slow ended" not in calls
    assert not any(each.startswith("add") for each in calls)


async def test_a_step_may_fail_and_the_others_go_on() -> None:
    """As a report on all branches needs (Conductor #178)."""
    steps = """
  - {id: bad, skill: fail, on_failure: continue}
  - {id: each, skill: odd, for_each: params.rows, on_failure: continue, params: {n: "${item}"}}
  - {id: report, value: {bad: "${steps.bad}", each: "${steps.each}"}}
"""
    report = await run(steps, "result: ${steps.report.result}")
    assert report["bad"]["status"] == "failed"
    assert report["bad"]["result"] is None
    assert "no" in report["bad"]["error"]
    assert (report["each"]["status"], report["each"]["result"]) == ("failed", [1, None, 3])
    assert "step 'each[1]'" in report["each"]["error"]


async def test_an_expression_without_a_value_fails_its_step() -> None:
    steps = "  - {id: a, skill: book, params: {what: x}}\n  - {id: b, value: '${steps.a.result.nope}'}"
    with pytest.raises(TaskFailed, match=r"step 'b': steps.a.result.nope: steps.a.result is without 'nope'"):
        await run(steps)


UNDO = """
  - {id: room, skill: book, params: {what: room}, undo: {skill: unbook, params: {id: "${result.id}"}}}
  - id: seats
    after: [room]
    skill: book
    for_each: [seat1, seat2]
    parallel: 1
    params: {what: "${item}"}
    undo: {skill: unbook, params: {id: "${result.id}", n: "${index}"}}
  - {id: plain, after: [seats], skill: add, params: {a: 1}}
"""
IN_ORDER = ["unbook seat2-1", "unbook seat1-1", "unbook room-1"]


def undone() -> list[str]:
    return [each for each in calls if each.startswith("unbook")]


async def test_completed_steps_are_undone_the_last_one_first_when_the_workflow_fails() -> None:
    async with cluster() as it:
        await it.client.workflows.add(
            flow(f"{UNDO}  - {{id: bad, after: [plain], skill: fail}}", "on_failure: compensate")
        )
        with pytest.raises(TaskFailed, match="step 'bad'"):
            await it.client.workflows.run("w", id="i")
        assert undone() == IN_ORDER
        steps = {each.name: each.status for each in (await it.client.task("i")).steps}
        assert steps["room:done"] == steps["seats[1]:done"] == "compensated"
        calls.clear()
        await it.client.retry(child_id("i", "bad"))
        await it.client.retry("i")
        await it.settle()
        assert [each for each in calls if each.startswith("book")] == ["book room", "book seat1", "book seat2"]


async def test_without_compensate_nothing_is_undone_until_somebody_says_so() -> None:
    async with cluster(slots=1) as it:
        await it.client.workflows.add(flow(f"{UNDO}  - {{id: bad, after: [plain], skill: fail}}"))
        with pytest.raises(TaskFailed):
            await it.client.workflows.run("w", id="i")
        assert undone() == []
        await it.client.cancel("i", undo=True)
        await it.settle()
        assert undone() == IN_ORDER
        assert (await it.client.task("i")).status == "cancelled"


async def test_a_cancel_with_undo_undoes_what_is_done_and_cancels_what_runs() -> None:
    async with cluster(slots=2) as it:
        await it.client.workflows.add(flow(f"{UNDO}  - {{id: long, after: [plain], skill: slow}}"))
        ref = await it.client.workflows.submit("w", id="i")
        await it.settle()
        await ref.cancel(undo=True)
        await it.settle()
        assert undone() == IN_ORDER
        assert (await it.client.task("i")).status == "cancelled"
        assert (await it.client.task(child_id("i", "long"))).status == "cancelled"
        tree = await it.client.task_tree("i")
        assert sum(row.name.startswith("undo ") for row in tree.rows) == 3


async def test_an_undo_that_fails_is_told_and_the_others_go_on() -> None:
    steps = UNDO.replace("what: room", "what: stuck")
    async with cluster() as it:
        await it.client.workflows.add(
            flow(f"{steps}  - {{id: bad, after: [plain], skill: fail}}", "on_failure: compensate")
        )
        with pytest.raises(TaskFailed):
            await it.client.workflows.run("w", id="i")
        assert undone() == ["unbook seat2-1", "unbook seat1-1", "unbook stuck-1"]
        row = await it.client.task("i")
        assert {each.name: each.status for each in row.steps}["room:done"] == "undo_failed"
        assert row.error is not None
        assert row.error.message.endswith("not undone: room")


WAITS = """
  - {id: nap, sleep: "${params.hours}h"}
  - {id: later, until: "${params.until}"}
  - {id: paid, signal: "paid-${params.hours}", timeout: "${params.hours}h", on_failure: continue}
  - {id: ask, approve: "${params.hours} hours?", by: ["${params.boss}"], timeout: 2d, default: approve}
  - {id: ask2, approve: again?, timeout: 2d}
"""


async def test_timers_signals_and_approvals() -> None:
    """Limits take expressions too (Argo #4442)."""
    head = "workflow: w\nparams: {hours: 3, until: '', boss: test}\nsteps:"
    text = f"{head}{WAITS}result: ['${{steps.paid}}', '${{steps.ask.result}}', '${{steps.ask2.result}}']"
    async with cluster(start="2026-05-01T00:00:00Z") as it:
        await it.client.workflows.add(text)
        began = it.now
        params = {"until": "2026-05-02T00:00:00Z"}
        ref = await it.client.workflows.submit("w", params, id="i")
        await it.settle()
        await it.client.approve("i", "ask", comment="fine")
        await ref.signal("paid-3", {"cents": 5})
        late = await it.client.workflows.submit("w", params, id="late")
        paid, ask, ask2 = await ref.result()
        assert paid == {"status": "completed", "result": {"cents": 5}, "error": None}
        assert ask == {"approved": True, "by": "client/test", "comment": "fine"}
        assert ask2 == {"approved": False, "by": "", "comment": ""}
        assert (it.now - began).days == 2
        paid, ask, _ = await late.result()
        assert paid["status"] == "failed"
        assert "no signal 'paid-3' came within 3h" in paid["error"]
        assert ask == {"approved": True, "by": "", "comment": ""}
    async with cluster() as it:
        await it.client.workflows.add(text)
        with pytest.raises(TaskFailed, match="step 'later': until: "):
            await it.client.workflows.run("w", {"until": "soon"})


async def test_a_workflow_runs_workflows_and_keeps_to_its_version() -> None:
    head = "workflow: inner\nparams: {n: {type: integer}}\nsteps:"
    inner = f"{head} [{{id: a, skill: add, params: {{a: '${{params.n}}'}}}}]\nresult: ${{steps.a.result}}\n"
    outer = """
  - {id: call, workflow: inner, params: {n: 5}}
  - {id: old, workflow: inner, version: 1, params: {n: 5}}
  - {id: each, workflow: inner, for_each: params.rows, params: {n: "${item}"}}
"""
    async with cluster() as it:
        workflows = it.client.workflows
        assert (await workflows.add(inner)).latest == 1
        assert (await workflows.add(inner)).latest == 1
        second = inner.replace("params.n}", "params.n + 100}")
        assert (await workflows.add(second)).latest == 2
        await workflows.add(
            flow(outer, "result: ['${steps.call.result}', '${steps.old.result}', '${steps.each.result}']")
        )
        assert await workflows.run("w") == [106, 6, [102, 103, 104]]
        assert await workflows.run("inner", {"n": 1}, version=1) == 2
        await workflows.add(flow("  - {id: call, workflow: inner, params: {m: 5}}"))
        with pytest.raises(TaskFailed, match=r"step 'call'.*does not take 'm'"):
            await workflows.run("w")
        assert (await workflows.get("inner", 1)).definition["steps"][0]["params"] == {"a": "${params.n}"}
        with pytest.raises(NotFound, match="has no version 3; its newest is 2"):
            await workflows.get("inner", 3)


async def test_a_running_instance_keeps_its_version_also_when_it_is_removed() -> None:
    """With others an update reached what was under way (Conductor #987)."""
    first = flow("  - {id: nap, sleep: 1h}\n  - {id: a, after: [nap], value: first}", "result: ${steps.a.result}")
    async with cluster(nodes=2) as it:
        workflows = it.client.workflows
        await workflows.add(first)
        pinned = await workflows.submit("w")
        newest = await it.client.submit("workflow", {"workflow": "w"})
        await it.settle()
        await workflows.add(first.replace("value: first", "value: second"))
        await workflows.remove("w")
        await it.kill_node("n1")
        assert [await pinned.result(), await newest.result()] == ["first", "first"]
        assert await workflows.list() == []
        with pytest.raises(NotFound, match="there is no workflow 'w'"):
            await workflows.run("w")
        with pytest.raises(NotFound, match="there is no workflow 'w'"):
            await workflows.remove("w")
        with pytest.raises(TaskFailed, match="there is no workflow 'w'; claw workflow list"):
            await it.client.run("workflow", {"workflow": "w"})
        assert (await workflows.add(first)).latest == 3


async def test_a_definition_is_run_without_a_name() -> None:
    """Others want it registered first (Conductor #631)."""
    definition = {"workflow": "once", "steps": [{"id": "a", "value": 7}], "result": "${steps.a.result}"}
    async with cluster() as it:
        assert await it.client.run("workflow", {"definition": definition}) == 7
        for params, words in (
            ({"definition": {**definition, "from_later": 1}}, "there is no field 'from_later' here"),
            ({}, "which workflow"),
            ({"workflow": "nope", "version": 1}, "has no version 1"),
        ):
            with pytest.raises(TaskFailed, match=words):
                await it.client.run("workflow", params)


async def test_what_does_not_fit_is_refused_before_anything_is_made() -> None:
    async with cluster() as it:
        workflows = it.client.workflows
        with pytest.raises(InvalidDefinition, match="1:1: this needs the field 'steps'"):
            await workflows.add("workflow: w\n")
        await workflows.add(flow("  - {id: a, skill: unheard-of}"))
        assert await workflows.missing_skills(flow("  - {id: a, skill: unheard-of}")) == ["unheard-of"]
        with pytest.raises(Refused, match=r"does not take 'm'; it takes n, rows"):
            await workflows.run("w", {"m": 1})
        assert [row.latest for row in await workflows.list()] == [1]


async def test_a_large_definition_goes_by_reference_and_comes_back_whole() -> None:
    steps = "\n".join(f"  - {{id: s{n}, value: {n}}}" for n in range(1000))
    async with cluster() as it:
        row = await it.client.workflows.add(flow(steps, "result: ${steps.s999.result}"))
        assert len(row.definition["steps"]) == 1000
        assert "$blob" in (await it.client.workflows.list())[0].definition
        assert (await it.client.workflows.add(flow(steps, "result: ${steps.s999.result}"))).latest == 1
        assert len((await it.client.workflows.get("w")).definition["steps"]) == 1000
        assert await it.client.workflows.run("w") == 999


async def test_ten_thousand_steps_run() -> None:
    steps = [{"id": f"s{n}", "value": f"${{steps.s{n - 1}.result + 1}}" if n else 0} for n in range(10_000)]
    async with cluster() as it:
        began = time.process_time()
        await it.client.workflows.add({"workflow": "big", "steps": steps, "result": "${steps.s9999.result}"})
        assert time.process_time() - began < 5
        assert await it.client.workflows.run("big") == 9999


async def test_a_large_result_goes_on_as_it_is() -> None:
    """An expression is at most 64 KB; a path is not: it only says where something is."""
    async with cluster() as it:
        await it.client.workflows.add(
            flow(
                "  - {id: a, value: '${params.rows}'}\n  - {id: b, value: ['${steps.a.result[0]}']}",
                "result: ${steps.b.result}",
            )
        )
        rows = ["x" * 200_000]
        assert await it.client.workflows.run("w", {"rows": rows}) == [rows[0]]


@pytest.mark.parametrize("after", range(0, 9, 2))
async def test_a_node_that_dies_anywhere_changes_nothing(after: int) -> None:
    """The instance goes on elsewhere: no child is made twice, no result is lost."""
    steps = """
  - {id: a, skill: add, params: {a: 1}}
  - {id: nap, after: [a], sleep: 1h}
  - {id: b, after: [nap], skill: add, for_each: params.rows, params: {a: "${item}"}}
  - {id: c, after: [b], skill: book, params: {what: c}, undo: {skill: unbook, params: {id: "${result.id}"}}}
  - {id: d, after: [c], skill: fail}
"""
    async with cluster(seed=after) as it:
        await it.client.workflows.add(flow(steps, "on_failure: compensate"))
        ref = await it.client.workflows.submit("w", id="i")

        async def events() -> int:
            return len(await it.client.history("i"))

        waiting = asyncio.ensure_future(ref.result())
        while not waiting.done() and await events() < 2 + 2 * after:  # noqa: ASYNC110 - it asks the log
            await asyncio.sleep(0.002)
        await it.kill_node("n1")
        await it.start_node("n2")
        with pytest.raises(TaskFailed, match="step 'd'"):
            await waiting
        assert (await it.client.task("i")).status == "failed"
        tree = await it.client.task_tree("i")
        assert sorted(row.name for row in tree.rows if row.level == 1) == [
            "a",
            "b[0]",
            "b[1]",
            "b[2]",
            "c",
            "d",
            "undo c",
        ]
        assert calls[-1] == "unbook c-1"


async def test_the_example_runs_and_asks() -> None:
    from tests.clawactors.runtime.test_examples import example

    module = example("nightly_skills")
    skills = [each for each in vars(module).values() if getattr(each, "offer", None) is not None]
    async with Cluster([*skills, workflow_skill]) as it:
        await it.client.workflows.add(EXAMPLES / "nightly.yaml")
        assert await it.client.workflows.missing_skills(EXAMPLES / "nightly.yaml") == []
        result = await it.client.workflows.run("nightly", {"day": "2026-05-01", "limit": 100_000})
        assert result == {"sent": True, "cents": 15_000, "delivered": True, "archive": "3 files"}
        ref = await it.client.workflows.submit("nightly", {"day": "2026-05-02"}, id="asks")
        await it.settle()
        ops = it.connect("ops")
        assert [each.question for each in await ops.approvals()] == ["Send the report of 2026-05-02 with 15000 cents?"]
        await ops.deny("asks")
        assert await ref.result() == {"sent": False, "cents": 15_000, "delivered": None, "archive": "3 files"}


async def test_the_code_of_the_page_runs() -> None:
    page = (EXAMPLES.parent / "docs" / "workflows.md").read_text("utf-8")
    names: dict[str, Any] = {}
    exec(compile(page.partition("```python\n")[2].partition("```")[0], "workflows.md", "exec"), names)  # noqa: S102 - our own page

    @skill("double")
    async def double(task: Task, n: int) -> int:
        return 2 * n

    async with Cluster([double, workflow_skill]) as it:
        assert await names["doubled"](it.client) == [2, 4, 6]
        assert await it.client.ref("sum-1").result() == [10, 12]


async def test_the_progress_of_an_instance_that_waits_is_the_share_of_steps_that_are_done() -> None:
    steps = """
  - {id: a, skill: add, params: {a: 1}}
  - {id: b, value: "${steps.a.result}"}
  - {id: go, after: [b], signal: go}
  - {id: c, after: [go], value: 1}
"""
    async with cluster() as it:
        await it.client.workflows.add(flow(steps))
        ref = await it.client.workflows.submit("w", id="i")
        await it.settle()
        assert (await it.client.task("i")).progress == 50
        await ref.signal("go")
        await ref.result()
        assert (await it.client.task("i")).progress == 100


async def test_a_value_is_never_taken_for_an_expression() -> None:
    """What a user or a model writes must not be evaluated; a text that looks like an expression can be written."""
    steps = """
  - {id: a, skill: echo, params: {text: "${params.given}"}}
  - {id: b, value: ["${steps.a.result}", "see ${steps.a.result}", '${"${HOME}"}']}
"""
    async with Cluster([echo, workflow_skill]) as it:
        await it.client.workflows.add(f"workflow: w\nparams: {{given: x}}\nsteps:{steps}result: ${{steps.b.result}}\n")
        given = "${workflow.id} ${params.given}"
        assert await it.client.workflows.run("w", {"given": given}) == [given, f"see {given}", "${HOME}"]


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ("{id: a, if: params.n, value: 1}", "a condition is true or false"),
        ("{id: a, skill: add, for_each: params, params: {a: 1}}", "for_each takes a list"),
        ("{id: a, skill: add, params: {a: text}}", "step 'a'.*'a' takes integer"),
        ("{id: a, sleep: '${params.rows}'}", "step 'a': a wait takes seconds"),
        ("{id: a, workflow: w}", "32 parents stand above this task"),
        ("{id: a, workflow: nope}", "there is no workflow 'nope'"),
        ("{id: a, value: '${params.n / 0}'}", "step 'a': params.n / 0: "),
    ],
)
async def test_what_goes_wrong_in_an_instance_is_said(step: str, words: str) -> None:
    with pytest.raises(TaskFailed, match=words):
        await run(f"  - {step}")


async def test_lost_acknowledgements_and_a_new_leader_make_nothing_twice() -> None:
    async with cluster(nodes=2, seed=3, slots=20) as it:
        bad = "  - {id: nap, after: [plain], sleep: 1h}\n  - {id: bad, after: [nap], skill: fail}"
        await it.client.workflows.add(flow(f"{UNDO}{bad}", "on_failure: compensate"))
        it.lose_acknowledgements(0.2)
        refs = [await it.client.workflows.submit("w", id=f"i{n}") for n in range(5)]
        await it.settle()
        await it.restart_control()
        for ref in refs:
            with pytest.raises(TaskFailed, match="step 'bad'"):
                await ref.result()
        it.lose_acknowledgements(0)
        for ref in refs:
            names = [row.name for row in (await it.client.task_tree(ref.id)).rows if row.level == 1]
            assert sorted(names) == sorted(
                ["room", "seats[0]", "seats[1]", "plain", "bad", "undo room", "undo seats[0]", "undo seats[1]"]
            )
