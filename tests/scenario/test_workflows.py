"""Workflows on real processes: the page is right, and an instance goes on when nodes are killed."""

import re
import shlex
import signal
from pathlib import Path

import pytest

from clawactors.app.clusterplan import ClusterPlan
from tests.scenario.system import ROOT, SKILLS, running, until

pytestmark = pytest.mark.nats

PAGE = Path(ROOT, "docs", "workflows.md").read_text("utf-8")
FLOW = """
workflow: killed
params: {trace: ""}
on_failure: compensate
steps:
  - {id: first, skill: echo, params: {text: one}, undo: {skill: echo, params: {text: "undo ${result}"}}}
  - id: many
    after: [first]
    skill: no-op
    for_each: [1, 2, 3, 4, 5, 6, 7, 8]
    parallel: 2
    params: {trace: "${params.trace}"}
  - {id: go, after: [many], signal: go}
  - {id: last, after: [go], skill: echo, params: {text: "${steps.first.result} ${steps.go.result}"}}
result: ${steps.last.result}
"""


async def test_the_page_says_what_runs_and_an_instance_outlives_its_nodes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hello.yaml").write_text(re.findall(r"```yaml\n# hello.yaml\n(.*?)```", PAGE, re.DOTALL)[0], "utf-8")
    async with running(tmp_path, ClusterPlan(nodes=2, slots=2, skills=(SKILLS,))) as system:
        workflows = system.client.workflows
        await workflows.add(FLOW)
        ref = await workflows.submit("killed", {"trace": str(system.trace)}, id="i")

        async def half_way() -> bool:
            return any(row.name == "many[3]" for row in (await system.client.task_tree("i")).rows)

        await until(half_way, "half of the children are there")
        for node in ("n1", "n2"):
            system.signal(node, signal.SIGKILL)

        block = PAGE.partition("```bash\n")[2].partition("```")[0]
        commands = [shlex.split(line, comments=True)[1:] for line in block.splitlines() if line.startswith("claw ")]
        assert len(commands) == 7
        for command in commands:
            ran = await system.run_claw(*command)
            assert ran.code == 0, ran
        assert (await system.client.task("first")).result == "Hello, Grace!"
        await ref.signal("go", 2)
        assert await ref.result(30) == "one 2"
        names = [row.name for row in (await system.client.task_tree("i")).rows if row.level == 1]
        assert sorted(names) == ["first", "last", *(f"many[{n}]" for n in range(8))]
        drawn = await system.run_claw("workflow", "show", "killed", "--diagram", "svg", "--task", "i")
        assert "#d7f0dd" in drawn.answer["diagram"]
        await system.replay_is_equal()
