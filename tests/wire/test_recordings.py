"""Old bytes are a promise: every commit that was ever recorded decodes and folds to what it did then."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from clawactors.app.upkeep.checking import differences, fields_of, state_of
from clawactors.eventlog import Record
from clawactors.kinds import DECODER
from tests.wire.recordings import (
    EVENTS_DIR,
    HISTORIES_DIR,
    fields_on_the_wire,
    folded,
    recorded_fields,
)


def read(path: Path) -> Any:
    """A recording."""
    return msgspec.json.decode(path.read_bytes())


def recordings(folder: Path) -> list[str]:
    """Their names."""
    return sorted(path.stem for path in folder.glob("*.json"))


def assert_holds(recorded: Any, now: Any) -> None:
    """All that was recorded is so now; a later release may know more."""
    assert not list(differences(recorded, now))


@pytest.mark.parametrize("kind", sorted(DECODER.codecs))
def test_every_tag_of_every_codec_has_a_recording(kind: str) -> None:
    missing = set(DECODER.codecs[kind].tags) - set(recordings(EVENTS_DIR))
    assert not missing, (
        f"add {missing} to EXAMPLES in tests/wire/examples.py, then run `python -m tests.wire.recordings`"
    )


@pytest.mark.parametrize("kind", sorted(DECODER.codecs))
def test_every_field_of_every_event_has_a_recording(kind: str) -> None:
    codec = DECODER.codecs[kind]
    missing = sorted(fields_on_the_wire(codec) - recorded_fields(codec))
    assert not missing, (
        f"no recorded event has a value in {missing}: add one to EXAMPLES in tests/wire/examples.py, then run "
        "`python -m tests.wire.recordings`"
    )


@pytest.mark.parametrize("tag", recordings(EVENTS_DIR))
def test_an_event_is_what_it_was_when_it_was_recorded(tag: str) -> None:
    kind = tag.partition(".")[0].replace("step", "task")  # steps are of tasks
    for recorded in read(EVENTS_DIR / f"{tag}.json"):
        body = recorded["body"].encode()
        (event,) = DECODER.codecs[kind].decode(body)
        assert_holds(recorded["event"], fields_of(event))
        if tag in DECODER.codecs[kind].tags:  # not retired: what is written is what was written
            assert DECODER.codecs[kind].encode((event,)) == body


@pytest.mark.parametrize("name", recordings(HISTORIES_DIR))
def test_a_history_leads_where_it_led_when_it_was_recorded(name: str) -> None:
    recorded = read(HISTORIES_DIR / f"{name}.json")
    records = [Record(**(each | {"body": each["body"].encode()})) for each in recorded["records"]]
    assert_holds(recorded["state"], state_of(folded(recorded["kind"], records)))


def test_a_recording_that_no_longer_holds_is_found() -> None:
    recorded = read(HISTORIES_DIR / "task-fast.json")["state"]
    for path, value in (("status", "failed"), ("attempt", 2), ("attempt", True), ("gone", 1)):
        wrong = recorded | {"life": recorded["life"] | {path: value}}
        with pytest.raises(AssertionError):
            assert_holds(wrong, recorded)
    with pytest.raises(AssertionError):
        assert_holds(recorded, recorded | {"journal": []})
    assert_holds(recorded, recorded | {"life": recorded["life"] | {"new": 1}})
