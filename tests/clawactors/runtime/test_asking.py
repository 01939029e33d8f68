"""Questions that reach a control process which hangs, none at all, or one that answers late."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from clawactors.eventlog import NoResponders, Unavailable
from clawactors.runtime.questions import ask
from tests.clawactors.runtime.virtual import run_virtually


class Answering:
    """Answers the n-th request after so many seconds; those without a time never."""

    def __init__(self, *after_s: float | Exception | None) -> None:
        self._after_s = after_s
        self.asked = self.open = 0

    async def request(self, subject: str, body: bytes, timeout_s: float) -> bytes:
        number, self.asked = self.asked, self.asked + 1
        after_s = self._after_s[min(number, len(self._after_s) - 1)]
        self.open += 1
        try:
            if isinstance(after_s, Exception):
                raise after_s
            async with asyncio.timeout(timeout_s):
                await asyncio.sleep(after_s if after_s is not None else 1e6)
        except TimeoutError:
            raise Unavailable("no answer") from None
        finally:
            self.open -= 1
        return b"%d" % number

    async def serve(self, subject: str, answer: Callable[..., Any], queue: str = "") -> Any:
        raise NotImplementedError


def asked(requests: Answering, absent_s: float = 0) -> tuple[bytes, float]:
    """The answer, and after which time it came."""

    async def run() -> tuple[bytes, float]:
        clock = asyncio.get_running_loop().time
        began_s = clock()
        answer = await ask(requests, "claw.query.status", b"{}", absent_s)
        return answer, clock() - began_s

    try:
        return run_virtually(run())
    finally:
        assert requests.open == 0


def test_one_that_hangs_does_not_hold_up_the_question() -> None:
    answer, took_s = asked(Answering(None, None, 0.01))
    assert answer == b"2"
    assert took_s < 2


def test_a_slow_answer_is_waited_for() -> None:
    requests = Answering(3.0)
    assert asked(requests)[0] == b"0"


def test_where_nobody_answers_it_ends_after_5_s() -> None:
    requests = Answering(None)
    with pytest.raises(Unavailable, match="no answer"):
        asked(requests)
    assert requests.asked < 10


def test_one_that_comes_back_in_time_is_waited_for() -> None:
    nobody = NoResponders("nobody")
    assert asked(Answering(nobody, nobody, nobody, 0.01), absent_s=10)[0] == b"3"


def test_a_question_that_was_lost_with_the_connection_is_asked_again() -> None:
    lost = Unavailable("the connection was lost before it was answered")
    assert asked(Answering(lost, lost, 0.01), absent_s=10)[0] == b"2"
    with pytest.raises(Unavailable, match="connection was lost"):
        asked(Answering(lost, 0.01))


def test_where_nobody_may_be_missing_that_is_told_at_once() -> None:
    requests = Answering(NoResponders("nobody"))
    with pytest.raises(NoResponders):
        asked(requests)
    assert requests.asked == 1
