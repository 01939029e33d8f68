"""What cron lines mean, where clocks are put forward and back too. Rule numbers are those of `cron`."""

from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawactors.kernel.errors import Refused
from clawactors.kernel.time import time_ns
from clawactors.systems.schedules.cron import after, checked, until

BERLIN = "Europe/Berlin"
NOW = time_ns("2026-01-01T00:00:00Z")


def following(line: str, zone: str, start: str, count: int) -> list[str]:
    at_ns, times = time_ns(start), []
    for _ in range(count):
        at_ns = after(line, zone, at_ns)
        times.append(datetime.fromtimestamp(at_ns / 1e9, ZoneInfo(zone)).isoformat())
    return times


@pytest.mark.parametrize(
    ("line", "first"),
    [
        ("* * * * *", "2026-01-01T00:01:00+00:00"),
        ("30 9 * * MON-FRI", "2026-01-01T09:30:00+00:00"),
        ("0 0 29 2 *", "2028-02-29T00:00:00+00:00"),
        ("0 12 L * *", "2026-01-31T12:00:00+00:00"),
        ("@daily", "2026-01-02T00:00:00+00:00"),
        ("@hourly", "2026-01-01T01:00:00+00:00"),
        ("@yearly", "2027-01-01T00:00:00+00:00"),
    ],
)
def test_the_first_time_behind_a_moment(line: str, first: str) -> None:  # rule 1
    assert following(line, "UTC", "2026-01-01T00:00:00Z", 1) == [first]


def test_a_recorded_line_with_seconds_goes_on() -> None:  # rule 2
    assert following("*/15 * * * * *", "UTC", "2026-01-01T00:00:00Z", 2) == [
        "2026-01-01T00:00:15+00:00",
        "2026-01-01T00:00:30+00:00",
    ]


def test_a_time_is_in_its_zone() -> None:
    assert following("0 9 * * *", "Asia/Shanghai", "2026-01-01T00:00:00Z", 2) == [
        "2026-01-01T09:00:00+08:00",
        "2026-01-02T09:00:00+08:00",
    ]


def test_a_time_that_the_clocks_skip_comes_right_after_the_gap() -> None:  # rule 3
    assert following("30 2 * * *", BERLIN, "2026-03-28T12:00:00+01:00", 2) == [
        "2026-03-29T03:00:00+02:00",
        "2026-03-30T02:30:00+02:00",
    ]


def test_a_time_that_the_clocks_show_twice_comes_once() -> None:  # rule 3
    assert following("30 2 * * *", BERLIN, "2026-10-24T12:00:00+02:00", 2) == [
        "2026-10-25T02:30:00+02:00",
        "2026-10-26T02:30:00+01:00",
    ]


def test_what_comes_each_hour_goes_by_hours_that_pass() -> None:  # rule 3
    for start, line in (("2026-03-29T00:30:00+01:00", "0 * * * *"), ("2026-10-25T00:30:00+02:00", "0 * * * *")):
        at_ns = time_ns(start)
        times = [at_ns := after(line, BERLIN, at_ns) for _ in range(6)]
        assert {later - earlier for earlier, later in pairwise(times)} == {3600 * 10**9}


def minutes_that_fit(line: str, zone: str, start_ns: int, end_ns: int) -> list[int]:
    """Found by looking at the clock at each minute."""

    def fits(field: str, shown: int) -> bool:
        return shown % int(field[2:]) == 0 if field.startswith("*/") else field in ("*", str(shown))

    minute, hour, day, *_ = line.split()
    found = []
    for at_ns in range(start_ns, end_ns, 60 * 10**9):
        at = datetime.fromtimestamp(at_ns / 1e9, ZoneInfo(zone))
        if fits(minute, at.minute) and fits(hour, at.hour) and fits(day, at.day):
            found.append(at_ns)
    return found


@pytest.mark.parametrize("line", ["0 */6 * * *", "45 */2 * * *", "*/20 */5 * * *", "*/30 * * * *", "0 */6 6 * *"])
@pytest.mark.parametrize("day", ["2024-10-06", "2024-04-07", "2024-06-01"], ids=["forward", "back", "ordinary"])
def test_no_hour_is_missed_where_clocks_move_by_half_of_one(line: str, day: str) -> None:  # rule 3
    zone, noon_ns, half_day_ns = "Australia/Lord_Howe", time_ns(f"{day}T01:30:00Z"), 12 * 3600 * 10**9
    start_ns, end_ns = noon_ns - 2 * half_day_ns, noon_ns + 2 * half_day_ns
    wanted = minutes_that_fit(line, zone, start_ns, end_ns)
    times, at_ns = [], start_ns - 1
    while (at_ns := after(line, zone, at_ns)) < end_ns:
        times.append(at_ns)
    assert times == wanted
    times, at_ns = [], end_ns
    while (at_ns := until(line, zone, at_ns - 1)) >= start_ns:
        times.append(at_ns)
    assert times == wanted[::-1]


@given(
    st.sampled_from(["*/7 * * * *", "30 2 * * *", "0 */6 * * *", "15 10 1,15 * *", "*/20 * * * * *"]),
    st.sampled_from(["UTC", BERLIN, "America/New_York", "Australia/Lord_Howe"]),
    st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2030, 1, 1)),  # noqa: DTZ001
)
def test_until_and_after_meet(line: str, zone: str, moment: datetime) -> None:
    now_ns = time_ns(f"{moment.isoformat()}Z")
    last, following = until(line, zone, now_ns), after(line, zone, now_ns)
    assert last <= now_ns < following
    assert after(line, zone, last) == following
    assert until(line, zone, last) == last


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("", "0 fields"),
        ("* * * *", "4 fields"),
        ("* * * * * * *", "7 fields"),
        ("* * * * * *", r"6 fields; .* once a minute at most; for shorter intervals, .* task.sleep"),
        ("61 * * * *", "bad minute"),
        ("* 25 * * *", "bad hour"),
        ("* * 0 * *", "bad day-of-month"),
        ("*/0 * * * *", "bad minute"),
        ("-5 * * * *", "bad minute"),
        ("* * * * FUNDAY", "bad day-of-week"),
        ("every day", "2 fields"),
        ("@reboot", "1 fields"),
        ("0 0 31 2 *", "bad day-of-month"),
        ("* * */20 * 1L", "never fires"),
        ("0 0 * 2 MON#5 *", "not a valid cron line"),
        ("9" * 500, "at most 200 characters, not 500"),
        ("* * * * *\n* * * * *", "10 fields"),
        ("٣ * * * *", "bad minute"),
    ],
)
def test_an_absurd_line_is_refused_with_a_sentence(line: str, complaint: str) -> None:
    with pytest.raises(Refused, match=complaint):
        checked(line, "UTC", NOW)


@pytest.mark.parametrize(
    "zone", ["Mars/Olympus", "", "../../etc/passwd", "/etc/localtime", "Europe", "x" * 300, "a\0b"]
)
def test_a_zone_that_nobody_knows_is_refused(zone: str) -> None:
    with pytest.raises(Refused, match="not a valid time zone"):
        checked("0 9 * * *", zone, NOW)
