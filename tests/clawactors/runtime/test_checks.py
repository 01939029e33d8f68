"""What the doctor makes of what views and memory say."""

import pytest

from clawactors.eventlog import Unavailable
from clawactors.runtime.asking import LogReply
from clawactors.runtime.client import checks
from clawactors.runtime.client.checks import _FaultCount, _Healed, _Health, _of_clocks, _of_faults, _of_rows

DAY_NS = 86_400 * 10**9


@pytest.mark.parametrize(
    ("fault", "accepted", "verdict"),
    [("malformed", 0, "warning"), ("illegal", 0, "failed"), ("illegal", 6, "failed"), ("illegal", 7, "warning")],
)
def test_an_illegal_commit_is_an_error_until_a_person_knows_of_it(fault: str, accepted: int, verdict: str) -> None:
    check = _of_faults([_FaultCount("task", fault, 1, 7, "Completed while pending")], accepted)
    assert (check.verdict, "Completed while pending" in check.detail) == (verdict, True)


@pytest.mark.parametrize(
    ("server_s", "control_s", "here_s", "detail"),
    [
        (0.2, -0.4, 0.9, ""),
        (3600, 0, 0, "that of the server is 3600 s ahead of the time of the log"),
        (0, -120, 7, "that of control is 120 s behind, that of this machine is 7 s ahead of the time of the log"),
    ],
)
def test_a_clock_that_is_off_is_told(server_s: float, control_s: float, here_s: float, detail: str) -> None:
    end = LogReply(server_ahead_ns=int(server_s * 1e9), own_ahead_ns=int(control_s * 1e9))
    check = _of_clocks(end, int(here_s * 1e9))
    assert check.verdict == ("warning" if detail else "ok")
    assert detail in check.detail


async def test_rows_that_are_made_again_are_waited_for_and_told_for_a_week(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "_AGAIN_S", 0.0)
    healed = _Healed(100 * DAY_NS, "a bit flipped", "/data/views/damaged-cluster@1")
    answers = [
        Unavailable("the process died of it"),
        _Health("a bit flipped", None, 0, checking=False),
        _Health("", healed, 0, checking=True),
        _Health("", healed, 12, checking=False),
    ]

    async def ask() -> _Health:
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    soon = await _of_rows("view rows", ask, 101 * DAY_NS)
    assert soon.verdict == "warning"
    assert "12 are sound" in soon.detail
    assert "because a bit flipped; the damaged files are in /data/views/damaged-cluster@1" in soon.detail
    assert (await _of_rows("view rows", ask, 108 * DAY_NS)).verdict == "ok"


async def test_rows_that_stay_damaged_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "_ROWS_S", 0.0)

    async def ask() -> _Health:
        return _Health("can't be written", None, 0, checking=False)

    check = await _of_rows("memory rows", ask, 0)
    assert (check.verdict, "can't be written" in check.detail) == ("failed", True)
