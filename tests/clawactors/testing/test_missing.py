"""What `claw submit`, `schedule add` and `trigger add` tell of skills and workflows that are not there yet."""

from typing import Any

import pytest

from clawactors.app.cli.missing import note_missing
from clawactors.app.skills.workflow import workflow_skill
from clawactors.testing import Cluster

NIGHTLY = "workflow: nightly\nparams: {n: {type: integer}}\nsteps: [{id: a, value: 1}]\n"


@pytest.mark.parametrize(
    ("skill", "params", "told"),
    [
        ("workflow", {"workflow": "nightly", "params": {"n": 1}}, ""),
        ("workflow", {"workflow": "nightly", "params": {"n": "${event.seq}"}}, ""),
        ("workflow", {"workflow": "${event.result}"}, ""),
        ("workflow", {"definition": {}}, ""),
        (
            "workflwo",
            {},
            "no node offers the skill 'workflwo' (did you mean 'workflow'?); its tasks wait until one does",
        ),
        ("workflow", {"workflow": "nihgtly"}, "there is no workflow 'nihgtly'; its tasks would fail now"),
        ("workflow", {"workflow": "nightly"}, "workflow 'nightly' needs 'n'; its tasks would fail now"),
        ("workflow", {"workflow": "nightly", "version": 7, "params": {"n": 1}}, "has no version 7"),
        ("workflow", {"workflow": "nightly", "params": {"n": "x"}}, "'n' takes a value of type integer, not 'x'"),
        ("workflow", {"workflow": "nothing", "params": {"n": "${event.seq}"}}, "there is no workflow 'nothing'"),
        ("workflow", {"workflow": "nothing", "params": [], "version": "x"}, "there is no workflow 'nothing'"),
    ],
)
async def test_what_is_missing_is_told(
    skill: str, params: dict[str, Any], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with Cluster([workflow_skill]) as cluster:
        await cluster.client.workflows.add(NIGHTLY)
        await note_missing(cluster.client, skill, params, "its tasks")
    said = capsys.readouterr().err
    assert told in said
    assert bool(said) is bool(told)
