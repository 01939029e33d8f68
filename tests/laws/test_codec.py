"""Laws of the codecs: what is written comes back, equal bytes give equal events, and only two errors come out."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from clawactors.eventlog import FromTheFuture, Malformed
from tests.laws.strategies import CODECS, EVENTS, JSON, bodies, event_types, nearly, structs

SETTINGS = settings(max_examples=40, deadline=None)
KINDS = sorted(CODECS)


@pytest.mark.parametrize(("kind", "event_type"), [(kind, each) for kind in KINDS for each in event_types(kind)])
def test_every_event_comes_back_as_it_was(kind: str, event_type: type) -> None:
    codec = CODECS[kind]

    @SETTINGS
    @given(structs(event_type))
    def comes_back(event: object) -> None:
        body = codec.encode((event,))
        (again,) = codec.decode(body)
        assert again == event
        assert type(again) is event_type
        assert codec.encode((again,)) == body

    comes_back()


@pytest.mark.parametrize("kind", KINDS)
def test_commits_keep_their_events_in_order(kind: str) -> None:
    @SETTINGS
    @given(st.lists(EVENTS[kind], min_size=1, max_size=5))
    def in_order(events: list[object]) -> None:
        assert CODECS[kind].decode(CODECS[kind].encode(tuple(events))) == tuple(events)

    in_order()


def outcome(kind: str, body: bytes) -> object:
    """The events, or which of the two errors and why. Anything else is a bug."""
    try:
        return CODECS[kind].decode(body)
    except (Malformed, FromTheFuture) as error:
        return type(error), str(error)


def deeply(kind: str, body: bytes, depth: int) -> object:
    """The outcome for a reader whose stack is deep already."""
    return deeply(kind, body, depth - 1) if depth else outcome(kind, body)


@pytest.mark.parametrize("kind", KINDS)
def test_any_bytes_decode_or_are_told_from_the_future_and_from_garbage(kind: str) -> None:
    @SETTINGS
    @given(st.binary(max_size=60) | JSON.map(CODECS["task"]._encoder.encode) | nearly(kind) | bodies(kind))
    @example(b"")
    @example(b"[" * 900_000)
    @example(b'{"v":1,"events":[' + b'{"type":"x","a":' * 200_000)
    @example(b'{"v":1,"events":[{"type":"task.submitted","skill":"x","params":{"a":' + b"9" * 900_000 + b"}}]}")
    @example(
        b'{"v":1,"events":[{"type":"task.submitted","skill":"x","params":{"a":' + b"[" * 300 + b"]" * 300 + b"}}]}"
    )
    def decodes_or_tells(body: bytes) -> None:
        first = outcome(kind, body)
        assert outcome(kind, body) == first
        assert deeply(kind, body, 200) == first

    decodes_or_tells()


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b'{"v":1,"events":[]}', Malformed),
        (b'{"v":0,"events":[{"type":"task.started"}]}', Malformed),
        (b'{"v":-1,"events":[{"type":"task.started"}]}', Malformed),
        (b'{"v":2,"events":[{"type":"task.started"}]}', FromTheFuture),
        (b'{"v":1,"events":[{"type":"task.invented"}]}', FromTheFuture),
        (b'{"v":1,"events":[{"type":"task.started"},{"type":"task.invented"}]}', FromTheFuture),
        (b'{"v":1,"events":[{"type":"task.started"},{}]}', Malformed),
        (b'{"v":1,"events":[{"type":"task.scheduled"}]}', Malformed),
        (b'{"v":1,"events":{"type":"task.started"}}', Malformed),
        (b'{"events":[{"type":"task.started"}]}', Malformed),
        (b'{"v":1,"events":[{"type":"task.submitted","skill":"x","priority":5}]}', Malformed),
        (b'{"v":1,"events":[{"type":"task.submitted","skill":"x","not_before_ns":9223372036854775808}]}', Malformed),
        (b'{"v":1,"events":[{"type":"task.waiting","for":"timer","until_ns":-1}]}', Malformed),
        (
            b'{"v":1,"events":[{"type":"task.attempt_failed","error":{"class":"x","message":""},"then":"again"}]}',
            Malformed,
        ),
    ],
)
def test_old_new_and_garbage_are_told_apart(body: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        CODECS["task"].decode(body)


def test_what_a_later_release_adds_to_an_event_is_passed_over() -> None:
    (event,) = CODECS["task"].decode(b'{"v":1,"w":2,"events":[{"type":"task.returned","reason":"full","later":[1]}]}')
    assert event.reason == "full"
