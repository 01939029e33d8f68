"""Questions to a memory process that is killed with them in its hands, is on its way back, or is not there at all."""

import asyncio

import pytest

from clawactors.eventlog import NoResponders, Unavailable
from clawactors.runtime.recalling import ask
from tests.clawactors.runtime.test_asking import Answering
from tests.clawactors.runtime.virtual import run_virtually

ABSENT = NoResponders("nobody")


def asked(requests: Answering) -> tuple[bytes, float]:
    """The answer, and after which time it came."""

    async def run() -> tuple[bytes, float]:
        clock = asyncio.get_running_loop().time
        began_s = clock()
        answer = await ask(requests, "claw.query.memory.search", b"{}", 20.0)
        return answer, clock() - began_s

    try:
        return run_virtually(run())
    finally:
        assert requests.open == 0


def test_a_question_that_died_with_the_process_is_put_to_the_next_one() -> None:
    answer, took_s = asked(Answering(None, ABSENT, ABSENT, 0.01))
    assert answer == b"3"
    assert 2 < took_s < 3


def test_a_process_that_is_on_its_way_is_waited_for() -> None:
    answer, took_s = asked(Answering(*[ABSENT] * 20, 0.01))
    assert answer == b"20"
    assert took_s < 3


def test_a_slow_answer_is_waited_for_and_seldom_asked_for_again() -> None:
    requests = Answering(13.0)
    assert asked(requests)[0] == b"0"
    assert requests.asked <= 3


def test_where_nobody_is_that_is_told_before_the_time_is_over() -> None:
    with pytest.raises(NoResponders):
        asked(Answering(ABSENT))


def test_where_nobody_answers_that_is_told_in_the_end() -> None:
    requests = Answering(None)
    with pytest.raises(Unavailable, match="no answer"):
        asked(requests)
    assert requests.asked <= 4
