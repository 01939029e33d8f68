"""Walks downwards through sets of keys."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawactors.projections.engine.index import Effort, PrefixWalk, Union, ascending, newest
from clawactors.projections.engine.keys import LAST, place, term
from clawactors.projections.engine.store import Reading, Store


class Listed:
    """A walk over a list in memory."""

    def __init__(self, keys: set[int]) -> None:
        self.keys = sorted(keys)

    def at_most(self, key: bytes) -> bytes | None:
        fitting = [each for each in self.keys if place(each) <= key]
        return place(fitting[-1]) if fitting else None


keys = st.sets(st.integers(0, 60), max_size=30)


@given(st.lists(st.lists(keys, min_size=1, max_size=3), min_size=1, max_size=4), st.integers(0, 60), st.integers(0, 60))
def test_what_all_walks_have_comes_once_from_the_newest_down(sets: list[list[set[int]]], first: int, last: int) -> None:
    walks = [Union([Listed(each) for each in group]) for group in sets]
    expected = set.intersection(*(set[int]().union(*group) for group in sets))
    found = list(newest(walks, place(first), place(last)))
    assert found == [place(each) for each in sorted(expected, reverse=True) if last <= each <= first]


@given(st.lists(st.lists(keys, min_size=1, max_size=3), min_size=1, max_size=4), st.integers(1, 20))
def test_a_search_that_ends_early_goes_on_where_it_stopped(sets: list[list[set[int]]], seeks: int) -> None:
    def part(first: bytes, effort: Effort) -> list[bytes]:
        return list(newest([Union([Listed(each) for each in group]) for group in sets], first, place(0), effort))

    found, first, parts = list[bytes](), place(60), 0
    while True:
        found += part(first, effort := Effort(seeks))
        if effort.stopped_at is None:
            break
        assert effort.stopped_at < first
        first, parts = effort.stopped_at, parts + 1
    assert found == part(place(60), Effort())
    assert parts < 62


@pytest.fixture
def reading(tmp_path: Path) -> Iterator[Reading]:
    store = Store.open(tmp_path, ("t",))
    with store.write() as txn:
        for word in ("a", "b", "c"):
            for n in (1, 5, 9):
                txn.put("t", term(b"x", word) + place(n), b"")
    with store.snapshot() as moment:
        yield moment
    store.close()


@pytest.mark.parametrize("word", ["a", "b", "c"])
@pytest.mark.parametrize(("at", "found"), [(0, None), (1, 1), (4, 1), (5, 5), (8, 5), (1 << 60, 9)])
def test_a_run_ends_with_its_prefix(reading: Reading, word: str, at: int, found: int | None) -> None:
    expected = None if found is None else place(found)
    assert PrefixWalk(reading, "t", term(b"x", word)).at_most(place(at)) == expected


def test_an_unknown_word_has_no_keys(reading: Reading) -> None:
    assert PrefixWalk(reading, "t", term(b"x", "d")).at_most(LAST) is None
    assert PrefixWalk(reading, "t", term(b"y", "a")).at_most(LAST) is None


def test_items_come_upwards_from_a_key(reading: Reading) -> None:
    whole = [key for key, _ in ascending(reading, "t")]
    assert whole == sorted(whole)
    assert [key for key, _ in ascending(reading, "t", whole[4])] == whole[4:]
