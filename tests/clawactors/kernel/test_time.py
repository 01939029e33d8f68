"""Durations and times as people write them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawactors.kernel.time import duration_s, retry_after_s, time_ns, time_zone


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30),
        ("1.5s", 1.5),
        ("5m", 300),
        ("2h", 7200),
        ("7d", 604800),
        ("250ms", 0.25),
        ("1h30m", 5400),
        ("0s", 0),
    ],
)
def test_a_duration_is_read_in_seconds(text: str, seconds: float) -> None:
    assert duration_s(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", ["", "5", "s", "-5s", "5 s", "1e3s", "5x", "5s5", "٣s", "infs", "nans", "5M", "1.s", "." * 99]
)
def test_what_is_no_duration_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match="write 30s, 5m, 2h or 7d"):
        duration_s(text)


def test_an_absurd_duration_is_refused() -> None:
    with pytest.raises(ValueError, match="longer than 100 years"):
        duration_s("9" * 400 + "d")


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("1970-01-01T00:00:01Z", 1_000_000_000),
        ("2026-05-01T09:00:00+02:00", 1_777_618_800_000_000_000),
        ("2026-05-01T07:00:00.123456Z", 1_777_618_800_123_456_000),
        ("1969-12-31T23:59:59.5Z", -500_000_000),
    ],
)
def test_a_time_is_read_in_nanoseconds(text: str, ns: int) -> None:
    assert time_ns(text) == ns


@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1)), st.integers(-14 * 60, 14 * 60))  # noqa: DTZ001
def test_a_time_is_exact_in_every_zone(moment: datetime, offset: int) -> None:
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=offset)))
    exact = (aware - datetime.fromisoformat("1970-01-01T00:00:00Z")) // timedelta(microseconds=1)
    assert time_ns(aware.isoformat()) == exact * 1000


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("2026-05-01T09:00:00", "no zone"), ("tomorrow", "not a valid time"), ("", "not a valid time")],
)
def test_a_time_without_zone_or_sense_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        time_ns(text)


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("7", 7.0),
        ("0.2", 0.2),
        ("01 Jan 2026 00:01:00 GMT", 60.0),
        ("01 Jan 2026 00:01:00 -0000", 60.0),
        ("31 Dec 2025 23:00:00 GMT", 0.0),
        *((text, 0.0) for text in ("", "soon", "-5", "nan", "inf", "\u00b2", ".", "1e9", "01 Jan 99999 00:00:00 GMT")),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_anything_else_asks_for_no_wait(told: str, seconds: float) -> None:
    assert retry_after_s(told, datetime(2026, 1, 1, tzinfo=UTC)) == seconds
    assert retry_after_s(told, "01 Jan 2026 00:00:00 GMT") == seconds


def test_a_date_asks_for_no_wait_where_the_time_of_the_server_is_not_known() -> None:
    assert retry_after_s("01 Jan 2026 00:01:00 GMT", "") == 0.0


def test_a_time_zone_is_one_of_the_database() -> None:
    zone = time_zone("Europe/Vienna")
    assert zone is not None
    assert zone.key == "Europe/Vienna"
    assert [time_zone(name) for name in ("Mars/Olympus", "../etc/passwd", "", "a" * 300, "\0")] == [None] * 5
