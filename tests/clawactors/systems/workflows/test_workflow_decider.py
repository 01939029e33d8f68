"""The numbered rules of workflows, as sentences."""

from typing import Any

import msgspec
import pytest

from clawactors.kernel.errors import Refused
from clawactors.systems.workflows import WORKFLOW, Workflow
from clawactors.systems.workflows import commands as c
from clawactors.systems.workflows import events as e
from clawactors.systems.workflows.kind import WORKFLOWS
from tests.spec import spec

given = spec(WORKFLOW)

ONE: dict[str, Any] = {"workflow": "w", "steps": [{"id": "a", "value": 1}]}
TWO: dict[str, Any] = {"workflow": "w", "steps": [{"id": "a", "value": 2}]}


def added(version: int, definition: dict[str, Any]) -> e.WorkflowAdded:
    return e.WorkflowAdded(version=version, definition=definition)


def test_1_a_changed_definition_is_a_new_version_and_the_same_one_changes_nothing() -> None:
    given().when(c.AddWorkflow(ONE)).then(added(1, ONE))
    given(added(1, ONE)).when(c.AddWorkflow(dict(reversed(ONE.items())))).then()
    given(added(1, ONE)).when(c.AddWorkflow(TWO)).then(added(2, TWO))
    given(added(1, ONE), added(2, TWO)).when(c.AddWorkflow(ONE)).then(added(3, ONE))


def test_1_what_json_tells_apart_is_another_definition() -> None:
    true = {"workflow": "w", "steps": [{"id": "a", "value": True}]}
    given(added(1, ONE)).when(c.AddWorkflow(true)).then(added(2, true))


def test_2_versions_are_counted_on_after_a_removal_and_stay_readable() -> None:
    removed = e.WorkflowRemoved()
    given(added(1, ONE)).when(c.RemoveWorkflow()).then(removed)
    given().when(c.RemoveWorkflow()).refused("there is no such workflow")
    given(added(1, ONE), removed).when(c.RemoveWorkflow()).refused("there is no such workflow")
    given(added(1, ONE), removed).when(c.AddWorkflow(ONE)).then(added(2, ONE))
    state = Workflow()
    for event in (added(1, ONE), added(2, TWO), removed):
        state = WORKFLOW.evolve(state, event, 7)
    assert not state.exists
    assert [state.find(number) and state.find(number).definition for number in (1, 2, None)] == [ONE, TWO, TWO]  # type: ignore[union-attr]
    assert [state.find(number) for number in (0, 3)] == [None, None]


def test_a_version_that_does_not_follow_changes_nothing() -> None:
    state = WORKFLOW.evolve(Workflow(), added(1, ONE), 1)
    assert WORKFLOW.evolve(state, added(3, TWO), 2) is state
    assert WORKFLOW.evolve(state, added(1, TWO), 2) is state


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        ({"workflow": "w"}, "missing required field `steps`"),
        ({"workflow": "w", "steps": []}, "of length >= 1"),
        ({**ONE, "from_later": 1}, "unknown field `from_later`"),
        ({"workflow": "w", "steps": [{"id": "a b", "value": 1}]}, "matching regex"),
        ({**ONE, "description": "x" * 5000}, "more than 4096 go by reference"),
        ({"$blob": "x", "bytes": 1}, "no SHA-256"),
    ],
)
def test_what_another_program_adds_is_checked(definition: dict[str, Any], words: str) -> None:
    with pytest.raises(Refused, match=words):
        WORKFLOWS.read_command(msgspec.json.encode({"type": "workflow.add", "definition": definition}), "x", 1)


def test_another_program_adds_and_removes() -> None:
    body = msgspec.json.encode({"type": "workflow.add", "definition": ONE})
    assert WORKFLOWS.read_command(body, "x", 1).command == c.AddWorkflow(ONE, "x")
    reference = {"$blob": "0" * 64, "bytes": 5000}
    body = msgspec.json.encode({"type": "workflow.add", "definition": reference})
    assert WORKFLOWS.read_command(body, "x", 1).command == c.AddWorkflow(reference, "x")
    assert WORKFLOWS.read_command(b'{"type":"workflow.remove"}', "x", 1).command == c.RemoveWorkflow("x")
