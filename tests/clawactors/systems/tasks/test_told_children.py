"""How a parent is told of the ends of its children."""

import msgspec

from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.children import CHILDREN, ChildEnd, child_id, end_of, ends_in
from clawactors.systems.tasks.events import TaskError
from clawactors.systems.tasks.journal import Entry, Journal
from clawactors.systems.tasks.task import TaskStatus
from tests.clawactors.systems.tasks.vocabulary import RUNNING, given

WAITS = (*RUNNING, e.Waiting("signal", 0, CHILDREN))
FAILED = ChildEnd("c-1", 7, "failed", error=TaskError("unknown", "no"))
COMPLETED = ChildEnd("c-1", 9, "completed", 3)


def signal(*ends: ChildEnd) -> e.Signalled:
    return e.Signalled(CHILDREN, msgspec.to_builtins(list(ends)))


def test_the_end_of_a_child_is_told_once_and_once_more_when_it_ends_anew() -> None:
    given(*WAITS).when(c.NoteChildren((FAILED,))).then(signal(FAILED), e.Readied())
    told = (*WAITS, signal(FAILED))
    given(*told).when(c.NoteChildren((FAILED,))).quietly()
    given(*told).when(c.NoteChildren((FAILED, COMPLETED))).then(signal(COMPLETED), e.Readied())


def test_what_was_told_is_known_in_each_history_and_read_once() -> None:
    read: list[str] = []

    def versions(entry: Entry) -> list[tuple[str, int]]:
        read.append(entry.name)
        return [(end.id, end.version) for end in ends_in(entry.result)]

    def told(journal: Journal, *ends: ChildEnd) -> Journal:
        return journal.extended(Entry("told", "signalled", 0, 1, msgspec.to_builtins(list(ends))))

    def version(journal: Journal, id: str) -> int:
        return journal.last_said("told", id, versions, -1)

    first = told(Journal(), FAILED)
    assert [version(first, id) for id in ("c-1", "c-2")] == [7, -1]
    again = told(first, COMPLETED)
    assert [version(each, "c-1") for each in (again, first)] == [9, 7]
    other = told(first, ChildEnd("c-2", 8, "completed"))  # another history, which shares what is before
    assert [version(other, id) for id in ("c-1", "c-2")] == [7, 8]
    assert [version(again, id) for id in ("c-1", "c-2")] == [9, -1]
    read.clear()
    longer = other
    for number in range(3, 300):
        longer.extended(Entry("told", "signalled", 0, 1, []))  # as a decision does, before the log has it
        longer = told(longer, ChildEnd(f"c-{number}", number, "completed"))
        assert [version(longer, id) for id in ("c-1", f"c-{number}")] == [7, number]
    assert len(read) < 900


def test_one_that_has_ended_is_not_told() -> None:
    given(*RUNNING, e.Completed()).when(c.NoteChildren((FAILED,))).refused("ended")


def test_a_large_result_is_left_in_the_child_and_a_malformed_signal_tells_nothing() -> None:
    large = end_of("c-1", 9, TaskStatus(status="completed", result="x" * 2000))
    assert (large.result, large.large) == (None, True)
    assert end_of("c-1", 9, TaskStatus(status="cancelled", result=1)).result is None
    assert ends_in({"not": "a list"}) == []
    assert ends_in(msgspec.to_builtins([COMPLETED])) == [COMPLETED]


def test_ids_follow_from_parent_and_key() -> None:
    assert child_id("p", "#1") == child_id("p", "#1") != child_id("p", "#2") != child_id("q", "#2")
