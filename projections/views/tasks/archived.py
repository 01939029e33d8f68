"""Tasks whose history has moved to the archive, newest first; and those whose history may move next."""

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

import msgspec

from clawactors.kernel.time import iso
from clawactors.projections.engine.faults import frozen_of
from clawactors.projections.engine.index import PrefixWalk, newest
from clawactors.projections.engine.keys import LAST, PLACE_BYTES, number, place, term
from clawactors.projections.engine.pages import cursor_key, mark_of, page
from clawactors.projections.engine.questions import QueryContext, QuestionHandler, ViewQuestion
from clawactors.projections.engine.store import Reading
from clawactors.projections.engine.tally import sums
from clawactors.projections.views.tasks import table as t
from clawactors.projections.views.tasks.lists import STATUS
from clawactors.projections.views.tasks.times import between
from clawactors.runtime.control.ports import Archivable
from clawactors.systems.tasks import FINAL

__all__ = ["ARCHIVE_QUESTIONS", "ArchivedQuestion", "ArchivesQuestion", "archivable"]


class ArchivedQuestion(ViewQuestion, frozen=True, kw_only=True):
    """Tasks in the archive, newest first; `ended` is how they had ended. `cursor` is that of the page before."""

    ended: tuple[str, ...] = ()
    user: str = ""
    skill: str = ""
    since_ns: int | None = None
    until_ns: int | None = None
    limit: int = 100
    cursor: str = ""


class ArchivesQuestion(ViewQuestion, frozen=True, kw_only=True):
    """The files of the archive that tasks have moved to, each with the number of these tasks."""


def _archives(_question: ArchivesQuestion, context: QueryContext) -> dict[str, Any]:
    return {"files": {name: tasks for name, (tasks,) in sums(context.reading, t.ARCHIVES)}}


def _archived(question: ArchivedQuestion, context: QueryContext) -> dict[str, Any]:
    mark, reading = mark_of(question), context.reading
    key = cursor_key(question.cursor, mark)
    below = place(max(0, number(key[:PLACE_BYTES]) - 1)) if key else LAST
    return page(_rows(question, reading, below), question.limit, mark)


def _rows(question: ArchivedQuestion, reading: Reading, below: bytes) -> Iterator[tuple[bytes, dict[str, Any]]]:
    first, last = between(reading, question.since_ns, question.until_ns)
    for key in newest([PrefixWalk(reading, t.ARCHIVED)], min(first, below), last):
        stored = t.load_archived(reading, key)
        if stored is None or (moved := stored.task.life.archived) is None:
            continue
        since_ns, until_ns = question.since_ns, question.until_ns
        if (
            (question.ended and (moved.ended or "deleted") not in question.ended)
            or (question.user and moved.user != question.user)
            or (question.skill and moved.skill != question.skill)
            or (since_ns is not None and moved.submitted_ns < since_ns)
            or (until_ns is not None and moved.submitted_ns > until_ns)
        ):
            continue
        yield (
            key,
            {
                "id": stored.id,
                "skill": moved.skill,
                "user": moved.user,
                "status": "archived",
                "ended": moved.ended or "deleted",
                "submitted_at": iso(moved.submitted_ns),
                "completed_at": iso(moved.completed_ns),
                "archived_at": iso(stored.task.life.updated_ns),
                "file": moved.file,
                "version": stored.version,
            },
        )


class _MadeBy(msgspec.Struct):
    parent: str = ""


_asked = msgspec.json.Decoder(_MadeBy).decode


def archivable(reading: Reading, before_ns: int, limit: int, after: int = 0) -> list[Archivable]:
    """Tasks that had ended before that time and were submitted behind that sequence, the first submitted first."""
    return list(islice(_ended(reading, before_ns, after), limit))


def _ended(reading: Reading, before_ns: int, after: int) -> Iterator[Archivable]:
    newest_key, _ = between(reading, None, before_ns)
    prefixes = [term(STATUS, status) for status in FINAL]
    walks = [reading.cursor(t.INDEX) for _ in prefixes]
    found = [_key(walk.key(), prefix) if walk.set_range(prefix + place(after + 1)) else None
             for walk, prefix in zip(walks, prefixes, strict=True)]  # fmt: skip
    while any(found):
        key = min(each for each in found if each)
        if key > newest_key:
            return
        at = found.index(key)
        found[at] = _key(walks[at].key(), prefixes[at]) if walks[at].next() else None
        version, life = t.load_status(reading, key)
        if life.updated_ns < before_ns:
            name, _, spec = (reading.get(t.SPECS, key) or b"").partition(b"\n")
            id = name.decode()
            if id and frozen_of(reading, "task", id) is None:
                yield Archivable(id, number(key), version, _asked(spec).parent)


def _key(at: bytes, prefix: bytes) -> bytes | None:
    return at[len(prefix) :] if at.startswith(prefix) else None


ARCHIVE_QUESTIONS: Final = (
    QuestionHandler("archived", ArchivedQuestion, _archived),
    QuestionHandler("archives", ArchivesQuestion, _archives),
)
