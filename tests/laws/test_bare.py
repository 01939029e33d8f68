"""What is erased of an event: it still decodes, and leads where the event led, without a word of it."""

from typing import Any

import msgspec
import pytest

from clawactors.kinds import KINDS
from clawactors.systems.tasks import TASK
from clawactors.systems.tasks.kind import TASKS
from clawactors.systems.tasks.spec import Spec
from tests.wire.examples import EXAMPLES, HISTORIES

SECRETS = ("move it", "ein Gerät", "no route to host", "deploy?", "as we said", "the port is 49222", "a note")


@pytest.mark.parametrize("tag", sorted(EXAMPLES))
def test_the_parts_of_a_body_decode_to_its_events_and_the_plain_ones_to_bare_events(tag: str) -> None:
    kind = next(each for each in KINDS if tag in each.codec.tags)
    for event in EXAMPLES[tag]:
        parts = kind.codec.encode_apart((event, event), kind.bare)
        assert kind.codec.decode(b"".join(parts)) == (event, event)
        plain = b'"erased":true'.join(parts[::2])
        without = kind.codec.decode(plain)
        assert [_unmarked(each) for each in without] == 2 * [_unmarked(kind.bare(event))]
        assert not any(word.encode() in plain for word in SECRETS), plain


def _unmarked(event: Any) -> Any:
    return msgspec.structs.replace(event, erased=False) if isinstance(event, Spec) else event


@pytest.mark.parametrize("name", sorted(name for name, (kind, _) in HISTORIES.items() if kind == TASKS.name))
def test_bare_events_lead_a_task_through_the_same_states(name: str) -> None:
    whole, bare = TASK.initial, TASK.initial
    for number, body in enumerate(HISTORIES[name][1]):
        for event in () if isinstance(body, bytes) else body:
            whole, bare = TASK.evolve(whole, event, number), TASK.evolve(bare, TASKS.bare(event), number)
            assert (bare.life.status, bare.life.attempt) == (whole.life.status, whole.life.attempt)
