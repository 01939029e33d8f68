"""When a message was written, and which days a question means."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawactors.memory.text.date import day_of, mentioned_days, parse_date

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
