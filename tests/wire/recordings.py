"""Recorded commits: how they are read, and how new ones are made. What is recorded is a promise and never rewritten.

`python -m tests.wire.recordings` adds what `examples.py` has and no recording: events, further forms of an event,
histories.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from clawactors.app.upkeep.checking import fields_of, state_of
from clawactors.eventlog import Codec, Record
from clawactors.kernel.fold import Snapshot, fold
from clawactors.kinds import DECODER, KINDS
from tests.wire.examples import EXAMPLES, HISTORIES, SUBJECTS

type Field = tuple[str, str]
"""Of a struct: its name, and that of the field."""

__all__ = ["EVENTS_DIR", "HISTORIES_DIR", "fields_on_the_wire", "folded", "recorded_fields"]

EVENTS_DIR, HISTORIES_DIR = Path(__file__).parent / "events", Path(__file__).parent / "histories"
FIRST_NS = 1_800_000_000_000_000_000
STEP_NS = 250_000_000


def folded(kind: str, records: list[Record]) -> Snapshot[Any]:
    """The fold of the records."""
    known: Snapshot[Any] = Snapshot(KINDS[kind].decider.initial)
    for record in records:
        known = fold(KINDS[kind], known, record)
    return known


def fields_on_the_wire(codec: Codec[Any]) -> set[Field]:
    """The fields of all events of the codec, and of what stands in them."""
    found: dict[type, msgspec.inspect.StructType] = {}
    left: list[Any] = [msgspec.inspect.type_info(codec._event)]
    while left:
        match left.pop():
            case msgspec.inspect.Metadata(type=inner):
                left.append(inner)
            case msgspec.inspect.UnionType(types=types) | msgspec.inspect.TupleType(item_types=types):
                left += types
            case msgspec.inspect.CollectionType(item_type=inner):
                left.append(inner)
            case msgspec.inspect.StructType(cls=cls, fields=fields) as struct if cls not in found:
                found[cls] = struct
                left += (field.type for field in fields)
    return {(cls.__name__, field.name) for cls, struct in found.items() for field in struct.fields}


def recorded_fields(codec: Codec[Any]) -> set[Field]:
    """The fields that stand in the recorded events of the codec, or always have a value."""
    found: set[Field] = set()
    for tag in codec.tags:
        path = EVENTS_DIR / f"{tag}.json"
        for each in msgspec.json.decode(path.read_bytes()) if path.exists() else ():
            left: list[Any] = list(codec.decode(each["body"].encode()))
            while left:
                value = left.pop()
                if isinstance(value, list | tuple):
                    left += value
                elif isinstance(value, msgspec.Struct):
                    for field in msgspec.structs.fields(value):
                        held = getattr(value, field.name)
                        if field.required or held not in (field.default, _made(field)):
                            found.add((type(value).__name__, field.name))
                        left.append(held)
    return found


def _made(field: msgspec.structs.FieldInfo) -> Any:
    return field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()


def _new() -> Iterator[tuple[Path, list[dict[str, Any]] | dict[str, Any]]]:
    for tag, events in EXAMPLES.items():
        codec = next(codec for codec in DECODER.codecs.values() if tag in codec.tags)
        recording = [{"body": codec.encode((event,)).decode(), "event": fields_of(event)} for event in events]
        yield EVENTS_DIR / f"{tag}.json", recording
    for name, (kind, bodies) in HISTORIES.items():
        codec = DECODER.codecs[kind]
        subjects = SUBJECTS.get(name, ("log", "to.n1") * len(bodies))
        records = [
            Record(
                seq=10 * number + 3,
                at_ns=FIRST_NS + number * STEP_NS,
                subject=f"claw.{kind}.x-1.{subjects[number]}",
                body=body if isinstance(body, bytes) else codec.encode(body),
            )
            for number, body in enumerate(bodies)
        ]
        told = [
            {"seq": each.seq, "at_ns": each.at_ns, "subject": each.subject, "body": each.body.decode()}
            for each in records
        ]
        yield HISTORIES_DIR / f"{name}.json", {"kind": kind, "records": told, "state": state_of(folded(kind, records))}


if __name__ == "__main__":
    for path, recording in _new():
        if path.exists():
            there = msgspec.json.decode(path.read_bytes())
            bodies = [each["body"] for each in there] if isinstance(recording, list) else []
            more = [each for each in recording if isinstance(each, dict) and each["body"] not in bodies]
            if not more:
                continue
            recording = there + more
        path.write_bytes(msgspec.json.format(msgspec.json.encode(recording), indent=1) + b"\n")
        print(path)
