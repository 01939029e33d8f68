"""One decoder for all readers: it agrees with the rules of ids and subjects, and it never raises."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawactors.eventlog import Record, is_id, parse_subject
from clawactors.eventlog.nesting import DEPTH_MAX, is_too_deep
from clawactors.kinds import DECODER
from clawactors.systems.tasks import events as te

BODY = te.CODEC.encode((te.Started(), te.Completed(1)))


def decoded(subject: str, body: bytes = BODY) -> tuple[str, str, str]:
    commit = DECODER.decode(Record(1, 1, subject, body))
    return commit.kind, commit.id, commit.fault


@given(st.text(string.ascii_letters + string.digits + "_-.*> ü", max_size=12) | st.text(max_size=5))
def test_an_aggregate_is_named_by_proper_ids_alone(id: str) -> None:
    expected = ("task", id, "") if is_id(id) else None
    found = decoded(f"claw.task.{id}.log")
    assert found == expected or (expected is None and (found[2] == "malformed" or "." in id))


@pytest.mark.parametrize("subject", ["claw.task.t.log", "claw.task.t.to.n1"])
def test_subjects_of_commits_are_understood_as_they_were_made(subject: str) -> None:
    kind, id, to = parse_subject(subject) or ("", "", "?")
    commit = DECODER.decode(Record(1, 1, subject, BODY))
    assert (commit.kind, commit.id, commit.to) == (kind, id, to)
    assert commit.events == (te.Started(), te.Completed(1))


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("claw.task.t.what.ever", ("task", "t", "malformed")),
        ("claw.task.t.from.n1.x", ("task", "t", "malformed")),
        ("claw.task.t.from", ("task", "t", "malformed")),
        ("claw.task.t", ("task", "", "malformed")),
        ("claw.task", ("task", "", "malformed")),
        ("claw.mood.x.log", ("mood", "x", "future")),
        ("claw.mood", ("", "", "malformed")),
        ("other.task.t.log", ("task", "", "malformed")),
        ("claw.task." + "x" * 129 + ".log", ("task", "", "malformed")),
        ("", ("", "", "malformed")),
    ],
)
def test_odd_subjects(subject: str, expected: tuple[str, str, str]) -> None:
    assert decoded(subject) == expected


@given(st.binary(max_size=40))
def test_any_body_is_a_commit_or_a_fault(body: bytes) -> None:
    commit = DECODER.decode(Record(1, 1, "claw.task.t.log", body))
    assert bool(commit.events) != bool(commit.fault)
    assert bool(commit.fault) == bool(commit.reason)


def test_a_newer_event_and_a_newer_envelope_are_of_the_future() -> None:
    for body in (b'{"v":1,"events":[{"type":"task.levitated"}]}', b'{"v":2,"events":[{"type":"task.started"}]}'):
        assert decoded("claw.task.t.log", body)[2] == "future"


def nested(depth: int, text: str = "") -> bytes:
    inner = "[" * depth + f'"{text}"' + "]" * depth
    return f'{{"v":1,"events":[{{"type":"task.completed","result":{inner}}}]}}'.encode()


@pytest.mark.parametrize("text", ["", "[" * 3000, "]" * 3000, '[{\\"[' * 1000, "[]" * 5000])
def test_what_is_nested_deeper_than_anybody_can_surely_decode_is_malformed(text: str) -> None:
    assert decoded("claw.task.t.log", nested(DEPTH_MAX - 3, text))[2] == ""
    assert decoded("claw.task.t.log", nested(DEPTH_MAX - 2, text))[2] == "malformed"
    assert decoded("claw.task.t.log", nested(9_993, text))[2] == "malformed"


def test_many_brackets_side_by_side_are_no_depth() -> None:
    body = te.CODEC.encode((te.Completed([{"n": [n, "]}"]} for n in range(5000)]),))
    assert decoded("claw.task.t.log", body)[2] == ""


@given(st.binary(max_size=3000))
def test_depth_is_told_of_any_bytes(body: bytes) -> None:
    is_too_deep(body + b"[" * 600)
