"""The measurement of memory measures: small here, the figures themselves are for `benchmarks/memory_speed.py`."""

from clawactors.memory.measure import measure, queries, turns


def test_a_small_run_gives_figures_that_make_sense() -> None:
    speed = measure(300)
    assert speed.items == 300
    assert speed.write_per_s > speed.rebuild_per_s > 0
    assert 0 < speed.p50_ms <= speed.p99_ms
    assert speed.recall_at_10 == 1.0


def test_the_texts_are_the_same_in_every_run() -> None:
    assert list(turns(50)) == list(turns(50))
    assert queries(20) == queries(20)
    assert len({turn["id"] for turn in turns(200)}) == 200
