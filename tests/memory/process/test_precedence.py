"""Answers go before work in the background, and hold it up for a short time only."""

import threading
import time

import pytest

from clawactors.memory.process import precedence
from clawactors.memory.process.precedence import Precedence
from tests.memory.process.conftest import PATIENCE_S


def test_the_background_waits_while_an_answer_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precedence, "_SUSPEND_MAX_S", PATIENCE_S)
    turn = Precedence()
    turn.suspend()  # nobody is answered: it goes on
    went_on = threading.Event()

    def work() -> None:
        turn.suspend()
        went_on.set()

    worker = threading.Thread(target=work)
    with turn.answering(), turn.answering():
        worker.start()
        assert not went_on.is_set()
    assert went_on.wait(PATIENCE_S)
    worker.join(PATIENCE_S)


def test_however_many_ask_the_background_gets_on() -> None:
    turn = Precedence()
    with turn.answering():
        began = time.monotonic()
        for _ in range(3):
            turn.suspend()
        assert time.monotonic() - began < PATIENCE_S
