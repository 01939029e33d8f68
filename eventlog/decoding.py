"""A stored record as every reader sees it: its aggregate, and its events or what is wrong with it.

1. Every message under `claw.<kind>.<id>.>` belongs to that aggregate and counts as a version of it. Its events count
   only under `.log`, `.to.<node>` and `.from.<node>`, which say who wrote.
2. The same record gives the same commit in every reader. Decoding never raises, so no reader stops.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec

from clawactors.eventlog.codec import Codec
from clawactors.eventlog.errors import FromTheFuture, Malformed
from clawactors.eventlog.record import ADDRESSED, LOG, ROOT, WRITTEN, Record

__all__ = ["Commit", "Decoder", "Fault"]

_AGGREGATE = re.compile(
    rf"{ROOT}\.([^.]+)\.([A-Za-z0-9_-]{{1,128}})\.({LOG}\Z|(?:{ADDRESSED}|{WRITTEN})\.[^.]+\Z)?"
).match
"""Kind, id and the rest of a subject, with the characters of `is_id`; one match is twice as fast as splitting."""

_FORMS = 10_000
_WRITTEN, _WRITER_AT = WRITTEN[0], len(WRITTEN) + 1

type Fault = Literal["", "malformed", "future"]
"""`malformed`: not a commit, skipped. `future`: a later release wrote it, so its aggregate is frozen here."""


class Commit(msgspec.Struct, frozen=True, gc=False):
    """The events of one record, none if it has a `fault`. `id` is '' if the subject names no aggregate.

    `writer` is as `writer_of` has it.
    """

    record: Record
    kind: str
    id: str
    events: tuple[Any, ...] = ()
    fault: Fault = ""
    reason: str = ""
    writer: str = ""

    @property
    def to(self) -> str:
        """The addressee, '' for none."""
        parts = self.record.subject.split(".")
        return parts[4] if len(parts) == 5 and parts[3] == ADDRESSED else ""


class Decoder:
    """Decodes the records of several kinds of aggregates; `codecs` by kind."""

    def __init__(self, codecs: Mapping[str, Codec[Any]]) -> None:
        self.codecs = dict(codecs)
        self._decode = {kind: codec.decode for kind, codec in codecs.items()}

    def decoder_of(self, kind: str) -> Callable[[Record, str], Commit]:
        """As `decode`, for records under `claw.<kind>.<id>.`; quick where those of an id follow each other."""
        decode, whole, start = self._decode[kind], self.decode, len(f"{ROOT}.{kind}..")
        writers: dict[str, str] = {}
        """By what comes behind the id: a node has two, and others are not met again."""
        proper = ""

        def decode_of(record: Record, id: str) -> Commit:
            nonlocal proper
            form = record.subject[start + len(id) :]
            writer = writers.get(form)
            if writer is None or id != proper:
                named = _AGGREGATE(record.subject)
                if named is None or named[3] is None:
                    return whole(record)
                proper = id
                writer = form[_WRITER_AT:] if form[0] == _WRITTEN else ""
                if len(writers) < _FORMS:
                    writers[form] = writer
            try:
                return Commit(record, kind, id, decode(record.body), "", "", writer)
            except (Malformed, FromTheFuture):
                return whole(record)

        return decode_of

    def decode(self, record: Record) -> Commit:
        """The commit that the record holds."""
        named = _AGGREGATE(record.subject)
        if named is None:
            parts = record.subject.split(".", 2)
            kind = parts[1] if len(parts) > 1 and parts[1] in self.codecs else ""
            return Commit(record, kind, "", fault="malformed", reason="the subject names no aggregate")
        kind, id, form = named.groups()
        decode = self._decode.get(kind)
        if decode is None:
            return Commit(record, kind, id, fault="future", reason="its kind is not known to this release")
        if form is None:  # nobody is entitled to such a subject, so it must not count as written by control
            return Commit(record, kind, id, fault="malformed", reason="the subject says not who wrote it")
        writer = form[_WRITER_AT:] if form[0] == _WRITTEN else ""
        try:
            return Commit(record, kind, id, decode(record.body), "", "", writer)
        except Malformed as error:
            return Commit(record, kind, id, fault="malformed", reason=str(error), writer=writer)
        except FromTheFuture as error:
            return Commit(record, kind, id, fault="future", reason=str(error), writer=writer)
