"""Many listen from processes of their own: small here, the figures are for `benchmarks/event_streams.py`."""

from pathlib import Path

import pytest

from benchmarks.event_listeners import allow_sockets
from benchmarks.event_streams import Figures, measure


async def measured(folder: Path, listeners: int, events: int, rate: float, **how: int) -> Figures:
    allow_sockets()
    given = {"processes": 2, "before": 0, "catching_up": False, **how}
    return await measure(folder, listeners=listeners, events=events, rate=rate, **given)


async def test_each_of_a_thousand_hears_every_event_once(tmp_path: Path) -> None:
    figures = await measured(tmp_path, 1000, 3, 10.0)
    assert figures.missed == 0
    assert figures.kb_per_listener < 60


@pytest.mark.soak
async def test_a_thousand_hear_of_an_event_soon_and_calls_do_too(tmp_path: Path) -> None:
    runs = [await measured(tmp_path / str(n), 1000, 50, 10.0, before=5_000, catching_up=True) for n in range(3)]
    assert not any(each.missed for each in runs)
    assert min(each.p99_ms for each in runs) <= 250
    assert min(each.loop_p99_ms for each in runs) <= 100
    assert all(each.caught_up for each in runs)


@pytest.mark.soak
async def test_ten_thousand_hear_every_event_once_and_none_costs_more(tmp_path: Path) -> None:
    few = await measured(tmp_path / "few", 1000, 5, 2.0)
    many = await measured(tmp_path / "many", 10_000, 10, 0.5, processes=3)
    assert few.missed == many.missed == 0
    assert many.kb_per_listener < 1.5 * few.kb_per_listener
