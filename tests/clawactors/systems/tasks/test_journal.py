"""The journal equals a plain list of entries, however many go on from the same point; extending it costs no copy."""

from time import perf_counter

from hypothesis import given
from hypothesis import strategies as st

from clawactors.systems.tasks import Entry, Journal
from clawactors.systems.tasks.journal import EMPTY, StepStatus

NAMES = st.sampled_from(["a", "b", "c", "d"])
STATUSES: tuple[StepStatus, ...] = ("running", "completed", "failed", "compensated")


def agree(journal: Journal, model: list[Entry]) -> None:
    """Everything that can be asked of the journal is what the list says."""
    assert list(journal) == model
    assert len(journal) == len(model)
    assert journal == Journal(model)
    assert hash(journal) == hash(Journal(model))
    for name in ("a", "b", "c", "d", "never"):
        last = next((entry for entry in reversed(model) if entry.name == name), None)
        assert journal.last(name) == last
        assert journal.completed(name) == (last is not None and last.status == "completed")
    for length in range(len(model) + 2):
        assert journal.since(length) == model[length:]
    first_seen = list(dict.fromkeys(entry.name for entry in model))
    assert journal.steps() == [journal.last(name) for name in first_seen]


@given(st.lists(st.tuples(st.integers(0, 30), NAMES, st.sampled_from(STATUSES)), max_size=30))
def test_any_tree_of_histories_is_as_if_each_were_alone(growth: list[tuple[int, str, StepStatus]]) -> None:
    grown: list[tuple[Journal, list[Entry]]] = [(EMPTY, [])]
    for at_ns, (parent, name, status) in enumerate(growth):
        journal, model = grown[parent % len(grown)]
        entry = Entry(name, status, at_ns, 1)
        grown.append((journal.extended(entry), [*model, entry]))
    for journal, model in grown:
        agree(journal, model)


@given(st.lists(NAMES, max_size=20))
def test_a_journal_of_entries_is_one_that_was_extended_by_them(names: list[str]) -> None:
    entries = [Entry(name, "completed", at_ns, 1) for at_ns, name in enumerate(names)]
    extended = EMPTY
    for entry in entries:
        extended = extended.extended(entry)
    assert extended == Journal(entries)
    agree(Journal(entries), entries)


def test_it_differs_by_any_entry_and_from_anything_else() -> None:
    entry = Entry("a", "completed", 1, 1)
    assert Journal([entry]) != Journal([Entry("a", "completed", 2, 1)])
    assert Journal([entry]) != Journal()
    assert Journal([entry]) != [entry]
    assert repr(Journal([entry])) == f"Journal([{entry!r}])"


def test_nobody_adds_to_the_empty_journal() -> None:
    EMPTY.extended(Entry("a", "completed", 1, 1))
    assert len(EMPTY) == 0
    assert list(EMPTY) == []
    assert EMPTY.last("a") is None
    assert not EMPTY._storage.entries


def grow(journal: Journal, count: int) -> float:
    """Seconds to extend a journal so often."""
    start_s = perf_counter()
    for number in range(count):
        journal = journal.extended(Entry(str(number), "completed", number, 1))
    assert len(journal) >= count
    return perf_counter() - start_s


def test_extending_a_long_journal_costs_as_much_as_extending_a_short_one() -> None:
    long = Journal(Entry(f"s{number}", "completed", number, 1) for number in range(100_000))
    short_s = min(grow(EMPTY, 2000) for _ in range(5))
    long_s = min(grow(long, 2000) for _ in range(5))  # the first run extends, the others branch off once
    assert long_s < 30 * short_s  # a copy per entry would be some thousand times as much
