"""A ranking equals a sorted list, whatever is put in, moved and taken out; it keeps nothing of what has gone."""

from hypothesis import given
from hypothesis import strategies as st

from clawactors.kernel.ranking import Ranking

IDS = st.sampled_from("abcdef")


@given(st.lists(st.tuples(st.sampled_from(["put", "discard", "first"]), IDS, st.integers(0, 5)), max_size=60))
def test_it_is_a_sorted_list(steps: list[tuple[str, str, int]]) -> None:
    ranking: Ranking[int] = Ranking()
    model: dict[str, int] = {}
    for step, id, rank in steps:
        if step == "put":
            ranking.put(id, rank)
            model[id] = rank
        elif step == "discard":
            ranking.discard(id)
            model.pop(id, None)
        assert len(ranking) == len(model)
        assert ranking.first() == min(((rank, id) for id, rank in model.items()), default=None)


def test_it_keeps_nothing_of_what_has_gone() -> None:
    ranking: Ranking[int] = Ranking()
    ranking.put("first", -1)  # what lies behind the first is not looked at
    for number in range(10_000):
        ranking.put(f"t-{number}", number)
        ranking.put(f"t-{number}", number + 1)
        ranking.discard(f"t-{number}")
    assert len(ranking) == 1
    assert len(ranking._heap) < 200


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 3)), max_size=40))
def test_ascending_is_the_order_in_which_they_are_first(puts: list[tuple[str, int]]) -> None:
    ranking: Ranking[int] = Ranking()
    for id, rank in puts:
        if rank:
            ranking.put(id, rank)
        else:
            ranking.discard(id)
    found = list(ranking.ascending())
    assert found == sorted((rank, id) for id, rank in ranking._ranks.items())
