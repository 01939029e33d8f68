"""When a message was written, and which days a question means."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawactors.memory.text.date import DateReader, day_of, mentioned_days, parse_date, zone_named

TODAY = dt.date(2024, 3, 10)  # a Sunday


def days(text: str) -> list[tuple[str, str]]:
    today = (TODAY - dt.date(1970, 1, 1)).days
    start = dt.date(1970, 1, 1)
    return [
        (str(start + dt.timedelta(first)), str(start + dt.timedelta(last)))
        for first, last in mentioned_days(text, today)
    ]


@pytest.mark.parametrize(
    ("stamp", "read"),
    [
        ("2023-05-08 13:56", "2023-05-08 13:56"),
        ("1:56 pm on 8 May, 2023", "2023-05-08 13:56"),
        ("12:09 am on 13 September, 2023", "2023-09-13 00:09"),
        ("May 8, 2023", "2023-05-08 00:00"),
        ("2023年5月8日", "2023-05-08 00:00"),
        ("2023/5/8", "2023-05-08 00:00"),
        ("2023-05-08T15:00:00+02:00", "2023-05-08 13:00"),
    ],
)
def test_stamps(stamp: str, read: str) -> None:
    assert f"{dt.datetime.fromtimestamp(parse_date(stamp) / 1e9, dt.UTC):%Y-%m-%d %H:%M}" == read


@pytest.mark.parametrize("stamp", ["", "soon", "8 May", "2023-13-45", "99999999999"])
def test_what_is_no_stamp_is_none(stamp: str) -> None:
    assert parse_date(stamp) == 0


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("in May 2023", [("2023-05-01", "2023-05-31")]),
        ("on 8 May 2023", [("2023-05-08", "2023-05-08")]),
        ("in July", [("2023-07-01", "2023-07-31")]),
        ("on the 3rd of June", [("2023-06-03", "2023-06-03")]),
        ("yesterday", [("2024-03-09", "2024-03-09")]),
        ("last Friday", [("2024-03-08", "2024-03-08")]),
        ("3 weeks ago", [("2024-02-15", "2024-02-21")]),
        ("last year", [("2023-01-01", "2023-12-31")]),
        ("in 1968", [("1968-01-01", "1968-12-31")]),
        ("三月五号", [("2024-03-05", "2024-03-05")]),
        ("2023年十二月", [("2023-12-01", "2023-12-31")]),
        ("十月二十一日", [("2023-10-21", "2023-10-21")]),
        ("去年", [("2023-01-01", "2023-12-31")]),
        ("Who may march?", []),
        ("what about version 2.20.1999?", []),
    ],
)
def test_mentions(text: str, meant: list[tuple[str, str]]) -> None:
    assert days(text) == meant


@given(st.text(alphabet="0123456789-/.年月日号十 agolastMayweekdr", max_size=40), st.integers(0, 2_000_000))
def test_any_text_and_any_day_are_read_without_harm(text: str, today: int) -> None:
    assert parse_date(text) >= -(10**20)
    assert all(first <= last for first, last in mentioned_days(text, today))


def test_days_are_counted_in_utc() -> None:
    assert day_of(0) == 0
    assert day_of(86_400_000_000_000 - 1) == 0


@pytest.mark.parametrize(
    ("stamp", "locale", "zone", "read"),
    [
        ("05.06.2026", "", "", "2026-06-05 00:00"),
        ("05.06.2026 14:30", "de_DE", "Europe/Berlin", "2026-06-05 12:30"),
        ("5/6/2026", "en_GB", "", "2026-06-05 00:00"),
        ("5/6/2026", "en_US", "", "2026-05-06 00:00"),
        ("25/6/2026", "", "", "2026-06-25 00:00"),
        ("6/25/2026", "", "", "2026-06-25 00:00"),
        ("6/6/2026", "", "", "2026-06-06 00:00"),
        ("2026-06-05", "", "Asia/Shanghai", "2026-06-04 16:00"),
        ("5.6.26", "", "", "2026-06-05 00:00"),
    ],
)
def test_dates_by_locale_and_zone(stamp: str, locale: str, zone: str, read: str) -> None:
    reader = DateReader(zone_named(zone), locale)
    assert f"{dt.datetime.fromtimestamp(reader.time(stamp) / 1e9, dt.UTC):%Y-%m-%d %H:%M}" == read


@pytest.mark.parametrize(
    ("stamp", "why"), [("5/6/2026", "two ways"), ("sometime", "can't be read"), ("31.02.2026", "can't be read")]
)
def test_a_date_that_is_not_clear_is_refused_with_what_to_do(stamp: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as refused:
        DateReader().time(stamp)
    assert "YYYY-MM-DD" in str(refused.value)
    assert DateReader().time_in(stamp) == 0


def test_unknown_zones_are_refused() -> None:
    assert zone_named("+02:00").utcoffset(None) == dt.timedelta(hours=2)
    with pytest.raises(ValueError, match="unknown time zone"):
        zone_named("Mars/Olympus")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("two days ago", [("2024-03-08", "2024-03-08")]),
        ("three weeks ago", [("2024-02-15", "2024-02-21")]),
        ("a couple of days ago", [("2024-03-07", "2024-03-09")]),
        ("the day before yesterday", [("2024-03-08", "2024-03-08")]),
        ("last week", [("2024-02-26", "2024-03-03")]),
        ("last month", [("2024-02-01", "2024-02-29")]),
        ("in the last three days", [("2024-03-07", "2024-03-10")]),
        ("last weekend", [("2024-03-02", "2024-03-03")]),
        ("on Tuesday", [("2024-03-05", "2024-03-05")]),
        ("on 05.03.2024", [("2024-03-05", "2024-03-05")]),
        ("上周", [("2024-02-26", "2024-03-03")]),
        ("上周五", [("2024-03-01", "2024-03-01")]),
        ("前天", [("2024-03-08", "2024-03-08")]),
        ("大前天", [("2024-03-07", "2024-03-07")]),
        ("三天前", [("2024-03-07", "2024-03-07")]),
        ("两周前", [("2024-02-22", "2024-02-28")]),
        ("上个月", [("2024-02-01", "2024-02-29")]),
        ("最近三天", [("2024-03-07", "2024-03-10")]),
        ("星期二", [("2024-03-05", "2024-03-05")]),
    ],
)
def test_words_that_depend_on_today(text: str, meant: list[tuple[str, str]]) -> None:
    assert days(text) == meant
