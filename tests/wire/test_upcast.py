"""A changed event gets a new tag and an upcast from the old one: shown with a made-up event of three releases."""

from typing import Any

import msgspec
import pytest

from clawactors.eventlog import Codec, FromTheFuture, Malformed


class Painted(msgspec.Struct, frozen=True, tag="wall.painted_in"):
    """Third release: a colour by its parts."""

    red: int
    green: int
    blue: int


class Cleaned(msgspec.Struct, frozen=True, tag="wall.cleaned"):
    """Never changed."""

    by: str = ""


NAMED = {"red": "#ff0000", "white": "#ffffff"}


def from_name(event: dict[str, Any]) -> dict[str, Any]:
    """First release: `{"type":"wall.painted","colour":"red"}`."""
    return {"type": "wall.painted_hex", "hex": NAMED[event["colour"]]}


def from_hex(event: dict[str, Any]) -> dict[str, Any]:
    """Second release: `{"type":"wall.painted_hex","hex":"#ff0000"}`."""
    red, green, blue = bytes.fromhex(event["hex"].removeprefix("#"))
    return {"type": "wall.painted_in", "red": red, "green": green, "blue": blue}


CODEC: Codec[Painted | Cleaned] = Codec(
    Painted | Cleaned, upcasts={"wall.painted": from_name, "wall.painted_hex": from_hex}
)


def commit(*events: str) -> bytes:
    """The body of a commit as an old release wrote it."""
    return ('{"v":1,"events":[' + ",".join(events) + "]}").encode()


@pytest.mark.parametrize(
    "old",
    [
        '{"type":"wall.painted","colour":"red"}',
        '{"type":"wall.painted_hex","hex":"#ff0000"}',
        '{"type":"wall.painted_in","red":255,"green":0,"blue":0}',
    ],
)
def test_an_event_of_every_release_is_the_same_event_now(old: str) -> None:
    assert CODEC.decode(commit(old)) == (Painted(255, 0, 0),)


def test_old_and_new_events_in_one_commit_keep_their_order() -> None:
    body = commit(
        '{"type":"wall.cleaned","by":"ada"}', '{"type":"wall.painted","colour":"white"}', '{"type":"wall.cleaned"}'
    )
    assert CODEC.decode(body) == (Cleaned("ada"), Painted(255, 255, 255), Cleaned())
    assert CODEC.decode(body) == CODEC.decode(body)


def test_a_retired_tag_is_read_and_never_written() -> None:
    assert CODEC.tags == {"wall.painted_in", "wall.cleaned"}
    assert CODEC.encode(CODEC.decode(commit('{"type":"wall.painted","colour":"red"}'))) == commit(
        '{"type":"wall.painted_in","red":255,"green":0,"blue":0}'
    )


@pytest.mark.parametrize(
    "bad",
    [
        '{"type":"wall.painted"}',
        '{"type":"wall.painted","colour":"no such"}',
        '{"type":"wall.painted","colour":[]}',
        '{"type":"wall.painted_hex","hex":"#ff00"}',
        '{"type":"wall.painted_hex","hex":"zz"}',
        '{"type":"wall.painted_in","red":"255"}',
    ],
)
def test_an_old_event_that_was_never_right_is_malformed(bad: str) -> None:
    with pytest.raises(Malformed):
        CODEC.decode(commit(bad))


def test_beside_an_old_event_one_of_a_later_release_still_freezes() -> None:
    with pytest.raises(FromTheFuture, match=r"wall\.moved"):
        CODEC.decode(commit('{"type":"wall.painted","colour":"red"}', '{"type":"wall.moved"}'))
