"""What goes into the log (`Draft`) and what comes out (`Record`).

1. An aggregate is `<kind>/<id>`; its messages live under `claw.<kind>.<id>.>`.
2. Its version is the log sequence of its last message, 0 when it has none.
3. The time of a record is the log's time, never a reader's clock.
"""

import re
from functools import lru_cache

import msgspec

__all__ = [
    "ADDRESSED",
    "LOG",
    "ROOT",
    "WRITTEN",
    "Draft",
    "Record",
    "aggregate_pattern",
    "is_aggregate_pattern",
    "is_id",
    "parse_subject",
    "purged_aggregate",
    "subject_of",
    "writer_of",
]

ROOT = "claw"
LOG = "log"
ADDRESSED = "to"
WRITTEN = "from"
_WRITTEN = f".{WRITTEN}."

_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


def is_id(text: str) -> bool:
    """True if the id is safe as a subject token."""
    return _ID.fullmatch(text) is not None


def subject_of(kind: str, id: str, to: str = "", writer: str = "") -> str:
    """The subject that a commit of this aggregate is stored under.

    `writer` is who wrote it, "" for the process that owns the kind; `to` is the addressee, "" for none.
    """
    if writer:
        return f"{ROOT}.{kind}.{id}.{WRITTEN}.{writer}"
    return f"{ROOT}.{kind}.{id}.{ADDRESSED}.{to}" if to else f"{ROOT}.{kind}.{id}.{LOG}"


def aggregate_pattern(kind: str, id: str) -> str:
    """The one filter string that guards and reads an aggregate (the guard compares it literally)."""
    return f"{ROOT}.{kind}.{id}.>"


def is_aggregate_pattern(pattern: str) -> bool:
    """True for what `aggregate_pattern` gives: all of one aggregate, and nothing else."""
    tokens = pattern.split(".")
    return len(tokens) == 4 and tokens[0] == ROOT and tokens[3] == ">" and "*" not in tokens[1:3]


def writer_of(subject: str) -> str:
    """The writer that the server lets write to this subject, of commits or output; "" where it names none."""
    if _WRITTEN not in subject:  # most are not, and this is asked of every record
        return ""
    parts = subject.split(".")
    return parts[-1] if len(parts) > 4 and parts[-2] == WRITTEN else ""


def purged_aggregate(kind: str, id: str, before: int) -> str:
    """`kind/id` of an aggregate to purge. Raises: `ValueError` for what could name others too, or all of it."""
    if not is_id(kind) or not is_id(id) or before < 1:
        raise ValueError(f"not an aggregate and a sequence to purge: {kind!r}, {id!r}, {before}")
    return f"{kind}/{id}"


def parse_subject(subject: str) -> tuple[str, str, str] | None:
    """`(kind, id, to)` of a commit's subject, or None if the subject has another form."""
    parts = subject.split(".")
    match len(parts):
        case 4 if parts[3] == LOG:
            return parts[1], parts[2], ""
        case 5 if parts[3] == ADDRESSED:
            return parts[1], parts[2], parts[4]
        case 5 if parts[3] == WRITTEN:
            return parts[1], parts[2], ""
        case _:
            return None


class Draft(msgspec.Struct, frozen=True, gc=False):
    """A commit about to be appended: encoded events of one aggregate and who caused them.

    `commit` identifies the append: a repeated draft with the same name is recognised in the log.
    `answers` lists the ids of the commands that this commit carries out, none of which contains white space.
    Where some of it is personal, `owner` is the id of whose it is, and `parts` are the body in parts: plain, personal,
    plain and so on. A log that seals stores the personal ones sealed with the `key` that it then names.
    """

    kind: str
    id: str
    body: bytes
    commit: str
    to: str = ""
    writer: str = ""
    by: str = ""
    cause: str = ""
    answers: tuple[str, ...] = ()
    owner: str = ""
    parts: tuple[bytes, ...] = ()
    key: str = ""

    @property
    def subject(self) -> str:
        """The subject that it will be stored under."""
        return subject_of(self.kind, self.id, self.to, self.writer)

    @property
    def aggregate(self) -> str:
        """`kind/id`, for messages to people."""
        return f"{self.kind}/{self.id}"


@lru_cache(maxsize=64)
def _header_key(name: str) -> bytes:
    return b"\r\n" + name.encode() + b":"


class Record(msgspec.Struct, frozen=True, gc=False):
    """One stored message. `headers` are the raw NATS header bytes, read only when asked for."""

    seq: int
    at_ns: int
    subject: str
    body: bytes
    headers: bytes = b""

    def header(self, name: str) -> str:
        """The value of a header, or '' when it is absent."""
        headers, key = self.headers, _header_key(name)
        start = headers.find(key)
        if start < 0:
            return ""
        start += len(key)
        end = headers.find(b"\r\n", start)
        return str(headers[start:end] if end >= 0 else headers[start:], "utf-8", "replace").strip()

    @property
    def commit(self) -> str:
        """The name that the appender gave this commit, '' for messages published by hand."""
        return self.header("Claw-Commit")

    @property
    def expected(self) -> int:
        """The version that this commit was appended on, -1 for messages published by hand."""
        value = self.header("Nats-Expected-Last-Subject-Sequence")
        return int(value) if value.isdecimal() and len(value) < 20 else -1

    @property
    def by(self) -> str:
        """Who appended it, as `role/name`."""
        return self.header("Claw-By")

    @property
    def cause(self) -> str:
        """The commit or command that caused this one."""
        return self.header("Claw-Cause")

    @property
    def answers(self) -> tuple[str, ...]:
        """The ids of the commands that it carries out, maybe none."""
        return tuple(self.header("Claw-Answers").split())
