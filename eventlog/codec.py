"""Events to bytes and back: the commit envelope, one deterministic decoder for all readers, upcasts for old events.

1. A body is `{"v":1,"events":[{"type":…}, …]}` with at least one event.
2. Decoding the same bytes gives the same events, or the same refusal, in every reader.
3. A released tag can always be decoded: a changed event gets a new tag and an upcast from the old one.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from clawactors.eventlog.errors import FromTheFuture, Malformed
from clawactors.eventlog.nesting import DEPTH_MAX, is_too_deep

__all__ = ["ENVELOPE_VERSION", "UNREADABLE", "Codec", "Upcast"]

ENVELOPE_VERSION: Final = 1

UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What decoding raises for bytes that are not what they should be."""

type Upcast = Callable[[dict[str, Any]], dict[str, Any]]
"""An old event as plain JSON → the same event one release newer, as plain JSON (its `type` included)."""


class _Head(msgspec.Struct):
    type: str


class _Shape(msgspec.Struct):
    v: int
    events: list[dict[str, Any]]


class Codec[E]:
    """The events of one kind of aggregate: `events` is the union of their tagged structs.

    `upcasts` maps a retired tag to the function that turns such an event into its successor.
    """

    def __init__(self, events: Any, upcasts: Mapping[str, Upcast] | None = None) -> None:
        self._upcasts = dict(upcasts or {})
        members = getattr(events, "__args__", (events,))
        self.tags: frozenset[str] = frozenset(member.__struct_config__.tag for member in members)
        self._event = events
        envelope = msgspec.defstruct("Envelope", [("v", int), ("events", tuple[events, ...])])
        self._decode_envelope = msgspec.json.Decoder(envelope).decode
        self._encoder = msgspec.json.Encoder()

    def encode(self, events: tuple[E, ...]) -> bytes:
        """The body of a commit that holds these events, in this order."""
        return self._encoder.encode({"v": ENVELOPE_VERSION, "events": events})

    def encode_apart(self, events: tuple[E, ...], bare: Callable[[E], E]) -> tuple[bytes, ...]:
        """The body in parts: plain, personal, plain and so on; one part where nothing in it is personal.

        `bare(event)` is the event without what is personal. Joined, the parts are a body that decodes to these events:
        a personal member comes after the bare one of the same name, and of equal names the last one counts.
        """
        encode = self._encoder.encode
        parts: list[bytes] = []
        plain = b'{"v":%d,"events":[' % ENVELOPE_VERSION
        for place, event in enumerate(events):
            plain += b"," if place else b""
            without = bare(event)
            personal = {} if without is event else _difference(event, without)
            plain += encode(without)
            if personal:
                parts += (plain[:-1] + b",", encode(personal)[1:-1])
                plain = b"}"
        return (*parts, plain + b"]}")

    def decode(self, body: bytes) -> tuple[E, ...]:
        """The events of a commit's body.

        Raises: `Malformed` when it is not a commit; `FromTheFuture` when a later release wrote it.
        """
        if len(body) > DEPTH_MAX and is_too_deep(body):
            raise Malformed(f"not a commit: nested deeper than {DEPTH_MAX} levels")
        try:
            envelope: Any = self._decode_envelope(body)
        except UNREADABLE as error:
            return self._decode_slowly(body, error)
        if envelope.v != ENVELOPE_VERSION or not envelope.events:
            return self._decode_slowly(body, Malformed("a commit holds at least one event"))
        events: tuple[E, ...] = envelope.events
        return events

    def _decode_slowly(self, body: bytes, cause: Exception) -> tuple[E, ...]:
        """Decodes what the fast path refused: an old event, one of a later release, or garbage."""
        try:
            shape = msgspec.json.decode(body, type=_Shape)
            tags = [msgspec.convert(event, _Head).type for event in shape.events]
        except UNREADABLE as error:
            raise Malformed(f"not a commit: {error}") from None
        if shape.v > ENVELOPE_VERSION:
            raise FromTheFuture(f"envelope version {shape.v}, this release reads up to {ENVELOPE_VERSION}")
        if shape.v < ENVELOPE_VERSION or not shape.events:
            raise Malformed(f"not a commit: envelope version {shape.v}, {len(shape.events)} events")
        unknown = [tag for tag in tags if tag not in self.tags and tag not in self._upcasts]
        if unknown:
            raise FromTheFuture(f"event type {unknown[0]!r} is not known to this release")
        try:
            return tuple(self._convert(event) for event in shape.events)
        except Exception as error:  # an upcast trusts its tag, but bytes published by hand may not fit it
            raise Malformed(f"not a commit: {type(error).__name__}: {error}") from cause

    def _convert(self, event: dict[str, Any]) -> E:
        for _ in self._upcasts:  # each upcast applies once, so a cycle of upcasts ends too
            if (upcast := self._upcasts.get(event["type"])) is None:
                break
            event = upcast(event)
        converted: E = msgspec.convert(event, self._event)
        return converted


def _difference(event: Any, other: Any) -> dict[str, Any]:
    """The members of the event, by their names on the wire, that are not equal in the other."""
    names = zip(event.__struct_fields__, event.__struct_encode_fields__, strict=True)
    return {wire: value for name, wire in names if (value := getattr(event, name)) != getattr(other, name)}
