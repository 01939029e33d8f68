"""Commands from people and other programs: made whole, or refused with what is wrong."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from clawactors.kernel.errors import Refused
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.external import edit_of, signal_of
from clawactors.systems.tasks.kind import TASKS
from clawactors.systems.tasks.payload import INLINE_MAX_BYTES, Encoded, reference
from clawactors.systems.tasks.submission import spec_of
from tests.clawactors.systems.tasks.vocabulary import given
from tests.spec import SECOND

NAME = b"0123456789abcdef" * 4
KEPT = reference(NAME.decode(), 7)
SPEC = spec_of("copy", {"n": 1}, tags=["a"], priority="high", after=["t-0"])


@pytest.mark.parametrize(
    ("body", "command"),
    [
        (b'{"type":"task.cancel"}', c.Cancel("nats")),
        (b'{"type":"task.cancel","by":"ada"}', c.Cancel("ada")),
        (b'{"type":"task.pause"}', c.Pause("nats")),
        (b'{"type":"task.resume"}', c.Resume()),
        (b'{"type":"task.retry"}', c.RetryTask("nats", 7)),
        (b'{"type":"task.retry","deadline":"1970-01-01T00:00:09Z"}', c.RetryTask("nats", 7, 9 * SECOND)),
        (b'{"type":"task.delete"}', c.Delete("nats")),
        (b'{"type":"task.signal","name":"go"}', c.Signal("go")),
        (b'{"type":"task.signal","name":"go","payload":[1,{"a":null}]}', c.Signal("go", [1, {"a": None}])),
        (b'{"type":"task.signal","name":"go","payload":{"$blob":"%s","bytes":7}}' % NAME, c.Signal("go", KEPT)),
    ],
)
def test_a_command_from_outside_is_one_of_ours(body: bytes, command: c.TaskCommand) -> None:
    assert TASKS.read_command(body, "nats", 7).command == command
    named = body[:-1] + b',"id":"once"}'
    read = TASKS.read_command(named, "nats", 7)
    assert (read.command, read.id) == (command, "once")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"cancel",
        b"{}",
        b"null",
        b'{"type":"task.start"}',
        b'{"type":"task.completed","result":1}',
        b'{"type":"task.cancel","id":7}',
        b'{"type":"task.cancel","id":"a\\nb"}',
        b'{"type":"task.cancel","why":"?"}',
        b'{"type":"task.retry","deadline":"tomorrow"}',
        b'{"type":"task.retry","deadline":7}',
        b'{"type":"task.signal"}',
        b'{"type":"task.signal","name":""}',
        b'{"type":"task.signal","name":"a\\u0000"}',
        b'{"type":"task.signal","name":"go","payload":{"$blob":"by chance"}}',
        b'{"type":"task.cancel"}{"type":"task.cancel"}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_what_is_no_command_is_refused(body: bytes) -> None:
    with pytest.raises(Refused):
        TASKS.read_command(body, "nats", 7)


def nested(levels: int) -> Any:
    return [nested(levels - 1)] if levels else 1


@pytest.mark.parametrize(
    "payload", [object(), {1, 2, object()}, "\ud800", float("nan"), {"a": [float("inf")]}, nested(600)]
)
def test_a_signal_is_json(payload: Any) -> None:
    with pytest.raises(Refused, match="payload"):
        signal_of("go", payload)


def test_a_signal_says_what_the_log_will_give_back() -> None:
    assert signal_of("go", (1, 2)) == c.Signal("go", [1, 2])


def test_an_edit_leaves_what_is_not_named() -> None:
    edit = edit_of(SPEC, {"priority": "low", "params": {"n": 2}})
    assert edit.spec == replace(SPEC, priority=1, params={"n": 2})
    with pytest.raises(Refused, match="no 'colour'"):
        edit_of(SPEC, {"colour": "red"})
    with pytest.raises(Refused, match="priority"):
        edit_of(SPEC, {"priority": "soon"})


def test_an_edit_leaves_parameters_that_are_kept_by_reference() -> None:
    kept = replace(SPEC, params=reference("a" * 64, 300_000))
    edit = edit_of(kept, {"priority": "low"})
    assert edit.spec == replace(kept, priority=1)
    assert type(edit.spec.params) is dict


def test_two_edits_at_once_do_not_undo_each_other() -> None:
    submitted = e.Submitted(skill="copy", params={"n": 1})
    first, second = edit_of(submitted, {"priority": "low"}), edit_of(submitted, {"tags": ["b"]})
    change = e.Edited(skill="copy", params={"n": 1}, priority=1)
    given(submitted).when(first).then(change)
    edited = given(submitted, change)
    edited.when(second).refused("somebody else has edited its priority meanwhile")
    edited.when(first).quietly()


@pytest.mark.parametrize("payload", ["x" * INLINE_MAX_BYTES, {"$blob": "what code calls so"}], ids=["large", "alike"])
def test_a_payload_that_has_to_go_by_reference_comes_encoded(payload: Any) -> None:
    assert signal_of("go", payload) == c.Signal("go", Encoded(msgspec.json.encode(payload)))
